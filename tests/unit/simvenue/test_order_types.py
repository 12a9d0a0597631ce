# SPDX-License-Identifier: Apache-2.0
"""Stops, icebergs, post-only, dated orders, parts of the session, and what people can amend."""

import pytest

from tests.unit.simvenue.test_matching import exchange_with, flow, kinds, new
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, TradSesStatus
from tradewind.simvenue.flow import FlowAction
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.requests import Cancel, New, Replace


def stop(cl_id: str, side: Side, stop_px: int, price: int = 0, qty: int = 10) -> New:
    ord_type = OrdType.STOP_LIMIT if price else OrdType.STOP
    return new(cl_id, side, qty, price, ord_type=ord_type, stop_px=stop_px)


def test_a_stop_waits_until_the_recorded_market_trades_at_its_price() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 101, 5), flow("y", Side.SELL, 103, 20))
    assert kinds(exchange.new("s", stop("a", Side.BUY, 102))) == ["NEW"]
    exchange.background(flow("x", Side.SELL, 101, 4, FlowAction.CHANGED))
    assert exchange.records.working["s", "a"].is_dormant
    exchange.background(flow("x", Side.SELL, 101, 0, FlowAction.DELETED))
    taker = exchange.background(flow("y", Side.SELL, 103, 18, FlowAction.CHANGED))
    assert kinds(taker) == ["TRIGGERED", "TRADE"]
    assert (taker[1].last_qty, taker[1].last_px) == (10, 103)
    assert exchange.records.working == {}


def test_a_stop_limit_rests_at_its_limit_once_it_is_active() -> None:
    exchange = exchange_with(flow("x", Side.BUY, 99, 1))
    exchange.new("s", stop("a", Side.SELL, 99, price=98))
    exchange.new("s", stop("b", Side.SELL, 90, price=98))
    reports = exchange.new("s", new("t", Side.SELL, 1, 99))
    assert [(r.cl_id, r.exec_type) for r in reports][-1] == ("a", ExecType.TRIGGERED)
    assert exchange.book.depth(Side.SELL, 9) == [(98, 10)]
    assert exchange.records.working["s", "b"].is_dormant


def test_a_triggered_stop_can_trigger_the_next() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 1), flow("y", Side.SELL, 105, 50))
    exchange.new("s", stop("far", Side.BUY, 105))
    exchange.new("s", stop("near", Side.BUY, 100))
    reports = exchange.new("s", new("t", Side.BUY, 1, 100))
    triggered = [r.cl_id for r in reports if r.exec_type is ExecType.TRIGGERED]
    assert triggered == ["near", "far"]


def test_a_dormant_stop_can_be_replaced_and_cancelled() -> None:
    exchange = Exchange("BTC-USD")
    exchange.new("s", stop("a", Side.BUY, 102))
    changed = exchange.replace("s", Replace(cl_id="a", request_id="r", qty=5, price=0, stop_px=104))
    assert [(r.exec_type, r.qty, r.stop_px) for r in changed] == [(ExecType.REPLACED, 5, 104)]
    assert kinds(exchange.cancel("s", Cancel(cl_id="a", request_id="c"))) == ["CANCELED"]
    assert exchange.new("s", new("t", Side.SELL, 1, 110))[0].exec_type is ExecType.NEW
    assert exchange.records.working.keys() == {("s", "t")}


def test_an_iceberg_shows_a_slice_at_a_time_and_queues_again_for_each() -> None:
    exchange = Exchange("BTC-USD")
    exchange.new("s", new("ice", Side.SELL, 10, 100, display_qty=4))
    exchange.new("s", new("plain", Side.SELL, 3, 100))
    assert exchange.book.depth(Side.SELL, 9) == [(100, 7)]
    reports = exchange.new("s", new("t", Side.BUY, 9, 100))
    fills = [(r.cl_id, r.last_qty) for r in reports if r.last_qty and r.cl_id != "t"]
    assert fills == [("ice", 4), ("plain", 3), ("ice", 2)]
    assert exchange.book.depth(Side.SELL, 9) == [(100, 2)]
    assert exchange.records.working["s", "ice"].leaves_qty == 4


def test_the_background_takes_an_iceberg_in_slices_too() -> None:
    exchange = Exchange("BTC-USD")
    exchange.new("s", new("ice", Side.SELL, 10, 100, display_qty=4))
    fills = exchange.background(flow("b", Side.BUY, 100, 10))
    assert [r.last_qty for r in fills] == [4, 4, 2]
    assert exchange.records.working == {}


def test_fill_or_kill_counts_what_an_iceberg_hides() -> None:
    exchange = Exchange("BTC-USD")
    exchange.new("s", new("ice", Side.SELL, 10, 100, display_qty=4))
    reports = exchange.new("s", new("t", Side.BUY, 10, 100, TimeInForce.FOK))
    assert sum(r.last_qty for r in reports if r.cl_id == "t") == 10


