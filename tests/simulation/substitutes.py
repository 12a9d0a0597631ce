# SPDX-License-Identifier: Apache-2.0
"""The few things of the services that cannot be in a simulation, and what stands for them."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Self
from unittest.mock import patch

from tests.simulation.bus import SimBus
from tests.simulation.process import Process
from tests.simulation.suite import Suite
from tradewind.common import snapshots, streams
from tradewind.common.bus_clock import BusClock
from tradewind.oms import app as oms
from tradewind.oms import replica as oms_replica
from tradewind.oms.keeper import SnapshotKeeper
from tradewind.venue import session as venue_session
from tradewind.venue.traces import Traces

CHECKPOINT_EVERY = 10


class SimKeeper(SnapshotKeeper):
    """Takes snapshots without a fork: a child would leave the simulation."""

    def __init__(self, processes: Mapping[str, Process], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        process = processes[self._instance]
        process.holds = self._replica
        self._world = process.world
        if self._replica.seq:
            self._world.saw("begun at a snapshot")

    async def _take(self) -> None:
        replica = self._replica
        seq, ordinal = replica.seq, replica.ordinal
        content = snapshots.encode(
            replica.machine, chain=replica.chain, build=replica.build, instance=self._instance
        )
        if not await self._appended(ordinal):
            return
        meta = snapshots.decode_meta(content)
        await self._store.put(meta, [content])
        self.newest_seq = seq
        self._world.saw("snapshot stored")
        await self._store.retire()

    def keep_for_diff(self) -> None:
        """A divergence has been reported: nothing here may ever cause one."""
        self._world.broken(f"{self._instance} is told that replicas differ")


class _NoHeartbeat:
    def __init__(self, *_args: Any) -> None:
        """Takes what a heartbeat takes."""

    async def run(self, *_args: Any) -> None:
        await asyncio.Event().wait()


class Substituted(ExitStack):
    """The services with the world's bus, clocks and chance instead of the real ones."""

    def __init__(self, suite: Suite) -> None:
        super().__init__()
        self._suite = suite

    def __enter__(self) -> Self:
        super().__enter__()
        world = self._suite.world
        processes = {process.name: process for process in self._suite.replicas}

        class Bus:
            @staticmethod
            async def connect(_settings: Any, *, name: str) -> SimBus:
                return processes[name].connect()

        async def verified(*_args: Any) -> None:
            """The streams are what they should be."""

        ids = iter(range(10**9))
        for target, name, value in (
            (oms, "Bus", Bus),
            (oms, "build_id", lambda _packages: "BUILD"),
            (oms, "SnapshotKeeper", partial(SimKeeper, processes)),
            (oms, "Heartbeat", _NoHeartbeat),
            (streams, "verify", verified),
            (oms_replica, "CHECKPOINT_EVERY", CHECKPOINT_EVERY),
            (venue_session, "random", world.rng),
            (
                venue_session,
                "BusClock",
                partial(BusClock, monotonic_ns=world.now_ns, wall_ns=world.now_ns),
            ),
            (venue_session, "Traces", partial(Traces, clock_ns=world.now_ns)),
        ):
            self.enter_context(patch.object(target, name, value))
        self.enter_context(
            patch("tradewind.common.jetstream.objects.secrets.token_hex", lambda _n: str(next(ids)))
        )
        self.enter_context(patch("time.time_ns", world.now_ns))
        self.enter_context(patch("time.monotonic", lambda: world.now_s))
        return self
