# SPDX-License-Identifier: Apache-2.0
"""Reconciliation with real nodes, connectors, risk, and a venue that does not tell everybody.

The connector asks for positions only when it begins: what it was not told it does not find out.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.simvenue.venue_process import COPY_KEY, VenueProcess, client, venue_process
from tests.integration.venue.desk import Desk, buy, open_desk, sell
from tradewind.common import alerts, subjects
from tradewind.common.errors import Refused
from tradewind.common.jetstream import KeyValue
from tradewind.common.testing import eventually
from tradewind.core.commands import DefineInstrument, SetTradingState
from tradewind.core.events import TimeAdvanced, TradingStateSet
from tradewind.core.types import ExecType, TradingState

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

SYMBOL, VENUE = "symbol:BTC-USD", "venue:SIM"
GRID = DefineInstrument(
    symbol="BTC-USD", venue="SIM", tick_size="0.01", lot_size="0.00000001", currency="USD"
)
ALERT_MS, REDUCING_MS, HALTED_MS, AWAY_MS = 300, 900, 1_800, 1_500
PATIENCE = {
    "TRADEWIND_RECONCILE_ALERT_MS": str(ALERT_MS),
    "TRADEWIND_RECONCILE_REDUCING_MS": str(REDUCING_MS),
    "TRADEWIND_RECONCILE_HALTED_MS": str(HALTED_MS),
    "TRADEWIND_RECONCILE_AWAY_MS": str(AWAY_MS),
}
NS_PER_MS = 1_000_000


class Watched:
    """The desk, and processes of risk beside it."""

    def __init__(self, desk: Desk, venue: VenueProcess) -> None:
        self.desk = desk
        self.venue = venue

    def start_risk(self, rank: int, **more: str) -> subprocess.Popen[bytes]:
        told = {"TRADEWIND_VENUE": "SIM", "TRADEWIND_RANK": str(rank), **PATIENCE, **more}
        return self.desk.start("risk", f"risk-{rank}", **told)

    def start_watching(self, rank: int) -> None:
        copy = {
            "TRADEWIND_DROP_COPY_URL": self.venue.fix,
            "TRADEWIND_DROP_COPY_PEER": "SIMVENUE",
            "TRADEWIND_DROP_COPY_KEY": COPY_KEY,
        }
        self.start_risk(rank, **copy)

    async def found(self) -> dict[str, Any]:
        """What risk answers when it is asked."""
        raw = await self.desk.bus.request(subjects.query_risk("reconcile"), b"{}")
        return json.loads(raw)["reconciliation"]  # type: ignore[no-any-return]

    async def until_watching(self, rank: int) -> None:
        key = subjects.status_key("risk", f"risk-{rank}")

        async def is_up() -> bool:
            entry = await KeyValue(self.desk.bus, "STATUS").get(key)
            return entry is not None and bool(json.loads(entry.value).get("is_watching"))

        await eventually(is_up, 30.0, what=f"risk-{rank} watches")

    def states(self, scope: str) -> list[tuple[str, str]]:
        """What was set in a scope: state, and what for."""
        return [
            (event.state.name, event.reason.partition(" ")[0].partition(",")[0])
            for event in self.desk.events
            if isinstance(event, TradingStateSet) and event.scope == scope
        ]

    async def until_set(self, scope: str, *wanted: tuple[str, str]) -> None:
        await eventually(lambda: set(wanted) <= set(self.states(scope)), 30.0, what=str(wanted))

    async def until_alerted(self, kind: str, scope: str) -> None:
        key = alerts.key_of(f"C35-{kind}-{scope.replace(':', '_')}")

        async def is_there() -> bool:
            return await KeyValue(self.desk.bus, alerts.BUCKET).get(key) is not None

        await eventually(is_there, 30.0, what=key)

    async def resume(self, scope: str) -> None:
        """Not before the other process's entry has come, too."""
        await self.let_pass(1)
        active = TradingState.ACTIVE
        await self.desk.put(SetTradingState(scope=scope, state=active, actor="kim", reason="seen"))
        await eventually(lambda: self.states(scope)[-1][0] == "ACTIVE", 30.0, what="ACTIVE")

    async def let_pass(self, seconds: int) -> None:
        """The shard tells its time once a second."""

        def told() -> int:
            return sum(isinstance(event, TimeAdvanced) for event in self.desk.events)

        until = told() + seconds
        await eventually(lambda: told() >= until, 30.0)

    async def miss_a_fill(self, name: str) -> None:
        """Two orders trade, and the connector is told of one of the fills."""
        await self.desk.put(buy(f"{name}-buy"))
        await self.desk.until_told(f"{name}-buy", ExecType.NEW)
        await self.venue.administer(op="fault", kind="drop_fill", count=1)
        await self.desk.put(sell(f"{name}-sell"))
        await eventually(lambda: len(self._fills(name)) == 1, 30.0, what=f"a fill of {name}")

    def _fills(self, name: str) -> list[str]:
        trades = self.desk.reports(ExecType.TRADE)
        return [each.cl_ord_id for each in trades if each.cl_ord_id.startswith(name)]


