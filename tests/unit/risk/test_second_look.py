# SPDX-License-Identifier: Apache-2.0
"""The second look objects to nothing that a sound core accepts, and to what an unsound one does."""

import ast
import os
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.golden import make
from tests.unit.core.test_limits import governed
from tests.unit.risk.random_days import LOT, day
from tradewind.common.codec import decode_command
from tradewind.core import commands, exposure, limits, logic, risk, stakes, terms
from tradewind.core.bounds import REQUIRED, Bounds
from tradewind.core.commands import Entry
from tradewind.core.control import CORE, Standing
from tradewind.core.controls import CONTROLS
from tradewind.core.events import EVENTS, Event, LogicSet, OrderReport, ScopeLimitsSet, VenueRequest
from tradewind.core.machine import StateMachine
from tradewind.core.terms import Rule
from tradewind.core.testing import ACCOUNT, LIMITS, MILLISECOND_NS, SYMBOL, Desk
from tradewind.core.types import Reason, Side, TradingState
from tradewind.risk import book, checks, entered, in_force, lines, scope_checks, second_look
from tradewind.risk.lines import Line
from tradewind.risk.scope_checks import SCOPE_CHECKS
from tradewind.risk.second_look import SecondLook

DAYS = int(os.environ.get("TRADEWIND_LOOK_DAYS", "20"))
"""Longer by hand: TRADEWIND_LOOK_DAYS=5000, of some 30 accepted orders each."""


def looked(outputs: list[Event]) -> SecondLook:
    look = SecondLook()
    for event in outputs:
        look.take(event)
    return look


def said(outputs: list[Event]) -> Iterator[str]:
    """Every objection, one by one."""
    for breach in looked(outputs).breaches:
        yield from breach.text.split("; ")


def said_of_days(count: int = 200) -> Iterator[str]:
    for seed in range(count):
        yield from said(day(seed).outputs)


def test_on_random_days_it_objects_to_nothing_and_adds_up_what_the_core_does() -> None:
    checked, spent_ns, met = 0, 0, set()
    for seed in range(DAYS):
        desk = day(seed)
        began_ns = time.process_time_ns()
        look = looked(desk.outputs)
        spent_ns += time.process_time_ns() - began_ns
        assert (look.breaches, look.undecided) == ([], {})
        checked += look.checked
        met |= {event.reason for event in desk.outputs if isinstance(event, OrderReport)}
        tallies = desk.machine.state.tallies
        lines = look._lines
        for scope, of in tallies.scopes.items():
            assert lines.orders.get(scope, 0) == tallies.sums[scope].orders
            for symbol, tally in of.items():
                line = lines.scopes.get(scope, {}).get(symbol, Line())
                found = (line.qty, line.buys, line.sells, line.gross)
                assert found == (tally.qty, tally.buy_working, tally.sell_working, tally.gross)
        assert {key: paid.amount_e8 for key, paid in desk.machine.state.fees.items()} == look._fees
    print(f"{checked} accepted orders on {DAYS} days, {spent_ns // checked} ns of CPU for each")
    assert checked > 25 * DAYS
    assert met >= {
        Reason.MAX_OPEN_ORDERS,
        Reason.MAX_OPEN_VALUE,
        Reason.MAX_POSITION,
        Reason.MAX_EXPOSURE,
        Reason.CREDIT_EXCEEDED,
        Reason.MAX_TURNOVER,
        Reason.REDUCE_ONLY,
        Reason.KILLED,
        Reason.BUILD_NOT_APPROVED,
    }


@pytest.mark.parametrize("name", make.NAMES)
def test_it_objects_to_nothing_in_a_golden_journal(name: str) -> None:
    machine, look = StateMachine(), SecondLook()
    for line in make.journal(name).read_text(encoding="utf-8").splitlines():
        seq, ts_ns, body = make.bodies(line)
        for event in machine.step(Entry(seq=seq, ts_ns=ts_ns, command=decode_command(body))):
            assert look.take(event) is None
    assert look.checked > 20


OF_TERMS: dict[Rule, tuple[str, ...]] = {
    terms.attributed: ("C20 client, strategy",),
    terms.terms_sane: ("C05",),
    terms.instructions_sane: ("C05", "C30 expires"),
}
WITHOUT: list[tuple[Rule, str]] = [
    (limits.limits_complete, "C01 no scope bounds"),
    (limits.limits_complete, "C20 no limits for its strategy"),
    (limits.build_approved, "C34"),
    (limits.time_in_force_permitted, "C30 1 is more than the 0 of allows_gtc"),
    (limits.lots_within, "C01"),
    (limits.value_within, "C02"),
    (stakes.orders_within, "C10"),
    (stakes.position_in_scopes, "C11"),
    (stakes.exposure_in_scopes, "C12"),
    (stakes.credit_within, "C13"),
    (stakes.turnover_within, "C15"),
    (risk.quantity_within, "C01"),
    (risk.reference_fresh, "C21"),
    (risk.price_in_collar, "C03"),
    (risk.notional_within, "C02"),
    (risk.position_within, "C11"),
    (exposure.exposure_within, "C12"),
    (risk.trading_allowed, "C23"),
    (risk.trading_allowed, "C28"),
]
WITHOUT += [(rule, code) for rule, codes in OF_TERMS.items() for code in codes]


