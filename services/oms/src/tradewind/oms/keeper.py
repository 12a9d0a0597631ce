# SPDX-License-Identifier: Apache-2.0
"""Takes snapshots, in a forked child, so that the replica itself only pauses for the fork.

A standby takes them in preference to the leader. A snapshot is stored once its outputs are in
EVENTS, so that whoever finds it can begin there; the newest few are kept.
"""

import asyncio
import gc
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from tradewind.common import snapshots
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus
from tradewind.common.snapshots import Meta, SnapshotStore
from tradewind.oms.replica import Replica

log = logging.getLogger(__name__)

LOOK_INTERVAL_S = 0.5
APPENDED_WITHIN_S = 10.0
NICENESS = 10
PIECE_BYTES = 128 * 1024
LEADER_FACTOR = 2
RANK_SHARE = 8
"""A replica of rank r waits for r/8 of the interval more, so that not all take one at once."""


class SnapshotKeeper:
    """Keeps a shard's snapshots up to date. `stall_ms` is what the last fork cost the replica."""

    def __init__(
        self,
        bus: Bus,
        replica: Replica,
        *,
        every: int,
        rank: int,
        instance: str,
        folder: Path,
        is_leading: Callable[[], bool],
    ) -> None:
        self._store = SnapshotStore(bus, replica.shard)
        self._replica = replica
        self._every = every
        self._rank = rank
        self._instance = instance
        self._folder = folder
        self._is_leading = is_leading
        self._reaping: list[asyncio.Future[tuple[int, int]]] = []
        self.newest_seq = 0
        self.taken = 0
        self.stall_ms = 0.0

    async def run(self) -> None:
        """Takes a snapshot whenever one is due; runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            if not self._is_due():
                continue
            try:
                await self._look()
                if self._is_due():
                    await self._take()
            except (BusError, OSError) as error:
                log.warning("no snapshot of shard %d was stored: %s", self._replica.shard, error)

    def keep_for_diff(self) -> None:
        """Writes the state as it is at a reported divergence, once, into the work folder."""
        replica = self._replica
        name = f"divergence-{replica.shard}-{replica.seq}-{self._instance}.snapshot"
        path = self._folder / name
        if not path.exists():
            log.error("the state at entry %d is kept in %s", replica.seq, path)
            child = self._fork(path)
            self._reaping.append(asyncio.ensure_future(asyncio.to_thread(os.waitpid, child, 0)))

    def _is_due(self) -> bool:
        if self._replica.is_behind or self._replica.is_shadow:
            return False
        factor = LEADER_FACTOR if self._is_leading() else 1
        wait = self._every * factor + self._every * self._rank // RANK_SHARE
        return self._replica.seq - self.newest_seq >= wait

    async def _look(self) -> None:
        found = await self._store.newest_first()
        self.newest_seq = found[0].meta.seq if found else 0

    async def _take(self) -> None:
        replica = self._replica
        path = self._folder / f"snapshot-{self._instance}.part"
        seq, ordinal = replica.seq, replica.ordinal
        child = self._fork(path)
        _pid, status = await asyncio.to_thread(os.waitpid, child, 0)
        if status != 0:
            raise OSError(f"the child that wrote {path} ended with {status}")
        try:
            if not await self._appended(ordinal):
                log.warning("the outputs of entry %d are not in EVENTS: snapshot dropped", seq)
                return
            with path.open("rb") as file:
                meta = snapshots.decode_meta(file.readline())
            await self._store.put(meta, _pieces(path))
            self._stored(meta)
            await self._store.retire()
        finally:
            path.unlink()

    def _stored(self, meta: Meta) -> None:
        self.newest_seq = meta.seq
        self.taken += 1
        log.info(
            "snapshot of shard %d at entry %d: %d orders, the fork took %.1f ms",
            meta.shard,
            meta.seq,
            meta.orders,
            self.stall_ms,
        )

    async def _appended(self, ordinal: int) -> bool:
        deadline_s = asyncio.get_running_loop().time() + APPENDED_WITHIN_S
        while self._replica.confirmed < ordinal:
            if asyncio.get_running_loop().time() > deadline_s:
                return False
            await asyncio.sleep(LOOK_INTERVAL_S / 10)
        return True

    def _fork(self, path: Path) -> int:
        started_s = time.perf_counter()
        child = os.fork()
        if child == 0:
            self._write_and_exit(path)
        self.stall_ms = (time.perf_counter() - started_s) * 1000
        return child

    def _write_and_exit(self, path: Path) -> NoReturn:
        """In the child: nothing of the parent's may be used or cleaned up, only the state read."""
        status = 1
        try:
            gc.disable()
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            os.nice(NICENESS)
            replica = self._replica
            content = snapshots.encode(
                replica.machine, chain=replica.chain, build=replica.build, instance=self._instance
            )
            path.write_bytes(content)
            status = 0
        except BaseException as error:
            os.write(2, f"no snapshot was written: {error!r}\n".encode())
        finally:
            os._exit(status)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
