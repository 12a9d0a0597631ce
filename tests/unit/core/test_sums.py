# SPDX-License-Identifier: Apache-2.0
"""What a scope is worth follows prices, rates and positions, and is what adding up gives."""

from tests.unit.core.test_exposure import EURO, rate, two_markets
from tests.unit.core.test_limits import bound, governed
from tests.unit.core.test_results import held, priced
from tradewind.core import commands
from tradewind.core.events import ReferencePriceSet
from tradewind.core.invariants import violations
from tradewind.core.sums import GROSS, KINDS, LONG, RESULT, SHORT, WORKING, result_at, total
from tradewind.core.testing import ACCOUNT, SYMBOL, VENUE, Desk
from tradewind.core.types import Side

CENT = 10**6
"""What a lot at a thousand ticks is worth at a rate of one, in 1e-8."""
MINE = f"account:{ACCOUNT}"


def worth(desk: Desk) -> list[int | None]:
    """By kind, in cents."""
    found = [total(desk.machine.state, MINE, kind) for kind in (WORKING, GROSS, LONG, SHORT)]
    assert violations(desk.machine.state) == []
    return [None if each is None else each // CENT for each in found]


def test_each_kind_counts_what_it_says_in_all_instruments() -> None:
    desk = two_markets(max_gross=1_000)
    assert worth(desk) == [0, 0, 0, 0]
    desk.fill(desk.submit("usd", order_qty=30).order_id, 20)
    assert worth(desk) == [10, 30, 30, -20]
    desk.submit("eur", symbol=EURO, order_qty=100, side=Side.SELL)
    assert worth(desk) == [10 + 110, 30 + 110, 30, 110 - 20]


def test_another_price_or_rate_changes_what_it_concerns() -> None:
    desk = two_markets(max_gross=1_000)
    desk.submit("usd", order_qty=20)
    desk.submit("eur", symbol=EURO, order_qty=100)
    assert worth(desk)[0] == 20 + 110
    desk.step(commands.SetReferencePrice(symbol=SYMBOL, price=500))
    assert worth(desk)[0] == 10 + 110
    rate(desk, "EUR", 2_000_000_000)
    assert worth(desk)[0] == 10 + 200


def test_what_has_no_rate_has_no_value_until_it_has_one() -> None:
    desk = two_markets(max_gross=1_000)
    desk.submit("usd", order_qty=20)
    words = {"account": ACCOUNT, "actor": "op", "reason": "x"}
    desk.step(
        commands.DefineInstrument(
            symbol="X-JPY", venue=VENUE, tick_size="0.01", lot_size="0.001", currency="JPY"
        )
    )
    desk.step(commands.SetReferencePrice(symbol="X-JPY", price=1_000))
    desk.step(commands.AdjustPosition(cl_ord_id="a", symbol="X-JPY", qty=5, price=1, **words))
    assert worth(desk) == [20, None, None, None]
    rate(desk, "JPY", 1_000_000_000)
    assert worth(desk) == [20, 25, 25, -5]


def test_a_result_can_be_asked_for_at_a_price_that_is_not_known_yet() -> None:
    desk = two_markets(max_gross=1_000)
    desk.fill(desk.submit("usd", order_qty=10).order_id, 10)
    state = desk.machine.state
    at = {
        price: result_at(state, MINE, ReferencePriceSet(symbol=SYMBOL, price=price, ts_ns=0))
        for price in (1_000, 1_100)
    }
    assert at == {1_000: 0, 1_100: CENT}
    assert total(state, MINE, RESULT) == 0
    elsewhere = ReferencePriceSet(symbol=SYMBOL, price=1, ts_ns=0)
    assert result_at(state, "account:NOBODY", elsewhere) == 0


def test_without_a_price_or_a_rate_only_what_is_not_there_has_a_value() -> None:
    for currency, result in (("USD", 500_000), ("JPY", None)):
        desk = two_markets(max_gross=1_000)
        desk.step(
            commands.DefineInstrument(
                symbol="X", venue=VENUE, tick_size="0.01", lot_size="0.001", currency=currency
            )
        )
        state = desk.machine.state
        adjust(desk, "bought", 5, 1_000)
        assert [total(state, MINE, kind) for kind in KINDS] == [0, None, None, None, None]
        at = ReferencePriceSet(symbol="X", price=1_100, ts_ns=0)
        assert result_at(state, MINE, at) == result
        adjust(desk, "sold", -5, 1_100)
        assert [total(state, MINE, kind) for kind in KINDS] == [0, 0, 0, 0, result]


def adjust(desk: Desk, cl_ord_id: str, qty: int, price: int) -> None:
    words = {"account": ACCOUNT, "actor": "op", "reason": "x", "cl_ord_id": cl_ord_id}
    desk.step(commands.AdjustPosition(symbol="X", qty=qty, price=price, **words))


def test_what_changes_often_is_valued_once() -> None:
    desk = two_markets(max_gross=1_000)
    desk.submit()
    worth(desk)
    for price in (900, 1_000, 1_100):
        desk.step(commands.SetReferencePrice(symbol=SYMBOL, price=price))
    assert len(desk.machine.state.tallies.sums[MINE].outdated) == 1


def test_a_change_that_nobody_noted_is_a_broken_law() -> None:
    desk = two_markets(max_gross=1_000)
    desk.submit("usd", order_qty=20)
    assert worth(desk)[0] == 20
    desk.machine.state.references[SYMBOL] = ReferencePriceSet(symbol=SYMBOL, price=1, ts_ns=0)
    assert any("is worth" in law for law in violations(desk.machine.state))


def test_who_begins_to_trade_after_a_bound_was_set_is_bounded_too() -> None:
    desk = governed()
    bound(desk, "strategy:*", max_loss_e8=0)
    held(desk)
    assert priced(desk, 1_000) == []
    desk.fill(desk.submit("late", strategy="late", order_qty=10).order_id, 10)
    assert sorted(each.scope for each in priced(desk, 990)) == [
        "strategy:late",
        "strategy:strategy",
    ]