async def test_what_the_connector_was_not_told_is_found_by_the_drop_copy(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (desk, venue):
        await desk.put(GRID)
        desk.start_connector(venue, "venue-0", TRADEWIND_VENUE_POSITION_EVERY_MS="600000")
        await desk.until_session(1)
        watched = Watched(desk, venue)
        await _nobody_looks(watched)
        await _a_fill_missed_before(watched)
        await _a_fill_missed_meanwhile(watched)
        await _an_order_of_a_stranger(watched)
        await _no_drop_copy(watched)
        async with venue_process(tmp_path / "sim", port=venue.port, fix_port=venue.fix_port):
            await _all_is_found_again(watched)


async def _nobody_looks(watched: Watched) -> None:
    """The negative control: without a drop copy nothing follows from a fill that was missed."""
    blind = watched.start_risk(0)

    async def answers_that_it_does_not_look() -> bool:
        try:
            return await watched.found() is None
        except Refused:
            return False

    await eventually(answers_that_it_does_not_look, 30.0)
    await watched.miss_a_fill("a")
    await watched.let_pass(HALTED_MS // 1000 + 2)
    assert watched.states(SYMBOL) == []
    blind.kill()
    blind.wait()


async def _a_fill_missed_before(watched: Watched) -> None:
    """The position differs; of the order that works at one side only, too."""
    for rank in (0, 1):
        watched.start_watching(rank)
    await watched.until_set(SYMBOL, ("HALTED", "position:BTC-USD"))
    await watched.until_alerted("position", SYMBOL)
    states = [state for state, _why in watched.states(SYMBOL)]
    assert states.index("REDUCING") < states.index("HALTED")
    for rank in (0, 1):
        await watched.until_watching(rank)
    await watched.resume(SYMBOL)


async def _a_fill_missed_meanwhile(watched: Watched) -> None:
    """What people have judged does not halt again; another execution that nobody booked does."""
    count = len(watched.states(SYMBOL))
    await watched.miss_a_fill("b")
    await watched.until_alerted("execution", SYMBOL)

    def halted() -> list[str]:
        found = watched.states(SYMBOL)[count:]
        return [why for state, why in found if state == "HALTED" and why.startswith("execution")]

    await eventually(halted, 30.0)
    assert {state for state, _why in watched.states(SYMBOL)[count:]} == {"REDUCING", "HALTED"}
    assert "position:BTC-USD" not in {why for _state, why in watched.states(SYMBOL)[count:]}

    async def execution() -> dict[str, Any] | None:
        """As either process has it: the other one is a little more patient."""
        found = (await watched.found())["differences"]
        halting = (each for each in found if each["grade"] == "HALTED")
        return next((each for each in halting if each["kind"] == "execution"), None)

    shown = await eventually(execution, 30.0)
    assert (abs(shown["venue"]), shown["booked"]) == (10, 0)
    assert shown["age_ms"] >= HALTED_MS
    await watched.resume(SYMBOL)


async def _an_order_of_a_stranger(watched: Watched) -> None:
    """It came by a session that no connector has, so no connector is told of it."""
    count = len(watched.states(SYMBOL))
    async with client(watched.venue) as stranger:
        await stranger.log_on("STRANGER")
        await stranger.order("theirs", price=50)
        await watched.until_set(SYMBOL, ("REDUCING", "order:theirs"))
        await watched.until_alerted("order", SYMBOL)
        orders = (await watched.found())["orders"]
        assert ("theirs", "STRANGER", 10, 0) in {
            (each["order_id"], each["session"], each["venue_qty"], each["booked_qty"])
            for each in orders
        }
        await watched.let_pass(HALTED_MS // 1000 + 1)
        assert {state for state, _why in watched.states(SYMBOL)[count:]} == {"REDUCING"}
        await stranger.say(op="cancel", cl_id="theirs", request_id="c")
    await watched.resume(SYMBOL)


async def _no_drop_copy(watched: Watched) -> None:
    """One of two may be without; when nobody has one any more, nothing but less risk is taken."""
    await watched.venue.administer(op="cut", session="COPY-risk-0")
    await watched.until_alerted("drop-copy", VENUE)
    await watched.until_watching(0)
    assert watched.states(VENUE) == []
    await watched.venue.kill()
    await watched.until_set(VENUE, ("REDUCING", "drop-copy:SIM"))


async def _all_is_found_again(watched: Watched) -> None:
    """A connector that begins anew finds what it was not told: then nothing differs."""
    count = len(watched.states(SYMBOL))
    for rank in (0, 1):
        await watched.until_watching(rank)

    async def agrees() -> bool:
        found = await watched.found()
        is_same = all(each["venue_qty"] == each["booked_qty"] for each in found["positions"])
        return bool(found["is_watching"]) and is_same and not found["differences"]

    await eventually(agrees, 30.0, what="both sides agree")
    assert watched.states(SYMBOL)[count:] == []
