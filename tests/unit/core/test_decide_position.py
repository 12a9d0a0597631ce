# SPDX-License-Identifier: Apache-2.0
"""What a venue states is what was booked; if it is not, everything is told again, then it halts."""

from dataclasses import replace

import pytest

from tradewind.core import commands
from tradewind.core.events import ControlRefused, PositionStated, TradingStateSet
from tradewind.core.testing import ACCOUNT, STATEMENT, SYMBOL, VENUE, Desk, one
from tradewind.core.types import ExecType, Reason, Side, TradingState


@pytest.fixture
def desk() -> Desk:
    """Holds 4 lots; 6 are open to buy, 10 to sell, 10 are not acknowledged yet."""
    desk = Desk.opened()
    desk.take_session()
    bought = desk.submit("c1").order_id
    desk.ack(bought)
    desk.fill(bought, 4)
    desk.ack(desk.submit("c2", side=Side.SELL).order_id)
    desk.submit("c3")
    return desk


def halts(desk: Desk) -> list[TradingStateSet]:
    return [event for event in desk.outputs if isinstance(event, TradingStateSet)]


def test_what_adds_up_is_settled(desk: Desk) -> None:
    stated = desk.state_position(qty=4, open_buy_qty=6, open_sell_qty=10, exec_no=9)
    assert stated.difference == (0, 0, 0)
    assert (stated.is_settled, stated.settled_exec_no) == (True, 9)
    assert halts(desk) == []


def test_children_count_and_their_parent_does_not(desk: Desk) -> None:
    desk.submit("parent", is_parent=True, order_qty=20)
    desk.ack(desk.submit("child", parent_cl_ord_id="parent", order_qty=3).order_id)
    assert desk.state_position(qty=4, open_buy_qty=9, open_sell_qty=10).is_settled


def test_another_instrument_is_another_matter(desk: Desk) -> None:
    other = {"venue": VENUE, "tick_size": "0.01", "lot_size": "1", "currency": "USD"}
    desk.step(commands.DefineInstrument(symbol="OTHER", **other))
    terms = {"account": "HOUSE", "symbol": "OTHER", "side": Side.BUY, "order_qty": 5}
    desk.report("theirs", ExecType.TRADE, last_qty=3, last_px=1_000, **terms)
    assert desk.state_position(qty=4, open_buy_qty=6, open_sell_qty=10).is_settled
    stated = desk.state_position(symbol="OTHER", qty=3, open_buy_qty=2, open_sell_qty=0)
    assert (stated.symbol, stated.is_settled) == ("OTHER", True)


def test_a_statement_says_both_sides_of_the_matter(desk: Desk) -> None:
    stated = desk.state_position(qty=9, open_buy_qty=8, open_sell_qty=7, exec_no=6)
    assert stated == PositionStated(
        venue=VENUE,
        symbol=SYMBOL,
        exec_no=6,
        qty=9,
        open_buy_qty=8,
        open_sell_qty=7,
        booked_qty=4,
        working_buy_qty=6,
        working_sell_qty=10,
        is_complete=False,
        is_settled=False,
        settled_exec_no=0,
    )


def test_a_venue_may_say_only_what_it_holds(desk: Desk) -> None:
    assert desk.state_position(qty=4).is_settled
    assert not desk.state_position(qty=5).is_settled


@pytest.mark.parametrize("wrong", [{"qty": 5}, {"open_buy_qty": 0}, {"open_sell_qty": 11}], ids=str)
def test_a_difference_has_all_told_again_and_then_halts(desk: Desk, wrong: dict[str, int]) -> None:
    right = {"qty": 4, "open_buy_qty": 6, "open_sell_qty": 10}
    desk.state_position(**right, exec_no=7)
    first = desk.state_position(**{**right, **wrong}, exec_no=9)
    assert (first.is_settled, first.settled_exec_no) == (False, 7)
    assert halts(desk) == []
    second = desk.state_position(**{**right, **wrong}, exec_no=9, is_complete=True)
    assert (second.is_settled, second.settled_exec_no) == (True, 9)
    (halt,) = halts(desk)
    assert (halt.scope, halt.state, halt.actor) == (f"symbol:{SYMBOL}", TradingState.HALTED, "core")
    assert halt.reason == f"SIM differs by {second.difference} (held, to buy, to sell)"
    assert desk.submit("c4").reason is Reason.TRADING_HALTED


def test_a_report_that_was_lost_settles_it_when_it_is_told_again(desk: Desk) -> None:
    assert not desk.state_position(qty=5).is_settled
    order_id = desk.submit("c4").order_id
    desk.ack(order_id)
    desk.fill(order_id, 1)
    assert desk.state_position(qty=5, is_complete=True).difference == (0, 0, 0)
    assert halts(desk) == []


def test_a_known_difference_does_not_halt_again_but_another_does(desk: Desk) -> None:
    desk.state_position(qty=5, is_complete=True)
    desk.trading(TradingState.ACTIVE, f"symbol:{SYMBOL}")
    assert desk.state_position(qty=5).is_settled
    desk.state_position(qty=5, is_complete=True)
    assert len(halts(desk)) == 2
    assert not desk.state_position(qty=6).is_settled
    desk.state_position(qty=6, is_complete=True)
    assert len(halts(desk)) == 3
    assert desk.state_position(qty=4).is_settled
    assert not desk.state_position(qty=6).is_settled


def test_adjustments_are_no_trades_of_the_venue(desk: Desk) -> None:
    desk.step(
        commands.AdjustPosition(
            account=ACCOUNT,
            cl_ord_id="a",
            symbol=SYMBOL,
            qty=50,
            price=1_000,
            actor="ops",
            reason="transfer",
        )
    )
    assert desk.state_position(qty=4).is_settled


def test_fills_of_all_accounts_add_up(desk: Desk) -> None:
    terms = {"account": "HOUSE", "symbol": SYMBOL, "side": Side.SELL, "order_qty": 5}
    desk.report("theirs", ExecType.TRADE, last_qty=3, last_px=1_000, **terms)
    assert desk.state_position(qty=1, open_buy_qty=6, open_sell_qty=12).is_settled


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"epoch": 7, "exec_no": 3}, Reason.TOO_LATE),
        ({"epoch": 1, "exec_no": 2}, Reason.TOO_LATE),
        ({"epoch": 1, "symbol": "OTHER"}, Reason.UNKNOWN_INSTRUMENT),
        ({"epoch": 1, "venue": "ELSEWHERE"}, Reason.UNKNOWN_INSTRUMENT),
    ],
)
def test_what_comes_too_late_or_is_about_something_else_is_not_listened_to(
    desk: Desk, changes: dict[str, object], reason: Reason
) -> None:
    events = desk.step(replace(STATEMENT, qty=99, is_complete=True, **changes))  # type: ignore[arg-type]
    refused = one(events, ControlRefused)
    assert (refused.command, refused.reason, refused.text) == ("StatePosition", reason, "")
    assert refused.subject == changes.get("symbol", SYMBOL)
    assert halts(desk) == []
