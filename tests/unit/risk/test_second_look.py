# SPDX-License-Identifier: Apache-2.0
"""The second look objects to nothing that a sound core accepts, and to what an unsound one does."""

import ast
import os
import time
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.golden import make
from tests.unit.core.test_limits import governed
from tests.unit.risk.looks import looked, said
from tests.unit.risk.random_days import day
from tradewind.common.codec import decode_command
from tradewind.core import (
    commands,
    logic,
)
from tradewind.core.bounds import REQUIRED, Bounds
from tradewind.core.commands import Entry
from tradewind.core.control import CORE, Standing
from tradewind.core.controls import CONTROLS
from tradewind.core.events import EVENTS, LogicSet, OrderReport, ScopeLimitsSet, VenueRequest
from tradewind.core.machine import StateMachine
from tradewind.core.state import State
from tradewind.core.testing import ACCOUNT, LIMITS, MILLISECOND_NS, SYMBOL, Desk
from tradewind.core.types import ExecType, Reason, Side
from tradewind.risk import (
    book,
    checks,
    contents,
    entered,
    extremes,
    families,
    family_checks,
    in_force,
    ledger,
    lines,
    measures,
    orders,
    recent,
    request_ids,
    scope_checks,
    scope_limits,
    second_look,
    today,
    window_checks,
)
from tradewind.risk.lines import Line
from tradewind.risk.scope_checks import PARENT_CHECKS, SCOPE_CHECKS
from tradewind.risk.second_look import SecondLook
from tradewind.risk.window_checks import WINDOW_CHECKS

DAYS = int(os.environ.get("TRADEWIND_LOOK_DAYS", "40"))
"""Longer by hand: TRADEWIND_LOOK_DAYS=5000, of some 30 accepted orders each."""


def test_on_random_days_it_objects_to_nothing_and_adds_up_what_the_core_does() -> None:
    checked, outputs, spent_ns, met = 0, 0, 0, set()
    for seed in range(DAYS):
        desk = day(seed)
        began_ns = time.process_time_ns()
        look = looked(desk.outputs)
        spent_ns += time.process_time_ns() - began_ns
        assert (look.breaches, look.undecided) == ([], {})
        checked, outputs = checked + look.checked, outputs + len(desk.outputs)
        met |= {event.reason for event in desk.outputs if isinstance(event, OrderReport)}
        assert_same_sums(look._ledger, desk.machine.state)
    cost = f"{spent_ns // checked} ns of CPU for each, {spent_ns // outputs} for each output"
    print(f"{checked} accepted orders on {DAYS} days, {cost}")
    assert checked > 25 * DAYS
    assert met >= MET


MET = {
    *(Reason.MAX_OPEN_ORDERS, Reason.MAX_OPEN_VALUE, Reason.MAX_POSITION, Reason.MAX_EXPOSURE),
    *(Reason.CREDIT_EXCEEDED, Reason.MAX_TURNOVER, Reason.REDUCE_ONLY, Reason.KILLED),
    *(Reason.BUILD_NOT_APPROVED, Reason.PRICE_MOVED, Reason.MARKET_UNSTABLE),
    *(Reason.DUPLICATE_CL_ORD_ID, Reason.CL_ORD_ID_REUSED, Reason.DUPLICATE_CONTENT),
    *(Reason.MESSAGE_RATE, Reason.MESSAGE_FLOOD, Reason.REPEATED_EXECUTION, Reason.SELF_MATCH),
    *(Reason.UNKNOWN_PARENT, Reason.PARENT_NOT_WORKING, Reason.PARENT_MISMATCH),
    *(Reason.PARENT_EXCEEDED, Reason.TOO_MANY_CHILDREN, Reason.PARENT_VALUE),
    *(Reason.ORDER_TO_TRADE_RATIO, Reason.NOT_IN_THIS_SESSION, Reason.VENUE_CLOSED),
    *(Reason.VENUE_HALTED, Reason.TOO_LATE),
}
"""Random days reach all of these."""


