# SPDX-License-Identifier: Apache-2.0
"""One journal through two builds, side by side, up to the first entry they decide differently."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tradewind.cli.replay import builds
from tradewind.cli.replay.builds import Build
from tradewind.cli.replay.journal import CouldNotReplay, Journal, require_beginning
from tradewind.cli.replay.travel import Progress
from tradewind.common.jetstream import Record

LINE_BYTES_MAX = 64 * 1024 * 1024
FOLLOWER = Path(__file__).with_name("follower.py")


class Follower:
    """A build's process."""

    def __init__(self, build: Build, process: asyncio.subprocess.Process) -> None:
        self._build = build
        self._process = process

    async def decide(self, batch: list[Record]) -> list[dict[str, Any]]:
        """What this build makes of each record; shorter if it failed on one."""
        assert self._process.stdin is not None
        last = batch[-1].seq
        for record in batch:
            line = {
                "seq": record.seq,
                "ts_ns": record.ts_ns,
                "body": base64.b64encode(record.body).decode(),
                "is_last": record.seq == last,
            }
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
        answers: list[dict[str, Any]] = []
        while not answers or (answers[-1]["seq"] != last and "error" not in answers[-1]):
            answers.append(await self._line())
        return answers

    async def digest(self) -> str:
        """The digest of its state, which ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return str((await self._line())["digest"])

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        raw = await self._process.stdout.readline()
        if not raw:
            assert self._process.stderr is not None
            text = (await self._process.stderr.read()).decode().strip()
            why = text.splitlines()[-1] if text else "it said nothing"
            raise CouldNotReplay(f"build {self._build.name} ended: {why}", code="BUILD_FAILED")
        answer: dict[str, Any] = json.loads(raw)
        return answer


@asynccontextmanager
async def following(build: Build, env: Mapping[str, str]) -> AsyncIterator[Follower]:
    """A build's process for the time of a block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(FOLLOWER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**env, "PYTHONPATH": os.pathsep.join(build.python_path)},
        limit=LINE_BYTES_MAX,
    )
    try:
        yield Follower(build, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def compare(
    journal: Journal,
    names: tuple[str, str],
    at: int | None,
    progress: Progress,
    env: Mapping[str, str],
) -> dict[str, Any]:
    """What the two builds decide, up to entry `at`; `first_difference` is None if all is equal.

    `env` is for the builds' processes.

    Raises:
        CouldNotReplay: if a build does not exist or does not run, or the journal has no beginning.
    """
    first, tail = await journal.bounds()
    require_beginning(first)
    last = tail if at is None else min(at, tail)
    async with AsyncExitStack() as stack:
        a, b = [
            await stack.enter_async_context(
                following(stack.enter_context(builds.opened(name)), env)
            )
            for name in names
        ]
        found = None
        seq = 0
        async for batch in journal.read(1, last):
            left, right = await asyncio.gather(a.decide(batch), b.decide(batch))
            found = _first_difference(batch, left, right)
            seq = batch[-1].seq if found is None else found["seq"]
            if found is not None:
                break
            progress(seq, last)
        report = {"builds": list(names), "entries": seq, "first_difference": found}
        if found is None:
            digests = [await a.digest(), await b.digest()]
            report |= {"digests": digests, "digests_equal": digests[0] == digests[1]}
        return report | {"equal": found is None}


def _first_difference(
    batch: list[Record], left: list[dict[str, Any]], right: list[dict[str, Any]]
) -> dict[str, Any] | None:
    for record, a, b in zip(batch, left, right, strict=False):
        if a == b and "error" not in a:
            continue
        return {
            "seq": record.seq,
            "ts_ns": record.ts_ns,
            "command": json.loads(record.body),
            "outputs": [_shown(a), _shown(b)],
            "fields": _fields(a, b),
            "both_failed": "error" in a and "error" in b,
        }
    return None


def _shown(answer: dict[str, Any]) -> Any:
    """The outputs as JSON, or what failed."""
    if "error" in answer:
        return {"error": answer["error"]}
    return [json.loads(output) for output in answer["outputs"]]


def _fields(a: dict[str, Any], b: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields that differ, output by output."""
    if "error" in a or "error" in b:
        return []
    ours, theirs = _shown(a), _shown(b)
    found: list[dict[str, Any]] = []
    for index in range(max(len(ours), len(theirs))):
        left = _flat(ours[index]) if index < len(ours) else {}
        right = _flat(theirs[index]) if index < len(theirs) else {}
        found += [
            {"output": index, "field": name, "values": [left.get(name), right.get(name)]}
            for name in {**left, **right}
            if left.get(name) != right.get(name)
        ]
    return found


def _flat(output: dict[str, Any]) -> dict[str, Any]:
    return {"type": output["type"], **output["data"]}
