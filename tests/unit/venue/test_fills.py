# SPDX-License-Identifier: Apache-2.0
"""An end is believed when its fills were told; otherwise once they are, or when all is said."""

from dataclasses import replace

from tests.unit.venue.fakes import report
from tradewind.core.commands import StatePosition
from tradewind.core.types import ExecType
from tradewind.venue.fills import Fills

NEW = report(1)
FIRST = replace(report(2), exec_type=ExecType.TRADE, last_qty=3)
SECOND = replace(report(3), exec_type=ExecType.TRADE, last_qty=2)
END = replace(report(9), exec_type=ExecType.CANCELED)


def test_an_end_after_all_of_its_fills_is_believed() -> None:
    fills = Fills()
    told = [(NEW, 0), (FIRST, 3), (FIRST, 3), (SECOND, 5), (END, 5)]
    assert not any(fills.is_missing_some(*each) for each in told)


def test_an_end_before_one_of_its_fills_waits_until_all_is_told_again() -> None:
    fills = Fills()
    assert not fills.is_missing_some(FIRST, 3)
    assert fills.is_missing_some(END, 5)
    again = [(NEW, 0), (FIRST, 3), (SECOND, 5), (END, 5)]
    assert not any(fills.is_missing_some(*each) for each in again)


def test_an_end_that_never_fits_is_believed_when_everything_was_told_again() -> None:
    fills = Fills()
    assert fills.told_all(END.order_id) is None
    assert [fills.is_missing_some(END, 5) for _ in range(2)] == [True, True]
    assert fills.told_all(END.order_id) == END
    assert fills.told_all(END.order_id) is None


def test_a_bust_and_a_correction_count_as_what_they_leave() -> None:
    fills = Fills()
    corrected = replace(report(4), exec_type=ExecType.TRADE_CORRECT, exec_ref_id="S2", last_qty=1)
    busted = replace(report(5), exec_type=ExecType.TRADE_CANCEL, exec_ref_id="S3")
    for each in (FIRST, SECOND, corrected, busted):
        fills.is_missing_some(each, 0)
    assert not fills.is_missing_some(END, 1)


def test_a_position_stated_while_an_end_waits_for_its_fills_proves_nothing() -> None:
    fills = Fills()
    stated = StatePosition(
        venue="SIM",
        epoch=1,
        symbol="S",
        exec_no=9,
        qty=0,
        open_buy_qty=0,
        open_sell_qty=0,
        is_complete=True,
    )
    assert fills.weighed(stated).is_complete
    fills.is_missing_some(END, 5)
    assert not fills.weighed(stated).is_complete
    fills.told_all(END.order_id)
    assert fills.weighed(stated).is_complete
