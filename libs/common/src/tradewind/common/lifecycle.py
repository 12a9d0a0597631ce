# SPDX-License-Identifier: Apache-2.0
"""The life of a service process: start, stop on a signal, end loudly on an error.

Exit codes: 0 stopped as asked, 1 failed, 70 corruption (the state on disk or on the bus needs a
look before this process may go on; a supervisor must not restart it blindly).
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NoReturn

import uvloop

from tradewind.common import logs
from tradewind.common.errors import CorruptionError, TradewindError

EXIT_FAILED = 1
EXIT_CORRUPTION = 70


class Stop(asyncio.Event):
    """Set once the process has been asked to stop."""


def run(main: Callable[[Stop], Awaitable[None]], env: Mapping[str, str]) -> NoReturn:
    """Runs a service until it ends, is asked to stop, or fails; never returns."""
    logs.begin(env)
    sys.exit(uvloop.run(_guarded(main)))


async def supervise(*parts: Coroutine[Any, Any, None]) -> None:
    """Runs all parts; the first that fails ends the others and is raised as itself."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def serve_until(stop: Stop, *parts: Coroutine[Any, Any, None]) -> None:
    """Runs parts without an end of their own until `stop`; one that fails ends all, as itself."""
    work = asyncio.ensure_future(supervise(*parts))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    finally:
        stopped.cancel()
        work.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)
        for part in parts:
            part.close()  # one that never began, since the end came first


async def _guarded(main: Callable[[Stop], Awaitable[None]]) -> int:
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await main(stop)
    except CorruptionError as error:
        return _say(error, EXIT_CORRUPTION)
    except TradewindError as error:
        return _say(error, EXIT_FAILED)
    except Exception:
        logging.getLogger("tradewind").exception("INTERNAL: unexpected failure")
        return EXIT_FAILED
    return 0


def _say(error: TradewindError, exit_code: int) -> int:
    sys.stderr.write(f"{error.code}: {error.text}\n")
    return exit_code
