# SPDX-License-Identifier: Apache-2.0
"""Waiting on conditions instead of sleeping."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

LOOK_AGAIN_S = 0.01


async def eventually(
    condition: Callable[[], Any], timeout_s: float = 5.0, *, what: str = ""
) -> Any:
    """The first true result of `condition`, which may be a coroutine function.

    Raises:
        AssertionError: if there is none in time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        found = condition()
        result = await found if inspect.isawaitable(found) else found
        if result:
            return result
        if loop.time() > deadline:
            raise AssertionError(f"{what or 'the condition'} did not hold within {timeout_s} s")
        await asyncio.sleep(LOOK_AGAIN_S)