def test_a_post_only_order_never_takes() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 1))
    refused = exchange.new("s", new("a", Side.BUY, 1, 100, is_post_only=True))
    assert [(r.exec_type, r.text) for r in refused] == [(ExecType.REJECTED, "POST_ONLY_WOULD_TAKE")]
    assert kinds(exchange.new("s", new("b", Side.BUY, 1, 99, is_post_only=True))) == ["NEW"]
    moved = exchange.replace("s", Replace(cl_id="b", request_id="r", qty=1, price=100))
    assert kinds(moved) == ["REPLACE_REJECTED"]
    assert exchange.book.depth(Side.BUY, 9) == [(99, 1)]


def test_a_dated_order_expires_at_its_time() -> None:
    exchange = Exchange("BTC-USD")
    exchange.new("s", new("a", time_in_force=TimeInForce.GTD, expire_ns=1_000))
    assert exchange.expire(999) == []
    assert [(r.exec_type, r.text) for r in exchange.expire(1_000)] == [
        (ExecType.EXPIRED, "EXPIRE_TIME")
    ]
    assert len(exchange.book) == 0


def test_orders_wait_for_the_opening_and_at_the_open_orders_are_for_it_only() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 15))
    exchange.set_status(TradSesStatus.PRE_OPEN)
    for cl_id, tif in (("open", TimeInForce.AT_OPEN), ("day", TimeInForce.DAY)):
        assert kinds(exchange.new("s", new(cl_id, Side.BUY, 10, 100, tif))) == ["NEW"]
    early = exchange.new("s", new("ioc", time_in_force=TimeInForce.IOC))
    assert [(r.exec_type, r.text) for r in early] == [(ExecType.REJECTED, "NOT_IN_THIS_SESSION")]
    exchange.new("s", new("late", Side.BUY, 1, 90, TimeInForce.AT_OPEN))
    opened = exchange.set_status(TradSesStatus.OPEN)
    assert [(r.cl_id, r.exec_type.value, r.last_qty) for r in opened] == [
        ("open", "TRADE", 10),
        ("day", "TRADE", 5),
        ("late", "EXPIRED", 0),
    ]
    assert exchange.book.depth(Side.BUY, 9) == [(100, 5)]


def test_at_the_close_orders_wait_for_the_close() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 4))
    exchange.set_status(TradSesStatus.OPEN)
    assert kinds(exchange.new("s", new("a", Side.BUY, 10, 100, TimeInForce.AT_CLOSE))) == ["NEW"]
    closed = exchange.set_status(TradSesStatus.CLOSED)
    assert kinds(closed) == ["TRADE", "EXPIRED"]
    assert kinds(exchange.new("s", new("b"))) == ["REJECTED"]


@pytest.mark.parametrize("status", [TradSesStatus.HALTED, TradSesStatus.CLOSED])
def test_nothing_trades_while_the_session_is_not_open(status: TradSesStatus) -> None:
    exchange = Exchange("BTC-USD")
    exchange.new("s", new("a", Side.BUY, 10, 100))
    exchange.set_status(status)
    assert exchange.background(flow("x", Side.SELL, 100, 5)) == []
    assert kinds(exchange.cancel("s", Cancel(cl_id="a", request_id="c"))) == ["CANCELED"]


def test_a_bust_and_a_correction_change_what_an_order_has_traded() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 6))
    exchange.new("s", new("a", Side.BUY, 10, 100))
    order = exchange.records.working["s", "a"]
    fill = exchange.background(flow("y", Side.SELL, 100, 2))[0]
    (corrected,) = exchange.amend(order, fill, 3, 99)
    assert (corrected.exec_type, corrected.exec_ref_id) == (ExecType.TRADE_CORRECT, fill.exec_id)
    assert (corrected.cum_qty, corrected.leaves_qty) == (9, 1)
    (busted,) = exchange.amend(order, corrected, 0, 0)
    assert (busted.exec_type, busted.cum_qty, busted.leaves_qty) == (ExecType.TRADE_CANCEL, 6, 4)
    assert exchange.book.depth(Side.BUY, 9) == [(100, 4)]


def test_every_fill_has_its_fee_and_a_bust_gives_it_back() -> None:
    exchange = Exchange("BTC-USD", fee_bps=10)
    exchange.new("s", new("a", Side.SELL, 100_000_000, 7_800_000))
    taker = exchange.new("s", new("b", Side.BUY, 50_000_000, 7_800_000))
    fill = next(r for r in taker if r.cl_id == "a" and r.last_qty)
    assert (fill.fee_e8, fill.fee_currency) == (39 * 100_000_000, "USD")
    (busted,) = exchange.amend(exchange.records.working["s", "a"], fill, 0, 0)
    assert busted.fee_e8 == -fill.fee_e8


def test_a_restatement_changes_terms_unasked() -> None:
    exchange = Exchange("BTC-USD")
    exchange.new("s", new("a", Side.BUY, 10, 100))
    reports = exchange.restate(exchange.records.working["s", "a"], 4, 101)
    assert [(r.exec_type, r.qty, r.price) for r in reports] == [(ExecType.RESTATED, 4, 101)]
    assert exchange.book.depth(Side.BUY, 9) == [(101, 4)]
