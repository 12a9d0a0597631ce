# SPDX-License-Identifier: Apache-2.0
"""What refusals by scopes' bounds say, who needs a permission, and what amounts are made of."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.core.limits_cases import LOT, PROBES, SELL, TWAP, fees, holding, working
from tests.unit.core.test_limits import EMPTY, OK, bound, governed
from tradewind.core import commands, logic
from tradewind.core.bounds import UNSET
from tradewind.core.testing import ACCOUNT, BOUNDS, SYMBOL, VENUE, Desk
from tradewind.core.types import ExecType, OrdType, Reason, Side


@pytest.mark.parametrize("kind", ["account", "strategy", "client"])
@pytest.mark.parametrize("is_parent", [False, True])
def test_accounts_strategies_and_clients_each_need_a_permission(kind: str, is_parent: bool) -> None:
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(BOUNDS)
    for other in ("account", "strategy", "client"):
        if other != kind:
            desk.step(replace(EMPTY, scope=f"{other}:*"))
    desk.step(replace(EMPTY, scope=f"account:{ACCOUNT}/symbol:*"))
    desk.step(commands.SetLogic(flag=logic.RISK_CONTROLS, actor="op"))
    desk.reference(1_000)
    report = desk.submit("n", is_parent=is_parent)
    assert (report.reason, report.text) == (
        Reason.NOT_PERMITTED,
        f"C20 no limits for its {kind}",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("C07", "C07 3 of 2 in firm"),
        ("C08", "C08 3 of 2 in firm"),
        ("C08 flood", f"C08 3 of 2 in account:{ACCOUNT}"),
        ("C09", "C09 3 of 2 in strategy:strategy"),
    ],
)
def test_a_refusal_says_how_many_came_before_it(name: str, text: str) -> None:
    probe = next(probe for probe in PROBES if probe.name == name)
    desk = governed()
    bound(desk, probe.scope)
    probe.prepare(desk)
    bound(desk, probe.scope, **{probe.bound: 2})
    version = desk.machine.state.seq
    assert desk.submit("n", **probe.order).text == f"{text}, version {version}"


def test_a_refusal_says_which_build_is_not_which() -> None:
    desk = governed()
    bound(desk, "strategy:strategy", approved_build="b2")
    assert desk.submit("n", **TWAP).text == "C34 build b1 is not b2 in strategy:strategy"


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ({"approved_build": "b2"}, Reason.BUILD_NOT_APPROVED),
        ({"max_repeats": 0}, Reason.REPEATED_EXECUTION),
        ({"max_parent_value_e8": 0}, Reason.PARENT_VALUE),
        ({"max_messages": 0}, Reason.MESSAGE_RATE),
    ],
)
def test_parents_meet_the_rules_that_are_about_them(setup: dict[str, Any], reason: Reason) -> None:
    desk = governed()
    bound(desk, "strategy:strategy", **setup)
    assert desk.submit("n", is_parent=True, **TWAP).reason is reason


def test_without_a_price_nothing_is_steady_and_no_parent_has_a_value() -> None:
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(BOUNDS)
    assert desk.submit("n").reason is Reason.NO_REFERENCE_PRICE
    desk.step(replace(BOUNDS, version=2, max_parent_value_e8=1))
    desk.step(
        commands.DefineInstrument(
            symbol="ETH-USD", venue=VENUE, tick_size="0.01", lot_size="1", currency="USD"
        )
    )
    report = desk.submit("p", is_parent=True, symbol="ETH-USD")
    assert report.reason is Reason.NO_REFERENCE_PRICE


@pytest.mark.parametrize(
    ("name", "reason"),
    [("max_move_bps", Reason.PRICE_MOVED), ("max_jump_bps", Reason.MARKET_UNSTABLE)],
)
def test_one_bound_of_the_price_without_the_other_is_enough(name: str, reason: Reason) -> None:
    desk = Desk.opened()
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    bounds: dict[str, Any] = {"max_move_bps": UNSET, "max_jump_bps": UNSET} | {name: 100}
    desk.step(replace(BOUNDS, **bounds))
    desk.reference(1_000)
    desk.reference(1_050)
    assert desk.submit("n", price=1_050).reason is reason


def test_a_stop_order_may_wait_away_from_where_the_price_was() -> None:
    desk = governed(max_move_bps=0)
    stop = {"ord_type": OrdType.STOP_LIMIT, "price": 1_100, "stop_px": 1_100}
    assert desk.submit("n", **stop).reason is OK


def denied_from(desk: Desk, name: str, scope: str, **terms: Any) -> int:
    """The smallest value of a bound with which an order passes: what the bound measures."""
    low, high = 0, 10**12
    while low < high:
        middle = (low + high) // 2
        bound(desk, scope, **{name: middle})
        again = desk.machine.state.seq
        report = desk.submit(f"try-{again}", **terms)
        if report.reason is OK:
            desk.cancel(f"x-{again}", f"try-{again}")
            desk.report(report.order_id, ExecType.CANCELED)
            high = middle
        else:
            low = middle + 1
    return low


@pytest.mark.parametrize(
    ("name", "prepare", "terms", "lots"),
    [
        ("max_credit_e8", holding(5), {}, 15),
        ("max_credit_e8", holding(-5), {"order_qty": 20}, 5 + 20),
        ("max_credit_e8", holding(-5), SELL, 5 + 10),
        ("max_credit_e8", holding(5), {**SELL, "order_qty": 20}, 5 + 15),
        ("max_credit_e8", working(30), {}, 40),
        ("max_gross_e8", holding(-5), SELL, 15),
        ("max_gross_e8", holding(5), {**SELL, "order_qty": 20}, 15),
        ("max_net_e8", holding(5), {}, 15),
        ("max_net_e8", holding(-15), SELL, 25),
        ("max_open_value_e8", working(30), {"price": 950}, 40),
        ("max_turnover_e8", fees, {}, 30),
    ],
)
def test_an_amount_is_made_of_what_the_scope_has_and_may_get(
    name: str, prepare: Any, terms: dict[str, Any], lots: int
) -> None:
    desk = governed()
    bound(desk, f"account:{ACCOUNT}")
    prepare(desk)
    assert denied_from(desk, name, f"account:{ACCOUNT}", **terms) == lots * LOT


def test_profit_gives_credit_and_loss_takes_it() -> None:
    for price, credit in ((1_010, 10 * LOT - 100_000), (990, 10 * LOT + 100_000)):
        desk = governed()
        bound(desk, f"account:{ACCOUNT}")
        desk.fill(desk.submit("a").order_id, 10, 1_000)
        desk.fill(desk.submit("b", side=Side.SELL, price=price).order_id, 10, price)
        assert denied_from(desk, "max_credit_e8", f"account:{ACCOUNT}") == credit


def test_what_has_no_rate_is_not_accepted_where_amounts_are_bounded() -> None:
    desk = governed()
    desk.step(
        commands.DefineInstrument(
            symbol="X-EUR", venue=VENUE, tick_size="0.01", lot_size="1", currency="EUR"
        )
    )
    desk.step(
        commands.AdjustPosition(
            account=ACCOUNT, cl_ord_id="a", symbol="X-EUR", qty=1, price=1, actor="o", reason="r"
        )
    )
    report = desk.submit("n")
    assert report.reason is Reason.NO_FX_RATE
    assert report.text == "C12 max_gross_e8 of firm cannot be valued"
    assert desk.machine.state.position(ACCOUNT, SYMBOL).buy_working == 0


def test_contents_are_forgotten_a_while_after_their_window() -> None:
    desk = governed(duplicate_window_ms=10)
    for kind in ("account", "strategy", "client"):
        bound(desk, f"{kind}:*", duplicate_window_ms=10)
    for number in range(100):
        desk.submit(f"n{number}", price=950 + number)
    assert len(desk.machine.state.contents) == 10