def assert_same_sums(kept: ledger.Ledger, state: State) -> None:
    """However each of them came by it."""
    for scope, of in state.tallies.scopes.items():
        assert kept.lines.orders.get(scope, 0) == state.tallies.sums[scope].orders
        for symbol, tally in of.items():
            line = kept.lines.scopes.get(scope, {}).get(symbol, Line())
            found = (line.qty, line.buys, line.sells, line.gross)
            assert found == (tally.qty, tally.buy_working, tally.sell_working, tally.gross)
    assert {key: paid.amount_e8 for key, paid in state.fees.items()} == kept.fees
    for scope, activity in state.activity.items():
        done = kept.today.of(scope)
        told = (done.messages, done.trades, done.turnover_e8)
        assert told == (activity.messages, activity.trades, activity.turnover_e8)
    parents = {order_id: order for order_id, order in state.orders.items() if order.is_parent}
    assert kept.families._of.keys() == parents.keys()
    for order_id, parent in parents.items():
        family = kept.families._of[order_id]
        assert family.working == parent.child_working
        assert family.traded == parent.cum_qty
        assert family.children == state.tallies.children.get(order_id, 0)


@pytest.mark.parametrize("name", make.NAMES)
def test_it_objects_to_nothing_in_a_golden_journal(name: str) -> None:
    machine, look = StateMachine(), SecondLook()
    for line in make.journal(name).read_text(encoding="utf-8").splitlines():
        seq, ts_ns, body = make.bodies(line)
        for event in machine.step(Entry(seq=seq, ts_ns=ts_ns, command=decode_command(body))):
            assert look.take(event) is None
    assert look.checked > 20


def accepted(**changes: Any) -> OrderReport:
    """An order just accepted, as it would look if the core had let through what it must not."""
    return replace(Desk.opened().submit(), **changes)


FORGED: list[tuple[dict[str, Any], str]] = [
    ({"order_qty": 101}, "C01 101 lots are more than the 100 allowed"),
    ({"price": 1_101}, "C03 price 1101 is outside the collar around 1000"),
    ({"price": 899}, "C03 price 899 is outside the collar around 1000"),
    ({"account": "STRANGER"}, "C19 accepted without limits of its account in the instrument"),
    ({"symbol": "ETH-USD"}, "C19 its instrument is unknown"),
    ({"client": ""}, "C20 client, strategy, algorithm or build is not named"),
    ({"stop_px": 1_000}, "C05 stop price 1000 of a LIMIT order"),
    ({"display_qty": -1}, "C05 -1 lots to display"),
    ({"expire_ns": 7}, "C30 expires at 7 as GTC"),
    ({"transact_time_ns": 2**61}, "C21 the reference price is"),
]


@pytest.mark.parametrize(("changes", "text"), FORGED, ids=[text for _changes, text in FORGED])
def test_an_order_that_the_core_should_have_denied_is_a_breach(
    changes: dict[str, Any], text: str
) -> None:
    look = looked(Desk.opened().outputs)
    breach = look.take(accepted(**changes))
    assert breach is not None
    assert breach.text.startswith(text)
    assert look.breaches == [breach]
    assert breach.account == changes.get("account", ACCOUNT)


@pytest.mark.parametrize("changes", [{"order_qty": 100}, {"price": 1_100}, {"price": 900}])
def test_an_order_right_at_its_limits_is_no_breach(changes: dict[str, Any]) -> None:
    assert looked(Desk.opened().outputs).take(accepted(**changes)) is None


def test_an_order_is_judged_by_what_was_in_force_when_it_was_accepted() -> None:
    desk = governed()
    desk.submit("wide", order_qty=90)
    desk.step(replace(LIMITS, max_order_qty=80, version=2))
    desk.submit("narrow", order_qty=80)
    look = looked(desk.outputs)
    assert (look.breaches, look.checked) == ([], 2)
    late = next(e for e in desk.outputs if isinstance(e, OrderReport) and e.order_qty == 90)
    breach = look.take(replace(late, order_id="later", cl_ord_id="later"))
    assert breach is not None
    assert breach.text.startswith("C01 90 lots are more than the 80 allowed")


