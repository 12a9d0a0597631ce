# SPDX-License-Identifier: Apache-2.0
"""What the page shows."""

from dataclasses import replace

from tests.unit.risk.test_book import ACCEPTED
from tradewind.console.projection import ORDERS_MAX, Projection
from tradewind.core.events import InstrumentDefined, TradingStateSet
from tradewind.core.types import ExecType, OrdStatus, TradingState


def projection() -> Projection:
    made = Projection()
    made.take(
        InstrumentDefined(symbol="S", venue="SIM", tick_size="0.01", lot_size="0.1", currency="USD")
    )
    return made


def test_an_order_is_one_row_however_often_it_is_reported() -> None:
    made = projection()
    made.take(ACCEPTED)
    made.take(
        replace(
            ACCEPTED,
            exec_type=ExecType.TRADE,
            ord_status=OrdStatus.PARTIALLY_FILLED,
            last_qty=4,
            last_px=99,
            cum_qty=4,
            leaves_qty=6,
        )
    )
    (row,) = made.plain()["orders"]
    assert (row["status"], row["cum"], row["leaves"], row["price"]) == (
        "PARTIALLY_FILLED",
        "0.4",
        "0.6",
        "1",
    )
    assert made.plain()["fills"][0]["last_px"] == "0.99"


def test_a_busted_fill_goes_and_a_corrected_one_changes() -> None:
    made = projection()
    trade = replace(ACCEPTED, exec_type=ExecType.TRADE, last_px=99, last_qty=4)
    made.take(replace(trade, venue_exec_id="S1"))
    made.take(replace(trade, venue_exec_id="S2"))
    made.take(replace(trade, venue_exec_id="S2", order_id="parent", is_parent=True))
    correct = replace(trade, exec_type=ExecType.TRADE_CORRECT, last_qty=3)
    made.take(replace(correct, venue_exec_id="S3", venue_exec_ref_id="S1"))
    bust = replace(trade, exec_type=ExecType.TRADE_CANCEL, last_qty=0)
    made.take(replace(bust, venue_exec_id="S4", venue_exec_ref_id="S2"))
    fills = made.plain()["fills"]
    assert [(row["exec_id"], row["last_qty"]) for row in fills] == [("S3", "0.3")]
    assert made.plain()["counts"]["TRADE"] == 2


def test_the_blotter_keeps_only_the_newest() -> None:
    made = projection()
    for number in range(ORDERS_MAX + 5):
        made.take(replace(ACCEPTED, order_id=f"seg-0-{number}"))
    rows = made.plain()["orders"]
    assert len(rows) == ORDERS_MAX
    assert rows[0]["order_id"] == f"seg-0-{ORDERS_MAX + 4}"


def test_a_halted_scope_is_shown_until_it_is_open_again() -> None:
    made = projection()
    halted = TradingStateSet(scope="firm", state=TradingState.HALTED, actor="op", reason="why")
    made.take(halted)
    assert [state["scope"] for state in made.plain()["states"]] == ["firm"]
    made.take(replace(halted, state=TradingState.ACTIVE))
    assert made.plain()["states"] == []


def test_orders_per_second_forgets_what_is_old() -> None:
    made = projection()
    made.take(ACCEPTED)
    assert made.orders_per_s(now_ns=2) == 0.1
    assert made.orders_per_s(now_ns=60_000_000_000) == 0.0
