# SPDX-License-Identifier: Apache-2.0
"""What the FIX adapter is made of: addresses, reserved numbers, words."""

from typing import Any

import pytest

from tests.acceptance.venue.requests import cancel, change, new
from tests.acceptance.venue.rig import Reserved
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce
from tradewind.fix import tags
from tradewind.fix.message import Message, Sent
from tradewind.fix.store import OutOfNumbers
from tradewind.venue.fix_numbers import BLOCK, Numbers
from tradewind.venue.fix_questions import Questions, is_answer
from tradewind.venue.fix_words import NoSuchInstrument, Words
from tradewind.venue.instruments import Instruments

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def words() -> Words:
    instruments = Instruments()
    instruments.define("BTC-USD", "0.01", "0.001")
    return Words("SIM", instruments)


def said(msg_type: str, *fields: tuple[int, str]) -> Message:
    """A message of the venue's."""
    return Message(msg_type, 7, dict(fields))


def report(**more: str) -> Message:
    """A trade of 0.004 at 1.25 of order `o`, unless told otherwise."""
    fields = {
        tags.EXEC_TYPE: "F",
        tags.ORD_STATUS: "1",
        tags.ORDER_ID: "V1",
        tags.EXEC_ID: "E1",
        tags.CL_ORD_ID: "o",
        tags.SYMBOL: "BTC-USD",
        tags.SIDE: "1",
        tags.LAST_QTY: "0.004",
        tags.LAST_PX: "1.25",
        tags.ORDER_QTY: "0.010",
        tags.PRICE: "1.30",
    }
    return said("8", *(fields | {int(tag[1:]): value for tag, value in more.items()}).items())


async def test_no_number_is_used_that_is_not_reserved() -> None:
    numbers = Numbers(Reserved(), "S-0")
    with pytest.raises(OutOfNumbers):
        _ = numbers.next_out
    await numbers.begin()
    assert numbers.next_out == 1
    numbers.sent(Sent(BLOCK, "0", (), ""))
    assert numbers.is_low
    with pytest.raises(OutOfNumbers):
        _ = numbers.next_out
    await numbers.extend()
    assert (numbers.next_out, numbers.is_low) == (BLOCK + 1, False)


async def test_a_successor_begins_where_nothing_was_reserved() -> None:
    ceilings = Reserved()
    first, second = Numbers(ceilings, "S-0"), Numbers(ceilings, "S-0")
    await first.begin()
    await second.begin()
    assert second.next_out == BLOCK + 1
    await first.extend()
    first.sent(Sent(BLOCK, "0", (), ""))
    with pytest.raises(OutOfNumbers):
        _ = first.next_out


async def test_numbers_can_begin_where_the_venue_wants() -> None:
    numbers = Numbers(Reserved(), "S-0")
    await numbers.begin(at_least=777)
    assert numbers.next_out == 777


def test_a_new_order_has_its_terms_in_decimals(words: Words) -> None:
    request = new(
        "o",
        Side.SELL,
        ord_type=OrdType.STOP_LIMIT,
        time_in_force=TimeInForce.GTD,
        order_qty=12,
        price=130,
        stop_px=125,
        display_qty=3,
        is_post_only=True,
        expire_ns=1_772_445_600_000_000_000,
    )
    msg_type, body = words.order(request, 0)
    fields = dict(body)
    assert msg_type == tags.NEW_ORDER_SINGLE
    assert (fields[11], fields[526], fields[55], fields[54]) == ("o", "o", "BTC-USD", "2")
    assert (fields[40], fields[59], fields[126]) == ("4", "6", "20260302-10:00:00.000")
    assert (fields[38], fields[44], fields[99], fields[111]) == ("0.012", "1.3", "1.25", "0.003")
    assert fields[18] == "6"


