# SPDX-License-Identifier: Apache-2.0
"""A command that is told to end cleans up after itself."""

import signal
import subprocess
import sys

import pytest

WORK = """
import asyncio
import signal
import typer
from tradewind.cli.console_io import run_or_explain

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

async def work() -> int:
    try:
        print("at work", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cleaned up", flush=True)
    return 0

try:
    run_or_explain(work)
except typer.Exit as end:
    raise SystemExit(end.exit_code)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_ended_command_stops_what_it_has_started(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", WORK], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    process.send_signal(number)
    rest, _ = process.communicate(timeout=30)
    assert rest == "cleaned up\n"
    assert process.returncode == 130
