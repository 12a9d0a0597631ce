# SPDX-License-Identifier: Apache-2.0
"""Faults of containers under load: `python -m tests.integration.containers.faults [NAME ...]`.

The stack has to run. Each fault lasts some seconds; a client outside says what it noticed.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.integration.containers.fix_load import FixSession
from tests.integration.containers.load import Seen, Socket, rest
from tradewind.cli.credentials import Credentials

URL = "http://127.0.0.1:8080"
FIX_PORT = 9878
KEY_FILE = Path("deploy/secrets/key.operator")
NETWORK = "tradewind_default"
RATE = 20.0
BEFORE_S = 2.0
DURING_S = 5.0
AFTER_S = 8.0
ATTEMPTS = 3

Argv = list[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """How it is made, and how it is healed."""

    make: Argv
    heal: Argv


def _kill(name: str) -> Fault:
    return Fault(["docker", "kill", name], ["docker", "start", name])


def _pause(name: str) -> Fault:
    return Fault(["docker", "pause", name], ["docker", "unpause", name])


def _cut_off(name: str) -> Fault:
    service = name.removeprefix("tradewind-").rpartition("-")[0]
    return Fault(
        ["docker", "network", "disconnect", NETWORK, name],
        ["docker", "network", "connect", "--alias", service, NETWORK, name],
    )


KINDS: dict[str, Callable[[str], Fault]] = {
    "kill": _kill,
    "pause": _pause,
    "disconnect": _cut_off,
}
DEFAULT = (
    "kill:gateway-1", "pause:gateway-2", "disconnect:gateway-1",
    "kill:oms-1", "pause:oms-2", "pause:oms-1", "disconnect:oms-2",
    "kill:nats-1-1", "pause:nats-2-1", "disconnect:nats-1-1",
    "kill:archiver-1", "pause:archiver-2",
    "kill:venue-1", "kill:risk-1",
)  # fmt: skip


def operator() -> Credentials:
    """The operator's key."""
    return Credentials("operator", KEY_FILE.read_text().strip())


async def play(name: str, during_s: float = DURING_S) -> dict[str, Seen]:
    """Makes one fault, `kind:container`, under load and heals it; what clients saw."""
    kind, _, container = name.partition(":")
    fault = KINDS[kind](f"tradewind-{container}")
    key = operator()
    seconds = BEFORE_S + during_s + AFTER_S
    async with asyncio.TaskGroup() as group:
        over_rest = group.create_task(rest(URL, key, RATE, seconds))
        over_ws = group.create_task(Socket(URL, key).run(RATE, seconds))
        over_fix = group.create_task(FixSession(FIX_PORT, key).run(RATE, seconds))
        await asyncio.sleep(BEFORE_S)
        await _run(fault.make)
        await asyncio.sleep(during_s)
        await _run(fault.heal)
    return {"REST": over_rest.result(), "WebSocket": over_ws.result(), "FIX": over_fix.result()}


async def _run(argv: Argv) -> None:
    """Again, if it fails: a busy machine may not freeze a container at the first attempt."""
    for _ in range(ATTEMPTS):
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL)
        if not await process.wait():
            return
    raise RuntimeError(f"{' '.join(argv)} failed")


def main() -> None:
    """Plays what is named, else all."""
    parser = argparse.ArgumentParser(description="Faults of containers under load.")
    parser.add_argument("names", nargs="*", default=DEFAULT)
    for name in parser.parse_args().names:
        began_s = time.monotonic()
        for kind, seen in asyncio.run(play(name)).items():
            print(f"{name:<22} {kind:<9} {seen.line()}", flush=True)
        print(f"{'':<22} {time.monotonic() - began_s:.0f} s", flush=True)


if __name__ == "__main__":
    main()
