# SPDX-License-Identifier: Apache-2.0
"""Positions for WebSocket sessions: as they stand, and again when something moves one.

A gateway keeps no positions. When an output may have moved some, it asks a replica that has applied
that output, at most once in PAUSE_S for each account, and tells what is different.
"""

import asyncio
from collections.abc import Iterable

import msgspec

from tradewind.gateway.errors import RefusedRequest
from tradewind.gateway.market_data import Viewer
from tradewind.gateway.queries import Queries

PAUSE_S = 0.05

_encode = msgspec.json.Encoder().encode


class PositionFeed:
    """Who sees which accounts' positions, and what they were told last."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._viewers: dict[str, set[Viewer]] = {}
        self._told: dict[str, dict[str, bytes]] = {}
        self._due: dict[str, int] = {}
        self._is_due = asyncio.Event()

    def watch(self, viewer: Viewer, accounts: Iterable[str]) -> None:
        """From now on `viewer` sees these accounts' positions, all of them at first."""
        self.leave(viewer)
        for account in accounts:
            self._viewers.setdefault(account, set()).add(viewer)
            self._told.pop(account, None)
            self.moved(account, 0)

    def leave(self, viewer: Viewer) -> None:
        """`viewer` sees nothing more."""
        for account, viewers in list(self._viewers.items()):
            viewers.discard(viewer)
            if not viewers:
                del self._viewers[account]
                self._told.pop(account, None)

    def moved(self, account: str, ordinal: int) -> None:
        """The output of that ordinal may have moved positions of the account."""
        if account in self._viewers:
            self._due[account] = max(ordinal, self._due.get(account, 0))
            self._is_due.set()

    async def run(self) -> None:
        """Tells what has moved, for ever."""
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            due, self._due = self._due, {}
            await asyncio.gather(*(self._tell(*each) for each in due.items()))
            await asyncio.sleep(PAUSE_S)

    async def _tell(self, account: str, ordinal: int) -> None:
        told = self._told.setdefault(account, {})
        try:
            found = await self._queries.positions_now(account)
        except RefusedRequest:
            self.moved(account, ordinal)  # nobody answers: asked again
            return
        if found.ordinal < ordinal:
            self.moved(account, ordinal)  # a replica that is behind
            return
        for row in found.positions:
            name, shown = f"position {account} {row['symbol']}", _encode(row)
            if told.get(name) == shown:
                continue
            told[name] = shown
            frame = b'{"type":"position","shard":%d,"ordinal":%d,"position":%b}' % (
                found.shard,
                found.ordinal,
                shown,
            )
            for viewer in self._viewers.get(account, ()):
                viewer.show(name, frame)