@pytest.mark.parametrize(("rule", "code"), WITHOUT, ids=[f"{r.__name__} {c}" for r, c in WITHOUT])
def test_a_core_that_lacks_a_rule_is_caught(
    rule: Rule, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RULES", "OWN_RULES", "PARENT_RULES"):
        monkeypatch.setattr(risk, name, tuple(r for r in getattr(risk, name) if r is not rule))
    assert any(text.startswith(code) for text in said_of_days())


@pytest.mark.parametrize("bound", [row[1] for row in SCOPE_CHECKS if row[1] != "allows_gtc"])
def test_a_core_that_lets_a_little_too_much_pass_is_caught(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one order or lot, or by a little of value."""
    real = stakes.first_over

    def lenient(intent: Any, name: str, reason: Reason, seen: Any) -> Any:
        slack = 0 if name != bound else 2 * LOT if bound.endswith("_e8") else 1
        return real(intent, name, reason, lambda scope: (seen(scope) or 0) - slack)

    for module in (stakes, limits):
        monkeypatch.setattr(module, "first_over", lenient)
    assert any(f"of {bound} in" in text for text in said_of_days())


@pytest.mark.parametrize(
    ("allows", "what"),
    [
        (lambda state, _intent: _unless(state, "KILLED"), "C28"),
        (lambda state, _intent: _unless(state, "HALTED"), "C23 firm is halted"),
        (lambda state, _intent: _unless(state, "REDUCING"), "C23 20 lots more than closing"),
    ],
)
def test_a_core_that_does_not_know_a_state_is_caught(
    allows: Any, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = governed()
    desk.submit("before")
    name = what.partition(" ")[0]
    if name == "C28":
        desk.step(commands.KillScope(scope="firm", kill_id="k", actor="op", reason="drill"))
    else:
        desk.trading(TradingState.HALTED if "halted" in what else TradingState.REDUCING)
    assert list(said(desk.outputs)) == []
    rules = tuple(r for r in risk.RULES if r is not risk.trading_allowed)
    monkeypatch.setattr(risk, "RULES", (*rules, allows))
    desk.submit("after")
    assert any(text.startswith(what) for text in said(desk.outputs))


def _unless(state: Any, word: str) -> Reason | None:
    """A rule that forgets one word."""
    found = {"KILLED"} if state.kills and word != "HALTED" else set()
    found |= {each.state.value for each in state.trading_states.values()}
    return Reason.TRADING_HALTED if found - {word, "HALTED", "ACTIVE"} else None


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
    breach = look.take(replace(late, order_id="later"))
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


def test_it_forgets_what_the_core_forgets() -> None:
    desk = Desk.opened()
    order = desk.submit().order_id
    desk.fill(order, 10)
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=desk.now_ns + 10**9))
    look = looked(desk.outputs)
    assert look._orders == {}
    assert look._lines.parts[ACCOUNT, SYMBOL].qty == 10


def test_every_control_of_orders_is_decided_or_said_not_to_be() -> None:
    of_orders = {
        control.code
        for control in CONTROLS
        if control.standing is not Standing.OFF and CORE in control.where
    }
    assert set(checks.KNOWN) | set(checks.NOT_KNOWN) == of_orders | {"C34"}
    assert not set(checks.KNOWN) & set(checks.NOT_KNOWN)


@pytest.mark.parametrize(
    "module", [second_look, checks, scope_checks, entered, in_force, lines, book]
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
    looked_at = {row[1] for row in SCOPE_CHECKS} | {"approved_build"}
    assert {field.name for field in fields(Bounds)} == looked_at | NOT_LOOKED_AT
    elsewhere = {OrderReport.__name__, VenueRequest.__name__, "PositionAdjusted", "OrderAdopted"}
    handled = {cls.__name__ for cls in in_force.HANDLERS} | elsewhere | {"DayRolled"}
    assert handled | OF_NO_CONSEQUENCE == set(EVENTS)
    assert ScopeLimitsSet in in_force.HANDLERS


NOT_LOOKED_AT = {
    *("max_move_bps", "max_jump_bps", "max_duplicates", "duplicate_window_ms", "max_messages"),
    *("flood_messages", "message_window_ms", "max_repeats", "repeat_window_ms", "max_children"),
    *("max_parent_value_e8", "max_loss_e8", "max_drawdown_e8", "max_losses", "loss_window_ms"),
    *("max_orders_per_trade", "allows_self_match"),
}
OF_NO_CONSEQUENCE = {
    *("MassCancelReport", "SessionTaken", "PositionStated", "SegmentOpened", "TradingSessionSet"),
    *("TimeAdvanced", "ReportIgnored", "ControlRefused", "BuildsChanged", "DivergenceReported"),
    *("SkipAsked", "EntrySkipped", "LimitsProposed", "LimitsApproved", "KillClearAsked"),
    # Parts only make a shard stricter: it is looked at by the whole bound.
    *("BoundsDivided", "ShareGiven", "ShareTaken", "BoundAgreed", "ShareWanted"),
}
