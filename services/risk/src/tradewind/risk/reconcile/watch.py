# SPDX-License-Identifier: Apache-2.0
"""Reconciliation at work (C35): looks several times a second, raises alerts, sets trading states.

Ages count the time in which both sides could be seen: while the drop copy is away, or a shard's
outputs do not come, nothing that differs grows older. It is never traded away.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from tradewind.common.alerts import Alert
from tradewind.common.grid import Grid
from tradewind.common.jetstream import Record
from tradewind.core.commands import Command
from tradewind.core.events import Event, InstrumentDefined, OrderReport, TradingStateSet
from tradewind.risk.reconcile.breaker import Breaker
from tradewind.risk.reconcile.grades import Difference, Grade, Kind, Standing, Standings
from tradewind.risk.reconcile.matching import Matching
from tradewind.risk.reconcile.peers import Peers
from tradewind.risk.reconcile.session import DropCopy
from tradewind.risk.reconcile.settings import DropCopySettings

FIRST_LOGON_S = 1.0
LOOK_MS = 100
LOOKS_COUNT_MS = 2 * LOOK_MS
"""A process that was stopped has not watched meanwhile."""
OUTPUTS_WITHIN_MS = 3_000
"""An idle shard has an output each second: its time."""
CONTROL = "C35"
LISTED = 1_000
NO_NAME = re.compile(r"[^A-Za-z0-9_=-]")

Journal = Callable[[int, Command], Awaitable[bool]]
Raise = Callable[[Alert], None]


class Watch:
    """One process's eye on one venue."""

    def __init__(
        self,
        settings: DropCopySettings,
        venue: str,
        tails: Mapping[int, int],
        peers: Peers,
        *,
        owner: str,
    ) -> None:
        """`tails` are the last outputs of each shard before the first logon."""
        self.venue = venue
        self._tails = tails
        self._peers = peers
        self._owner = owner
        self._grids: dict[str, Grid] = {}
        self._matching = Matching(venue)
        self._copy = DropCopy(settings, self._matching, self._grids, _now_ms)
        self._standings = Standings(settings.patience)
        self._absences = Standings(settings.patience)
        self._breaker = Breaker(venue, len(tails))
        self._heard_ms: dict[int, int] = {}
        self._has_caught_up = asyncio.Event()
        self._bus_ns = 0
        self._watched_ms = 0
        self._looked_ms = _now_ms()
        self._alerted: set[str] = set()
        self.standing: list[Standing] = []

    def define(self, symbol: str, venue: str, tick_size: str, lot_size: str) -> None:
        """An instrument that is traded, there or elsewhere."""
        if venue == self.venue:
            self._grids[symbol] = Grid(Decimal(tick_size), Decimal(lot_size))
            self._matching.symbols.add(symbol)

    def take(self, shard: int, record: Record, event: Event) -> None:
        """An output, in its order, from the shard's first on."""
        is_new = record.seq > self._tails[shard]
        if is_new:
            self._heard_ms[shard] = _now_ms()
            self._bus_ns = max(self._bus_ns, record.ts_ns)
            if len(self._heard_ms) == len(self._tails):
                self._has_caught_up.set()
        match event:
            case OrderReport():
                is_copied = is_new and self._copy.is_copying
                self._matching.take(event, self._copy.question, is_copied=is_copied)
            case TradingStateSet():
                self._breaker.hear(shard, event)
            case InstrumentDefined():
                self.define(event.symbol, event.venue, event.tick_size, event.lot_size)

    async def listen(self) -> NoReturn:
        """Has the drop copy, for ever, from when all is known that was booked before."""
        await self._has_caught_up.wait()
        await self._copy.run()

    async def act(self, journal: Journal, raise_alert: Raise) -> None:
        """Compares, and does what follows, for ever."""
        await self._has_caught_up.wait()
        await asyncio.sleep(FIRST_LOGON_S)
        while True:
            await asyncio.sleep(LOOK_MS / 1000)
            absent = self._look()
            for alert in self._new_alerts([*self.standing, *absent]):
                raise_alert(alert)
            acting = [] if self._peers.see(_now_ms()) else absent
            orders = self._breaker.look([*self.standing, *acting], _now_ms())
            await asyncio.gather(*(journal(order.shard, order.command) for order in orders))

    def facts(self) -> dict[str, Any]:
        """What the heartbeat tells."""
        return {
            "drop_copy": "up" if self._copy.is_up else "away",
            "is_watching": self._is_watching(),
            "differences": sum(each.grade > Grade.NONE for each in self.standing),
        }

    def answer(self) -> dict[str, Any]:
        """Both sides in lots, and what differs: with its age in ms, and what follows from it."""
        matching = self._matching
        names = sorted(matching.at_venue.keys() | matching.booked.keys())
        return {
            "venue": self.venue,
            "drop_copy": "up" if self._copy.is_up else "away",
            "is_watching": self._is_watching(),
            "positions": [
                {
                    "symbol": symbol,
                    "venue_qty": qty,
                    "settled_qty": matching.position(symbol),
                    "booked_qty": matching.booked_qty[symbol],
                }
                for symbol, qty in sorted(matching.stated_qty.items())
            ],
            "orders": [self._order(name) for name in names[:LISTED]],
            "order_count": len(names),
            "differences": [self._plain(each) for each in self.standing[:LISTED]],
        }

    def _order(self, name: str) -> dict[str, Any]:
        told, booked = self._matching.at_venue.get(name), self._matching.booked.get(name)
        return {
            "order_id": name,
            "session": told.session if told else None,
            "account": booked.account if booked else None,
            "symbol": told.symbol if told else booked.symbol if booked else None,
            "venue_qty": told.order_qty if told else 0,
            "venue_leaves_qty": told.leaves_qty if told else 0,
            "booked_qty": booked.qty if booked else 0,
            "is_in_doubt": bool(booked and not booked.is_sure),
        }

    def _plain(self, standing: Standing) -> dict[str, Any]:
        difference = standing.difference
        return {
            "kind": difference.kind,
            "name": difference.name,
            "scope": self._breaker.scope_of(standing),
            "venue": difference.venue,
            "booked": difference.booked,
            "age_ms": standing.age_ms,
            "grade": standing.grade.name,
            "is_judged": difference.subject in self._breaker.judged,
            "text": difference.text,
        }

    def _look(self) -> list[Standing]:
        """Has time pass for what differs, if it can be seen; what is said of the drop copy."""
        now_ms = _now_ms()
        if self._is_watching():
            self._watched_ms += min(now_ms - self._looked_ms, LOOKS_COUNT_MS)
            self.standing = self._standings.look(self._matching.differences(), self._watched_ms)
        self._looked_ms = now_ms
        return self._absences.look(self._absence(), now_ms)

    def _absence(self) -> Iterable[Difference]:
        if not self._copy.is_up:
            text = f"the drop copy of {self.venue} is away, or does not answer"
            yield Difference(
                kind=Kind.AWAY, name=self.venue, symbol="", venue=0, booked=0, text=text
            )

    def _is_watching(self) -> bool:
        since_ms = _now_ms() - OUTPUTS_WITHIN_MS
        return (
            self._copy.is_up
            and self._matching.is_complete
            and all(self._heard_ms.get(shard, since_ms) > since_ms for shard in self._tails)
        )

    def _new_alerts(self, standing: Iterable[Standing]) -> Iterator[Alert]:
        """One while it is open for all that differs in the same way in the same scope."""
        found = [each for each in standing if each.grade >= Grade.ALERT]
        before, self._alerted = self._alerted, {each.difference.subject for each in found}
        for each in found:
            kind, scope = each.difference.kind, self._breaker.scope_of(each)
            if each.difference.subject not in before:
                yield Alert(
                    alert_id=NO_NAME.sub("_", f"{CONTROL}-{kind}-{scope}"),
                    control=CONTROL,
                    scope=scope,
                    text=each.difference.text,
                    owner=self._owner,
                    raised_ns=self._bus_ns,
                )


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
