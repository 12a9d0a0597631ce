# SPDX-License-Identifier: Apache-2.0
"""What the warehouse holds, asked of ClickHouse itself: no service is in between."""

from typing import Any

import aiohttp

from tradewind.cli.suite.facts import Facts

USER = "default"
TIMEOUT = aiohttp.ClientTimeout(total=1.0)


def connect(facts: Facts) -> aiohttp.ClientSession:
    """Connections to the warehouse; for `async with`."""
    login = aiohttp.BasicAuth(USER, facts.secret("warehouse"))
    return aiohttp.ClientSession(facts.warehouse_url, auth=login, timeout=TIMEOUT)


async def select(session: aiohttp.ClientSession, sql: str) -> list[list[Any]]:
    """The rows of a SELECT.

    Raises:
        aiohttp.ClientError, OSError, TimeoutError: if there is no answer.
        LookupError: if the answer is an error.
    """
    async with session.post("/", data=f"{sql} FORMAT JSONCompact") as answer:
        if answer.status != 200:
            raise LookupError(await answer.text())
        rows: list[list[Any]] = (await answer.json(content_type=None))["data"]
        return rows
