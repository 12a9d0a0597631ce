# SPDX-License-Identifier: Apache-2.0
"""The venue's rules for requests and for the background flow."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tradewind.core.types import ExecType, OrdType, Side, TimeInForce
from tradewind.simvenue.flow import MARKET_BUY_PRICE, FlowAction, FlowEvent
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.orders import Report
from tradewind.simvenue.requests import Cancel, New, Replace

SYMBOL = "BTC-USD"


def new(
    cl_id: str,
    side: Side = Side.BUY,
    qty: int = 10,
    price: int = 100,
    time_in_force: TimeInForce = TimeInForce.GTC,
    ord_type: OrdType = OrdType.LIMIT,
    **more: Any,
) -> New:
    return New(
        **more,
        cl_id=cl_id,
        symbol=SYMBOL,
        side=side,
        ord_type=ord_type,
        time_in_force=time_in_force,
        qty=qty,
        price=price,
    )


def flow(
    order_id: str, side: Side, price: int, qty: int, action: FlowAction = FlowAction.CREATED
) -> FlowEvent:
    return FlowEvent(0, order_id, action, side, price, qty)


def exchange_with(*events: FlowEvent) -> Exchange:
    exchange = Exchange(SYMBOL)
    for event in events:
        assert exchange.background(event) == []
    return exchange


def kinds(reports: list[Report]) -> list[str]:
    return [report.exec_type.value for report in reports]


def test_a_taker_consumes_the_background_by_price_and_time() -> None:
    exchange = exchange_with(
        flow("x", Side.SELL, 101, 5), flow("y", Side.SELL, 100, 5), flow("z", Side.SELL, 100, 5)
    )
    reports = exchange.new("s", new("a", qty=12, price=101))
    assert [(r.last_qty, r.last_px) for r in reports[1:]] == [(5, 100), (5, 100), (2, 101)]
    assert reports[-1].leaves_qty == 0
    assert exchange.book.depth(Side.SELL, 9) == [(101, 3)]
    assert exchange.records.working == {}


def test_the_rest_of_a_limit_order_rests_and_that_of_a_market_order_is_canceled() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 4))
    exchange.new("s", new("limit", qty=10, price=100))
    assert exchange.book.depth(Side.BUY, 9) == [(100, 6)]
    reports = exchange.new("s", new("market", Side.SELL, 9, 0, ord_type=OrdType.MARKET))
    assert kinds(reports) == ["NEW", "TRADE", "TRADE", "CANCELED"]
    assert reports[-1].cum_qty == 6


def test_ioc_trades_what_it_can_and_never_rests() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 4))
    reports = exchange.new("s", new("a", qty=10, time_in_force=TimeInForce.IOC))
    assert kinds(reports) == ["NEW", "TRADE", "CANCELED"]
    assert exchange.book.best(Side.BUY) is None


def test_fok_trades_all_or_nothing() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 4))
    reports = exchange.new("s", new("a", qty=5, time_in_force=TimeInForce.FOK))
    assert kinds(reports) == ["NEW", "CANCELED"]
    assert reports[-1].cum_qty == 0
    assert exchange.book.depth(Side.SELL, 1) == [(100, 4)]
    reports = exchange.new("s", new("b", qty=4, time_in_force=TimeInForce.FOK))
    assert kinds(reports) == ["NEW", "TRADE"]


def test_a_background_order_trades_with_the_resting_client_and_the_rest_rests() -> None:
    exchange = exchange_with(flow("ahead", Side.BUY, 100, 50))
    exchange.new("s", new("a", qty=10, price=100))
    reports = exchange.background(flow("x", Side.SELL, 99, 14))
    assert [(r.cl_id, r.last_qty, r.last_px) for r in reports] == [("a", 10, 100)]
    assert exchange.book.depth(Side.SELL, 1) == [(99, 4)]
    assert exchange.book.depth(Side.BUY, 1) == [(100, 50)]


def test_a_background_market_order_never_rests() -> None:
    exchange = exchange_with()
    exchange.new("s", new("a", Side.SELL, 3, 100))
    reports = exchange.background(flow("x", Side.BUY, MARKET_BUY_PRICE, 9))
    assert kinds(reports) == ["TRADE"]
    assert len(exchange.book) == 0


def test_a_background_change_never_gives_back_what_a_client_took() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 10))
    exchange.new("s", new("a", qty=7))
    exchange.background(flow("x", Side.SELL, 100, 8, FlowAction.CHANGED))
    assert exchange.book.depth(Side.SELL, 1) == [(100, 3)]
    exchange.background(flow("x", Side.SELL, 100, 1, FlowAction.CHANGED))
    assert exchange.book.depth(Side.SELL, 1) == [(100, 1)]
    exchange.background(flow("x", Side.SELL, 100, 1, FlowAction.DELETED))
    assert len(exchange.book) == 0


def test_less_quantity_keeps_the_place_and_another_price_loses_it() -> None:
    exchange = exchange_with()
    exchange.new("s", new("first", qty=10))
    exchange.new("s", new("second", qty=10))
    exchange.replace("s", Replace(cl_id="first", request_id="r1", qty=5, price=100))
    assert [r.cl_id for r in exchange.background(flow("x", Side.SELL, 100, 1))] == ["first"]
    exchange.replace("s", Replace(cl_id="first", request_id="r2", qty=6, price=100))
    assert [r.cl_id for r in exchange.background(flow("y", Side.SELL, 100, 1))] == ["second"]


def test_a_replace_to_a_crossing_price_trades_at_once() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 101, 4))
    exchange.new("s", new("a", qty=10, price=100))
    reports = exchange.replace("s", Replace(cl_id="a", request_id="r", qty=12, price=101))
    assert kinds(reports) == ["REPLACED", "TRADE"]
    assert reports[0].request_id == "r"
    assert exchange.book.depth(Side.BUY, 1) == [(101, 8)]


def test_a_replace_to_what_is_already_filled_is_refused() -> None:
    exchange = exchange_with(flow("x", Side.SELL, 100, 4))
    exchange.new("s", new("a", qty=10))
    reports = exchange.replace("s", Replace(cl_id="a", request_id="r", qty=4, price=100))
    assert kinds(reports) == ["REPLACE_REJECTED"]
    assert exchange.records.working["s", "a"].qty == 10


def test_requests_for_orders_that_do_not_work_are_refused() -> None:
    exchange = exchange_with()
    exchange.new("s", new("a"))
    assert kinds(exchange.cancel("s", Cancel(cl_id="a", request_id="1"))) == ["CANCELED"]
    late = exchange.cancel("s", Cancel(cl_id="a", request_id="2"))
    assert (late[0].exec_type, late[0].text) == (ExecType.CANCEL_REJECTED, "TOO_LATE")
    unknown = exchange.replace("s", Replace(cl_id="b", request_id="3", qty=1, price=1))
    assert (unknown[0].exec_type, unknown[0].text) == (ExecType.REPLACE_REJECTED, "UNKNOWN_ORDER")


def test_a_client_order_id_is_refused_only_while_it_works() -> None:
    exchange = exchange_with()
    exchange.new("s", new("a"))
    again = exchange.new("s", new("a"))
    assert (again[0].exec_type, again[0].text) == (ExecType.REJECTED, "DUPLICATE_CL_ID")
    assert ("s", "a") in exchange.records.working
    assert kinds(exchange.new("other", new("a"))) == ["NEW"]
    exchange.cancel("s", Cancel(cl_id="a", request_id="1"))
    assert kinds(exchange.new("s", new("a"))) == ["NEW"]


def test_orders_for_the_day_expire_and_others_stay() -> None:
    exchange = exchange_with()
    exchange.new("s", new("day", time_in_force=TimeInForce.DAY))
    exchange.new("s", new("gtc"))
    assert [(r.cl_id, r.exec_type) for r in exchange.end_day()] == [("day", ExecType.EXPIRED)]
    assert exchange.book.depth(Side.BUY, 1) == [(100, 10)]


def test_leftovers_of_the_recording_are_taken_out_oldest_first() -> None:
    exchange = exchange_with(flow("ghost", Side.SELL, 100, 1), flow("real", Side.BUY, 101, 1))
    assert exchange.uncross() == 1
    assert exchange.book.get("real") is not None


TIMES = [t for t in TimeInForce if t not in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)]
sides = st.sampled_from(list(Side))
prices = st.integers(95, 105)
quantities = st.integers(1, 20)
actions = st.one_of(
    st.tuples(st.just("flow"), sides, prices, quantities),
    st.tuples(st.just("new"), sides, prices, quantities, st.sampled_from(TIMES)),
    st.tuples(st.just("stop"), sides, prices, quantities, prices),
    st.tuples(st.just("iceberg"), sides, prices, quantities, st.integers(1, 5)),
    st.tuples(st.just("post-only"), sides, prices, quantities),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("replace"), st.integers(0, 20), prices, quantities),
)


def act(exchange: Exchange, number: int, action: tuple[object, ...]) -> list[Report]:
    match action:
        case ("flow", Side() as side, int(price), int(qty)):
            return exchange.background(flow(f"b{number}", side, price, qty))
        case ("new", Side() as side, int(price), int(qty), TimeInForce() as tif):
            return exchange.new("s", new(str(number), side, qty, price, tif))
        case ("stop", Side() as side, int(price), int(qty), int(stop_px)):
            stop_limit = OrdType.STOP_LIMIT
            order = new(str(number), side, qty, price, ord_type=stop_limit, stop_px=stop_px)
            return exchange.new("s", order)
        case ("iceberg", Side() as side, int(price), int(qty), int(shown)):
            return exchange.new("s", new(str(number), side, qty, price, display_qty=shown))
        case ("post-only", Side() as side, int(price), int(qty)):
            return exchange.new("s", new(str(number), side, qty, price, is_post_only=True))
        case ("cancel", int(target)):
            return exchange.cancel("s", Cancel(cl_id=str(target), request_id=f"r{number}"))
        case ("replace", int(target), int(price), int(qty)):
            request = Replace(cl_id=str(target), request_id=f"r{number}", qty=qty, price=price)
            return exchange.replace("s", request)
    raise AssertionError(action)


@given(st.lists(actions, max_size=40))
def test_quantity_is_conserved_and_reports_tell_the_whole_story(
    steps: list[tuple[object, ...]],
) -> None:
    exchange = Exchange(SYMBOL)
    told = Exchange(SYMBOL)
    filled: dict[str, int] = {}
    numbers = []
    for number, step in enumerate(steps):
        for report in act(exchange, number, step):
            numbers.append(report.exec_no)
            filled[report.cl_id] = filled.get(report.cl_id, 0) + report.last_qty
            if report.exec_type is not ExecType.CANCEL_REJECTED and report.venue_order_id:
                assert report.cum_qty == filled[report.cl_id] <= report.qty
            told.records.restore(report)
        for order in exchange.records.working.values():
            at_rest = exchange.book.get(order.venue_order_id)
            assert (at_rest is None) == order.is_dormant
            if at_rest is not None:
                assert at_rest.leaves_qty + at_rest.hidden_qty == order.leaves_qty
                assert at_rest.price == order.price
    assert numbers == list(range(1, len(numbers) + 1))
    told.rest_again()
    assert told.records.working == exchange.records.working
    assert told.records.ended == exchange.records.ended
    assert told.records.answered == exchange.records.answered
    if any(step[0] == "iceberg" for step in steps):
        return  # a restart forgets which slice of an iceberg was shown
    for side in Side:
        assert [o.order_id for o in told.book.against(side, None)] == [
            o.order_id for o in exchange.book.against(side, None) if o.is_client
        ]
