# SPDX-License-Identifier: Apache-2.0
"""What the warehouse holds, asked of ClickHouse itself: no service is in between."""

from typing import Any

import aiohttp

from tradewind.cli.suite.facts import Facts

USER = "default"
TIMEOUT = aiohttp.ClientTimeout(total=1.0)


async def select(facts: Facts, sql: str) -> list[list[Any]]:
    """The rows of a SELECT.

    Raises:
        aiohttp.ClientError, OSError, TimeoutError: if there is no answer.
        LookupError: if the answer is an error.
    """
    login = aiohttp.BasicAuth(USER, facts.secret("warehouse"))
    async with (
        aiohttp.ClientSession(auth=login, timeout=TIMEOUT) as session,
        session.post(facts.warehouse_url, data=f"{sql} FORMAT JSONCompact") as answer,
    ):
        if answer.status != 200:
            raise LookupError(await answer.text())
        rows: list[list[Any]] = (await answer.json(content_type=None))["data"]
        return rows
