# SPDX-License-Identifier: Apache-2.0
"""Starts the clients, each a process of its own, and waits for their histories."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import msgspec

from tradewind.cli.chaos.client_process import Told
from tradewind.cli.chaos.report import TIGHT
from tradewind.cli.suite.facts import OPERATOR_KEY, Facts, SuiteError
from tradewind.common import subjects
from tradewind.common.init_job.defaults import BENCH_ACCOUNTS, INSTRUMENTS

CLIENTS = 2
END_S = 120.0
SLOW = 3
"""Not every request is a new order, and a busy machine is late: what is left to send takes longer
than it should by this factor at most."""
STUCK_S = 5.0
BEGUN_S = 60.0
LOOK_AGAIN_S = 0.05
WORDS_MAX = 2_000


class Load:
    """Client processes of one run."""

    def __init__(self, facts: Facts, folder: Path, *, rate: float, orders: int, seed: int) -> None:
        self._facts = facts
        self._folder = folder
        self._rate = rate
        self._orders = orders
        self._seed = seed
        self._processes: list[asyncio.subprocess.Process] = []

    @property
    def histories(self) -> dict[str, Path]:
        """Where each client writes."""
        return {f"c{n}": self._folder / f"client-{n}.jsonl" for n in range(CLIENTS)}

    async def start(self) -> None:
        """Starts all clients, and returns once each has begun.

        Raises:
            SuiteError: CLIENT_FAILED.
        """
        for number, (name, history) in enumerate(self.histories.items()):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tradewind.cli.chaos.client_process",
                stdin=asyncio.subprocess.PIPE,
                stderr=(self._folder / f"client-{number}.log").open("wb"),
                start_new_session=True,
            )
            self._processes.append(process)
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(self._told(number, name, history)))
            process.stdin.close()
        deadline_s = time.monotonic() + BEGUN_S
        while not all(map(_has_content, self.histories.values())):
            has_ended = any(process.returncode is not None for process in self._processes)
            if has_ended or time.monotonic() > deadline_s:
                raise SuiteError(self._last_words(), code="CLIENT_FAILED")
            await asyncio.sleep(LOOK_AGAIN_S)

    def look_out(self) -> None:
        """Has all clients look closely: something was broken just now."""
        self._signal(signal.SIGUSR1)

    async def end(self, *, is_stuck: bool) -> None:
        """Has the clients send what is left of their orders and finish what they asked, and waits.

        Not long for what is stuck.

        Raises:
            SuiteError: CLIENT_FAILED.
        """
        self._signal(signal.SIGTERM)
        codes = []
        patience_s = STUCK_S if is_stuck else END_S + SLOW * self._orders / self._rate
        try:
            async with asyncio.timeout(patience_s):
                codes = [await process.wait() for process in self._processes]
        except TimeoutError as error:
            if not is_stuck:
                text = f"clients did not end within {patience_s:.0f} s"
                raise SuiteError(text, code="CLIENT_FAILED") from error
        finally:
            self.kill()
        if any(codes):
            raise SuiteError(self._last_words(), code="CLIENT_FAILED")

    def kill(self) -> None:
        """Ends clients that are still there, whatever they are doing."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()

    def _last_words(self) -> str:
        """What went wrong, as the clients told it: their folder goes with the run."""
        logs = [path.read_text() for path in sorted(self._folder.glob("client-*.log"))]
        codes = [process.returncode for process in self._processes]
        return f"a client failed (exit codes {codes}): {''.join(logs)[-WORDS_MAX:]}"

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.send_signal(number)

    def _told(self, number: int, name: str, history: Path) -> Told:
        instrument = INSTRUMENTS[0]
        urls = [self._facts.gateway_url] if self._facts.edge_port else self._facts.gateway_urls
        first = number % len(urls)
        return Told(
            name=name,
            gateways=[*urls[first:], *urls[:first]],
            key_id=OPERATOR_KEY,
            secret=self._facts.secret(f"key.{OPERATOR_KEY}"),
            accounts=list(BENCH_ACCOUNTS[number::CLIENTS]),
            symbol=instrument.symbol,
            tick_size=instrument.tick_size,
            lot_size=instrument.lot_size,
            feed_url=f"{self._facts.venue_url.replace('http', 'ws', 1)}/feed",
            rate=self._rate / CLIENTS,
            orders=-(-self._orders // CLIENTS),
            seed=self._seed * CLIENTS + number,
            history=str(history),
            lookouts=self._lookouts(),
        )

    def _lookouts(self) -> list[str]:
        """An account of each shard, of those whose limits the load does not reach."""
        free = [account for account in BENCH_ACCOUNTS if account not in TIGHT]
        by_shard = {subjects.shard_of(account, self._facts.shards): account for account in free}
        return [by_shard[shard] for shard in sorted(by_shard)]


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
