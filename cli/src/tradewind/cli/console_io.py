# SPDX-License-Identifier: Apache-2.0
"""What commands print, and how they end: one JSON object on stdout, everything else on stderr."""

import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from tradewind.common.errors import TradewindError

EXIT_HOLDS = 0
EXIT_DOES_NOT_HOLD = 1
EXIT_COULD_NOT_RUN = 3

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(plain: Any) -> None:
    """Exactly one JSON object on stdout."""
    sys.stdout.write(msgspec.json.encode(plain).decode() + "\n")
    sys.stdout.flush()


def run_or_explain(work: Callable[[], Coroutine[Any, Any, int]]) -> NoReturn:
    """Runs a command's work; an error of ours becomes a sentence and exit code 3."""
    import asyncio

    async def until_told_to_end() -> int:
        """A SIGTERM is a Ctrl-C: what the work has started is stopped by its own way out."""
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work()

    try:
        code = asyncio.run(until_told_to_end())
    except TradewindError as error:
        err.print(f"[bold red]{error.code}[/]: {escape(error.text)}")
        raise typer.Exit(EXIT_COULD_NOT_RUN) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        err.print("interrupted")
        raise typer.Exit(130) from None
    raise typer.Exit(code)