@pytest.mark.parametrize(("wait_ms", "is_bound"), [(8, True), (9, False)])
def test_limits_that_expire_hold_to_their_last_nanosecond(wait_ms: int, is_bound: bool) -> None:
    desk = governed()
    until_ns = desk.now_ns + 10 * MILLISECOND_NS
    desk.step(
        commands.SetScopeLimits(
            scope="firm", version=2, actor="op", max_order_qty=1, expires_ns=until_ns
        )
    )
    desk.now_ns = until_ns - MILLISECOND_NS - (wait_ms == 8)
    forged = replace(accepted(order_qty=2), transact_time_ns=desk.now_ns + MILLISECOND_NS)
    look = looked(desk.outputs)
    look.take(forged)
    texts = [text for breach in look.breaches for text in breach.text.split("; ")]
    assert any("max_order_qty in firm" in text for text in texts) is is_bound


def test_a_replace_is_judged_by_the_terms_that_were_asked_for() -> None:
    desk = Desk.opened()
    desk.submit()
    taken = len(desk.outputs)
    desk.replace(qty=100)
    report, request = desk.outputs[taken:]
    assert isinstance(request, VenueRequest)
    for qty, texts in ((100, []), (101, ["C01 101 lots are more than the 100 allowed"])):
        forged = replace(request, order_qty=qty)
        assert list(said([*desk.outputs[:taken], report, forged])) == texts
    assert list(said([*desk.outputs[:taken], request])) == ["C05 replaced, and nobody accepted it"]


def test_what_is_sent_is_what_was_accepted() -> None:
    desk = Desk.opened()
    desk.submit()
    *before, request = desk.outputs
    assert isinstance(request, VenueRequest)
    twice = [*before, request, request]
    assert list(said(twice)) == ["C05 sent, and nobody accepted it"]
    other = [*before, replace(request, order_qty=11, side=Side.SELL)]
    assert list(said(other)) == ["C05 sent with another side, order_qty"]


def test_what_it_cannot_decide_it_counts() -> None:
    desk = Desk.opened()
    desk.submit()
    desk.replace()
    look = looked([*desk.outputs[:-4], *desk.outputs[-1:]])
    assert look.undecided == {"a replace of an order that it never saw": 1}
    newer = looked([LogicSet(flag="tomorrow", actor="op"), *desk.outputs])
    assert (newer.checked, newer.breaches) == (0, [])
    assert newer.undecided == {"logic flag tomorrow": 2}


def test_a_child_of_a_parent_that_it_never_saw_is_judged_as_any_order() -> None:
    look = looked(Desk.opened().outputs)
    assert look.take(accepted(parent_order_id="gone")) is None
    assert (look.checked, look.undecided) == (1, {"a child of a parent that it never saw": 1})


def test_messages_are_counted_only_by_one_who_heard_them_all() -> None:
    desk = governed(max_messages=1, message_window_ms=1_000)
    desk.submit("first")
    desk.submit("second")
    forged = accepted(cl_ord_id="third", order_id="third", transact_time_ns=desk.now_ns)
    assert "C08 3 in 1000 ms are more than the 1 of max_messages in firm, version 1" in said(
        [*desk.outputs, forged]
    )
    assert list(said([*desk.outputs[1:], forged])) == []


def test_an_id_that_was_only_asked_about_may_be_used() -> None:
    desk = Desk.opened()
    desk.step(commands.RequestStatus(account=ACCOUNT, cl_ord_id="c1", client="client"))
    failed = accepted(exec_type=ExecType.DENIED, reason=Reason.INTERNAL, symbol="", order_id="")
    assert list(said([*desk.outputs, failed, accepted()])) == []
    denied = replace(failed, symbol=SYMBOL)
    assert list(said([*desk.outputs, denied, accepted()])) == ["C06 request id c1 was used before"]


@pytest.mark.parametrize("is_removed", [False, True])
def test_an_instrument_counts_at_the_venue_that_it_is_at(is_removed: bool) -> None:
    desk = governed()
    desk.report(desk.submit("before").order_id, ExecType.CANCELED)
    if is_removed:
        desk.step(commands.RemoveInstrument(symbol=SYMBOL))
    defined = {"tick_size": "0.01", "lot_size": "0.001", "currency": "USD"}
    desk.step(commands.DefineInstrument(symbol=SYMBOL, venue="DEEP", **defined))
    desk.step(replace(LIMITS, version=9))
    desk.reference(1_000)
    desk.step(commands.ResetPosition(**RESET))
    desk.submit("after")
    look = looked(desk.outputs)
    assert (look.breaches, look.checked) == ([], 2)
    lots = {venue: look._ledger.lines.scopes[f"venue:{venue}"][SYMBOL].buys for venue in VENUES}
    assert lots == {"SIM": 0, "DEEP": 10}


