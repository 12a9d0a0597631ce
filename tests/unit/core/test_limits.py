# SPDX-License-Identifier: Apache-2.0
"""The truth table of scopes' bounds, generated: bound x new and replace x session x one off.

And it has teeth: without any one rule, some cell changes.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.limits_cases import LOT, MARKET, PROBES, SELL, TWAP, Probe, session, working
from tradewind.core import commands, limits, logic, risk
from tradewind.core.bounds import REQUIRED, UNSET
from tradewind.core.invariants import violations
from tradewind.core.terms import Rule
from tradewind.core.testing import ACCOUNT, BOUNDS, MILLISECOND_NS, SUBMIT, SYMBOL, VENUE, Desk
from tradewind.core.types import ExecType, OrdType, Reason, TimeInForce, TradingState, TradSesStatus

OK = Reason.NONE
SESSIONS = {
    None: OK,
    TradSesStatus.PRE_OPEN: OK,
    TradSesStatus.OPEN: OK,
    TradSesStatus.PRE_CLOSE: OK,
    TradSesStatus.CLOSED: Reason.VENUE_CLOSED,
    TradSesStatus.HALTED: Reason.VENUE_HALTED,
}
FIRST = (Reason.MESSAGE_RATE, Reason.MESSAGE_FLOOD)
"""Reasons that come before what the session says."""
ALL_SCOPES = (
    "firm",
    f"account:{ACCOUNT}",
    f"symbol:{SYMBOL}",
    "strategy:strategy",
    "client:client",
    f"venue:{VENUE}",
    f"account:{ACCOUNT}/symbol:{SYMBOL}",
    "account:*",
    "symbol:*",
    "strategy:*",
    "client:*",
    "venue:*",
    "account:*/symbol:*",
    f"account:*/symbol:{SYMBOL}",
    f"account:{ACCOUNT}/symbol:*",
)
OF_OTHERS = (
    "account:OTHER",
    "symbol:ETH-USD",
    "strategy:other",
    "client:other",
    "venue:OTHER",
    f"account:OTHER/symbol:{SYMBOL}",
    f"account:{ACCOUNT}/symbol:ETH-USD",
)


def governed(**changes: Any) -> Desk:
    """A desk on which every control is in force, with bounds that are far away."""
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(replace(BOUNDS, **changes))
    for kind in ("account", "strategy", "client"):
        desk.step(replace(EMPTY, scope=f"{kind}:*"))
    desk.step(commands.SetLogic(flag=logic.RISK_CONTROLS, actor="op"))
    desk.reference(1_000)
    return desk


EMPTY = commands.SetScopeLimits(scope="", version=1, actor="op")


def bound(desk: Desk, scope: str, **bounds: Any) -> None:
    """Sets bounds of a scope, in a version of its own."""
    desk.step(replace(BOUNDS, scope=scope, version=desk.machine.state.seq + 1, **bounds))


def decided(
    probe: Probe, limit: int, *, is_replace: bool, status: TradSesStatus | None = None
) -> Reason:
    """What the machine says when the bound is `limit`."""
    desk = governed()
    if probe.scope != "firm":
        bound(desk, probe.scope)  # it is remembered from now on what it does
    probe.prepare(desk)
    if is_replace:
        report = desk.submit("w", **probe.order)
        assert report.reason is OK
    bound(desk, probe.scope, **{probe.bound: limit})
    if status is not None:
        desk.step(session(status))
    if is_replace:
        price = probe.order.get("price", 1_000)
        events = desk.step(_replace(**{"price": price, **probe.change}))
    else:
        events = desk.step(replace(SUBMIT, cl_ord_id="n", **probe.order))
    assert violations(desk.machine.state) == []
    report = events[0]  # type: ignore[assignment]
    return report.reason


def _replace(**terms: Any) -> commands.ReplaceOrder:
    base = commands.ReplaceOrder(
        account=ACCOUNT,
        cl_ord_id="r",
        orig_cl_ord_id="w",
        order_qty=20,
        price=1_000,
        client="client",
        void_after_ns=2**62,
    )
    return replace(base, **terms)


CELLS = [
    pytest.param(probe, is_replace, status, off, id=f"{probe.name} {kind} {status} {off:+}")
    for probe in PROBES
    for is_replace, kind in ((False, "new"), (True, "replace"))
    if (probe.replaced if is_replace else probe.new) is not None
    for status in SESSIONS
    for off in (-1, 0, 1)
]


@pytest.mark.parametrize(("probe", "is_replace", "status", "off"), CELLS)
def test_the_decision_is_the_one_in_the_table(
    probe: Probe, is_replace: bool, status: TradSesStatus | None, off: int
) -> None:
    """`off` is by how much what is asked for is above the bound."""
    seen = probe.replaced if is_replace else probe.new
    assert seen is not None
    closed = SESSIONS[status]
    if probe.order.get("time_in_force") is TimeInForce.IOC and status is TradSesStatus.PRE_OPEN:
        closed = Reason.NOT_IN_THIS_SESSION
    wanted = probe.reason if off > 0 else OK
    if closed is not OK and wanted not in FIRST:
        wanted = closed
    assert decided(probe, seen - off, is_replace=is_replace, status=status) is wanted


@pytest.mark.parametrize("rule", limits.RULES, ids=lambda rule: rule.__name__)
def test_without_any_one_rule_the_table_fails(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RULES", "PARENT_RULES"):
        rules = getattr(risk, name)
        monkeypatch.setattr(risk, name, tuple(r for r in rules if r is not rule))

    def differs(probe: Probe, is_replace: bool) -> bool:
        seen = probe.replaced if is_replace else probe.new
        return (
            seen is not None and decided(probe, seen - 1, is_replace=is_replace) is not probe.reason
        )

    in_table = any(differs(probe, is_replace) for probe in PROBES for is_replace in (False, True))
    in_words = any(_word(desk, terms) is not reason for _name, reason, desk, terms in words())
    assert in_table or in_words


def words() -> list[tuple[str, Reason, Desk, dict[str, Any]]]:
    """Bounds that are yes or no: each desk says why not to its order."""
    self_match = governed(allows_self_match=0)
    working(10, **SELL)(self_match)
    selling = governed(allows_self_match=0)
    working(10)(selling)
    pending = governed(allows_self_match=0)
    working(10, price=1_050, **SELL)(pending)
    pending.step(replace(_replace(price=1_000, order_qty=10), orig_cl_ord_id="other"))
    unknown = Desk.opened()
    unknown.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    unknown.step(BOUNDS)
    unknown.step(commands.SetLogic(flag=logic.RISK_CONTROLS, actor="op"))
    built = governed()
    bound(built, "strategy:strategy", approved_build="b2")
    rateless = Desk.opened()
    rateless.step(BOUNDS)
    rateless.reference(1_000)
    cross, gtc = Reason.SELF_MATCH, Reason.TIME_IN_FORCE_NOT_PERMITTED
    return [
        ("C18 at its price", cross, self_match, {"price": 1_000}),
        ("C18 sell at its price", cross, selling, SELL),
        ("C18 market", cross, governed_with_sell(), MARKET),
        ("C18 under terms that are asked for", cross, pending, {"price": 1_000}),
        ("C30", gtc, governed(allows_gtc=0), {**TWAP, "time_in_force": TimeInForce.GTC}),
        ("C20", Reason.NOT_PERMITTED, unknown, {}),
        ("C34", Reason.BUILD_NOT_APPROVED, built, TWAP),
        ("C02 without a rate", Reason.NO_FX_RATE, rateless, {}),
    ]


def governed_with_sell() -> Desk:
    desk = governed(allows_self_match=0)
    working(10, **SELL)(desk)
    return desk


def _word(desk: Desk, terms: dict[str, Any]) -> Reason:
    return desk.submit("n", **terms).reason


@pytest.mark.parametrize("case", words(), ids=lambda case: case[0])
def test_a_yes_or_no_is_answered(case: tuple[str, Reason, Desk, dict[str, Any]]) -> None:
    _name, reason, desk, terms = case
    assert _word(desk, terms) is reason


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({"allows_self_match": 0}, {"price": 999}),
        ({"allows_self_match": 0}, {"ord_type": OrdType.STOP, "price": 0, "stop_px": 1_010}),
        ({"allows_self_match": 1}, {"price": 1_000}),
        ({"allows_gtc": 0}, {"time_in_force": TimeInForce.GTC, "price": 999}),
        ({"allows_gtc": 0}, {**TWAP, "time_in_force": TimeInForce.DAY, "price": 999}),
    ],
)
def test_what_a_yes_or_no_does_not_mean_passes(
    changes: dict[str, Any], terms: dict[str, Any]
) -> None:
    desk = governed(**changes)
    working(10, **SELL)(desk)
    assert desk.submit("n", **terms).reason is OK


@pytest.mark.parametrize("name", REQUIRED)
def test_what_no_scope_bounds_is_denied_by_c01(name: str) -> None:
    desk = governed(**{name: UNSET})
    report = desk.submit("n")
    assert report.reason is Reason.LIMIT_MISSING
    assert report.text == f"C01 no scope sets {name}"
    bound(desk, "symbol:*", **{name: getattr(BOUNDS, name)})
    assert desk.submit("m").reason is OK


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_a_bound_holds_in_every_kind_of_scope_and_with_wildcards(scope: str) -> None:
    desk = governed()
    bound(desk, scope, max_open_orders=1)
    assert desk.submit("a").reason is OK
    assert desk.submit("b").reason is Reason.MAX_OPEN_ORDERS


@pytest.mark.parametrize("scope", OF_OTHERS)
def test_a_bound_of_others_does_not_matter(scope: str) -> None:
    desk = governed()
    bound(desk, scope, max_open_orders=0)
    assert desk.submit("a").reason is OK


def test_the_strictest_of_all_scopes_wins_and_is_named_with_its_version() -> None:
    desk = governed()
    bound(desk, "account:*", max_order_qty=12)
    bound(desk, f"symbol:{SYMBOL}", max_order_qty=9)
    bound(desk, "venue:*", max_order_qty=11)
    report = desk.submit("a")
    assert report.text == f"C01 10 of 9 in symbol:{SYMBOL}, version 13"


def test_a_refusal_says_what_was_seen_of_which_limit_also_for_the_first_rules() -> None:
    desk = governed()
    scope = f"account:{ACCOUNT}/symbol:{SYMBOL}"
    assert desk.submit("a", order_qty=101).text == f"C01 101 of 100 in {scope}, version 1"
    assert desk.submit("b", price=1_101).text == f"C03 1010 of 1000 in {scope}, version 1"
    assert desk.submit("c", symbol="ETH-USD").text == "C19"


@pytest.mark.parametrize(
    ("name", "halted"), [("C08 flood", f"account:{ACCOUNT}"), ("C09", "strategy:strategy")]
)
def test_some_denials_halt_their_scope_until_people_resume_it(name: str, halted: str) -> None:
    probe = next(probe for probe in PROBES if probe.name == name)
    desk = governed()
    bound(desk, probe.scope)
    probe.prepare(desk)
    bound(desk, probe.scope, **{probe.bound: 2})
    assert desk.submit("n", **probe.order).reason is probe.reason
    state = desk.machine.state.trading_states[halted]
    assert (state.state, state.actor) == (TradingState.HALTED, "core")
    assert state.reason == f"{name[:3]} {probe.reason}"
    desk.now_ns += 3_600_000 * MILLISECOND_NS
    desk.reference(1_000)
    assert desk.submit("m", **probe.order).reason is Reason.TRADING_HALTED
    assert desk.cancel("x", "same-1" if name != "C09" else "twap").exec_type is (
        ExecType.PENDING_CANCEL
    )
    desk.trading(TradingState.ACTIVE, halted)
    assert desk.submit("o", **probe.order).reason is OK


@pytest.mark.parametrize(
    ("window", "probe"),
    [
        ("duplicate_window_ms", "C07"),
        ("message_window_ms", "C08"),
        ("repeat_window_ms", "C09"),
    ],
)
def test_what_was_done_before_the_window_does_not_count(window: str, probe: str) -> None:
    found = next(each for each in PROBES if each.name == probe)
    for wait_ms, reason in ((999, found.reason), (1_000, OK)):
        desk = governed()
        bound(desk, found.scope)
        found.prepare(desk)
        last_ns = desk.now_ns
        bound(desk, found.scope, **{found.bound: 1, window: 1_000})
        desk.now_ns = last_ns + (wait_ms - 1) * MILLISECOND_NS
        assert desk.submit("n", **found.order).reason is reason


def test_where_the_price_was_is_forgotten_after_two_windows() -> None:
    for wait_ms, reason in ((15_000, Reason.MARKET_UNSTABLE), (20_000, OK)):
        desk = governed(max_jump_bps=400)
        desk.reference(1_050)
        desk.limits(max_reference_age_ms=60_000, version=2)
        for _ in range(2):
            desk.now_ns += wait_ms // 2 * MILLISECOND_NS
            desk.reference(1_050)
        assert desk.submit("n").reason is reason


def test_a_cancel_passes_whatever_the_bounds_say() -> None:
    desk = governed()
    desk.submit("c1")
    nothing = {name: 0 for name in REQUIRED}
    bound(desk, "firm", **nothing, flood_messages=0)
    assert desk.submit("n").reason is Reason.MESSAGE_FLOOD
    assert desk.cancel().exec_type is ExecType.PENDING_CANCEL
    assert desk.replace("r", "c1", qty=5).exec_type is ExecType.REPLACE_REJECTED


def test_a_replace_that_shrinks_an_order_meets_no_bound_on_size() -> None:
    desk = governed()
    desk.submit("c1")
    small = {"max_open_value_e8": 0, "max_gross_e8": 0, "max_net_e8": 0, "max_long": 0}
    bound(desk, "firm", **small)
    assert desk.replace("r", "c1", qty=5).exec_type is ExecType.PENDING_REPLACE
    assert desk.replace("s", "c1", qty=11).exec_type is ExecType.REPLACE_REJECTED


def test_the_day_roll_begins_the_counts_anew() -> None:
    desk = governed(max_turnover_e8=15 * LOT)
    desk.fill(desk.submit("a").order_id, 10)
    assert desk.submit("b").reason is Reason.MAX_TURNOVER
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=0))
    assert desk.submit("c").reason is OK
