# SPDX-License-Identifier: Apache-2.0
"""What the page shows, from outputs: rows in decimals, newest first, bounded."""

from dataclasses import replace
from typing import Any

import pytest

from tradewind.console import projection as module
from tradewind.console.projection import Projection
from tradewind.core.events import OrderReport, TradingStateSet
from tradewind.core.testing import ACCOUNT, SYMBOL, Desk
from tradewind.core.types import ExecType, TradingState


class Watched:
    """A desk whose outputs the page follows."""

    def __init__(self) -> None:
        self.desk = Desk.opened()
        self.page = Projection()
        self._taken = 0

    def follow(self) -> dict[str, Any]:
        for event in self.desk.outputs[self._taken :]:
            self.page.take(event)
        self._taken = len(self.desk.outputs)
        return self.page.plain()


def test_an_order_is_one_row_that_says_how_it_stands_now() -> None:
    watched = Watched()
    report = watched.desk.submit("c1", order_qty=10, price=1_050)
    (row,) = watched.follow()["orders"]
    assert (row["account"], row["cl_ord_id"], row["symbol"]) == (ACCOUNT, "c1", SYMBOL)
    assert (row["qty"], row["price"], row["cum"], row["leaves"]) == ("0.01", "10.5", "0", "0.01")
    assert (row["side"], row["status"]) == ("BUY", "PENDING_NEW")
    watched.desk.ack(report.order_id)
    watched.desk.fill(report.order_id, 4, 1_049)
    (row,) = watched.follow()["orders"]
    assert (row["status"], row["cum"], row["leaves"]) == ("PARTIALLY_FILLED", "0.004", "0.006")


def test_fills_are_told_newest_first_with_what_was_traded() -> None:
    watched = Watched()
    report = watched.desk.submit(order_qty=10)
    watched.desk.fill(report.order_id, 4, 999)
    watched.desk.fill(report.order_id, 6, 1_000)
    fills = watched.follow()["fills"]
    assert [(row["last_qty"], row["last_px"]) for row in fills] == [
        ("0.006", "10"),
        ("0.004", "9.99"),
    ]


def test_the_order_that_changed_last_is_first() -> None:
    watched = Watched()
    first = watched.desk.submit("c1")
    watched.desk.submit("c2")
    watched.desk.ack(first.order_id)
    assert [row["cl_ord_id"] for row in watched.follow()["orders"]] == ["c1", "c2"]


def test_denied_orders_are_shown_with_the_reason_and_do_not_hide_one_another() -> None:
    watched = Watched()
    watched.desk.submit("c1", order_qty=101)
    watched.desk.submit("c2", price=2_000)
    rows = watched.follow()["orders"]
    assert [(row["cl_ord_id"], row["status"], row["reason"]) for row in rows] == [
        ("c2", "DENIED", "PRICE_COLLAR"),
        ("c1", "DENIED", "MAX_ORDER_QTY"),
    ]


def test_counts_are_of_reports_by_kind() -> None:
    watched = Watched()
    report = watched.desk.submit("c1", order_qty=10)
    watched.desk.submit("c2", order_qty=101)
    watched.desk.fill(report.order_id, 10)
    counts = watched.follow()["counts"]
    assert (counts["PENDING_NEW"], counts["DENIED"], counts["TRADE"]) == (1, 1, 1)


def test_a_market_order_has_no_price() -> None:
    watched = Watched()
    report = watched.desk.submit()
    watched.page.define(SYMBOL, "0.01", "0.001")
    watched.page.take(replace(report, price=0))
    assert watched.page.plain()["orders"][0]["price"] == ""


def test_an_order_in_an_instrument_that_is_not_known_is_counted_but_not_shown() -> None:
    page = Projection()
    page.take(Desk.opened().submit())
    plain = page.plain()
    assert plain["orders"] == []
    assert plain["counts"] == {"PENDING_NEW": 1}


def test_only_the_newest_orders_and_fills_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ORDERS_MAX", 3)
    watched = Watched()
    for number in range(5):
        watched.desk.submit(f"c{number}", order_qty=1)
    assert [row["cl_ord_id"] for row in watched.follow()["orders"]] == ["c4", "c3", "c2"]
    report = watched.desk.submit("filled", order_qty=100)
    for _ in range(module.FILLS_MAX + 5):
        watched.desk.fill(report.order_id, 1)
    assert len(watched.follow()["fills"]) == module.FILLS_MAX


def state(state: TradingState, scope: str = "firm") -> TradingStateSet:
    return TradingStateSet(scope=scope, state=state, actor="op", reason="test")


def test_a_scope_that_is_not_open_is_shown_until_it_is_opened_again() -> None:
    page = Projection()
    page.take(state(TradingState.HALTED))
    page.take(state(TradingState.REDUCING, "account:DEMO"))
    assert [(row["scope"], row["state"]) for row in page.plain()["states"]] == [
        ("firm", "HALTED"),
        ("account:DEMO", "REDUCING"),
    ]
    page.take(state(TradingState.ACTIVE))
    assert [row["scope"] for row in page.plain()["states"]] == ["account:DEMO"]
    page.take(state(TradingState.ACTIVE, "symbol:BTC-USD"))
    assert len(page.plain()["states"]) == 1


def at(report: OrderReport, second: int) -> OrderReport:
    return replace(report, transact_time_ns=second * module.NS_PER_S)


def test_the_rate_is_of_accepted_orders_in_the_last_seconds() -> None:
    page = Projection()
    report = Desk.opened().submit()
    for second in (100, 100, 105, 109):
        page.take(at(report, second))
        page.take(replace(at(report, second), exec_type=ExecType.TRADE))
    now_ns = 110 * module.NS_PER_S
    assert page.orders_per_s(now_ns) == 4 / module.RATE_WINDOW_S
    assert page.orders_per_s(now_ns + 1) == 2 / module.RATE_WINDOW_S
    assert page.orders_per_s(now_ns + 10 * module.NS_PER_S) == 0