RESET = {"account": ACCOUNT, "cl_ord_id": "z", "symbol": SYMBOL, "actor": "op", "reason": "drill"}
VENUES = ("SIM", "DEEP")


def test_it_forgets_what_the_core_forgets() -> None:
    desk = governed()
    parent = desk.submit("p", is_parent=True)
    order = desk.submit(parent_cl_ord_id="p").order_id
    desk.fill(order, 10)
    assert parent.order_id in looked(desk.outputs)._ledger.families._of
    desk.now_ns += 3_000 * MILLISECOND_NS
    desk.reference(1_000)
    desk.submit("other", side=Side.SELL, price=1_001)
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=desk.now_ns + 10**9))
    look = looked(desk.outputs)
    assert [order.side for order in look._ledger.orders.values()] == [Side.SELL]
    assert (look._ledger.families._of, look._ledger.today._of) == ({}, {})
    assert len(look._contents._of) == 1
    assert look._ledger.lines.parts[ACCOUNT, SYMBOL].qty == 10


def test_every_control_of_orders_is_decided_and_said_how_far() -> None:
    of_orders = {
        control.code
        for control in CONTROLS
        if control.standing is not Standing.OFF and CORE in control.where
    }
    assert set(checks.KNOWN) == of_orders | {"C34"}
    assert set(checks.IN_PART) < set(checks.KNOWN)


@pytest.mark.parametrize(
    "module",
    [
        *(book, checks, contents, entered, extremes, families, family_checks, in_force, ledger),
        *(lines, measures, orders, recent, request_ids, scope_checks, scope_limits),
        *(second_look, today, window_checks),
    ],
)
def test_it_shares_no_more_than_words_with_the_core(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    imported = {
        node.module + ("" if node.module != "tradewind.core" else f".{name.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }
    of_core = {name for name in imported if name.startswith("tradewind.core")}
    assert of_core <= {"tradewind.core.events", "tradewind.core.types"}


def test_nothing_that_the_core_knows_is_new_to_it() -> None:
    """Whoever adds a bound, a flag or an output says here what the second look makes of it."""
    assert in_force.UNDERSTOOD == logic.KNOWN
    assert set(REQUIRED) == checks.REQUIRED
    looked_at = {row[1] for row in (*SCOPE_CHECKS, *PARENT_CHECKS)} | {"approved_build"}
    looked_at |= {name for row in WINDOW_CHECKS for name in row[1:3]}
    assert {field.name for field in fields(Bounds)} == looked_at | NOT_LOOKED_AT
    elsewhere = {
        *(OrderReport.__name__, VenueRequest.__name__, "PositionAdjusted", "OrderAdopted"),
        *("DayRolled", "MassCancelReport", "SegmentOpened"),
    }
    handled = {cls.__name__ for cls in in_force.HANDLERS} | elsewhere
    assert handled | OF_NO_CONSEQUENCE == set(EVENTS)
    assert ScopeLimitsSet in in_force.HANDLERS


NOT_LOOKED_AT = {"max_loss_e8", "max_drawdown_e8", "max_losses", "loss_window_ms"}
"""These make a scope reduce, and are asked of no order."""
OF_NO_CONSEQUENCE = {
    *("SessionTaken", "PositionStated", "TimeAdvanced", "ReportIgnored", "ControlRefused"),
    *("BuildsChanged", "DivergenceReported"),
    *("SkipAsked", "EntrySkipped", "LimitsProposed", "LimitsApproved", "KillClearAsked"),
    # Parts only make a shard stricter: it is looked at by the whole bound.
    *("BoundsDivided", "ShareGiven", "ShareTaken", "BoundAgreed", "ShareWanted"),
}