def test_a_cancel_names_the_order_as_the_venue_does_now(words: Words) -> None:
    order = new("o")
    assert dict(words.order(cancel(order, "c1"), 0)[1])[41] == "o"
    replaced = report(t150="5", t11="r1", t41="o", t526="o")
    made = words.report(replaced, 9)
    assert (made.order_id, made.request_id, made.exec_type) == ("o", "r1", ExecType.REPLACED)
    fields = dict(words.order(cancel(order, "c2"), 0)[1])
    assert (fields[11], fields[41], fields[37], fields[526]) == ("c2", "r1", "V1", "o")
    fields = dict(words.order(change(order, "r2", order_qty=5), 0)[1])
    assert (fields[41], fields[38]) == ("r1", "0.005")


def test_what_has_no_grid_is_not_sent(words: Words) -> None:
    with pytest.raises(NoSuchInstrument):
        words.order(new("o", symbol="OTHER"), 0)


def test_a_trade_is_told_in_lots_and_ticks(words: Words) -> None:
    made = words.report(report(t12="0.00000001", t13="3", t479="USD"), 41)
    assert (made.last_qty, made.last_px, made.order_qty, made.price) == (4, 125, 10, 130)
    assert (made.exec_no, made.exec_id, made.venue_order_id) == (41, "E1", "V1")
    assert (made.fee_e8, made.fee_currency, made.symbol, made.side) == (1, "USD", "BTC-USD", "BUY")


def test_an_unasked_cancel_names_no_request(words: Words) -> None:
    made = words.report(report(t150="4", t39="4"), 1)
    assert (made.exec_type, made.request_id) == (ExecType.CANCELED, "")


def test_a_refused_request_has_one_name_for_ever(words: Words) -> None:
    refused = said("9", (11, "c1"), (41, "o"), (434, "2"), (58, "TOO_LATE"))
    made = words.refusal(refused, 5)
    assert (made.exec_type, made.order_id, made.request_id, made.exec_id) == (
        ExecType.REPLACE_REJECTED,
        "o",
        "c1",
        "NO-c1",
    )


@pytest.mark.parametrize(
    ("kind", "reference", "expected"),
    [("0", "", ExecType.TRADE), ("1", "E0", ExecType.TRADE_CANCEL)],
)
def test_a_trade_that_is_asked_for_has_the_name_it_had(
    words: Words, kind: str, reference: str, expected: ExecType
) -> None:
    fields = [(487, kind), (571, "E1"), (55, "BTC-USD"), (32, "0.004"), (31, "1.25"), (526, "o")]
    if reference:
        fields.append((572, reference))
    made = words.trade(said("AE", *fields))
    assert (made.exec_type, made.exec_id, made.exec_ref_id, made.exec_no) == (
        expected,
        "E1",
        reference,
        0,
    )


@pytest.mark.parametrize(
    ("status", "asked", "expected"),
    [
        ("0", None, ExecType.NEW),
        ("1", "r1", ExecType.REPLACED),
        ("4", None, ExecType.CANCELED),
        ("C", None, ExecType.EXPIRED),
        ("2", None, None),
        ("A", None, None),
    ],
)
def test_a_state_says_what_is_proved_by_it(
    words: Words, status: str, asked: str | None, expected: ExecType | None
) -> None:
    request: VenueRequest | None = change(new("o"), asked) if asked else None
    answer = report(t150="I", t39=status, t526="o", t11=asked or "o")
    made = words.state(answer, request)
    assert (None if made is None else made.exec_type) == expected
    assert made is None or made.last_qty == 0 or expected is not ExecType.NEW


def test_an_order_that_is_not_there_proves_nothing(words: Words) -> None:
    assert words.state(report(t150="I", t39="8", t37="NONE"), None) is None


def test_no_two_questions_have_the_same_name() -> None:
    one, other = Questions(), Questions()
    names = [questions.name() for questions in (one, other, one, other)]
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (report(t150="I"), True),
        (report(), False),
        (said("j", (58, "x")), True),
        (said("AP"), True),
        (said("AE"), False),
        (said("9"), False),
    ],
)
def test_answers_are_told_from_what_has_happened(message: Any, expected: bool) -> None:
    assert is_answer(message) is expected
