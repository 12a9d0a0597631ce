# SPDX-License-Identifier: Apache-2.0
"""Orders: what every adapter has the venue do, and what it says of it."""

from itertools import product
from typing import Any

import pytest

from tests.acceptance.venue.requests import PRICE, QTY, cancel, change, new
from tests.acceptance.venue.rig import Rig
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce

pytestmark = pytest.mark.anyio

NEW, TRADE, REJECTED = ExecType.NEW, ExecType.TRADE, ExecType.REJECTED
CANCELED, EXPIRED = ExecType.CANCELED, ExecType.EXPIRED
UNFILLED = (CANCELED, EXPIRED)
REPLACE_ANSWERS = (ExecType.REPLACED, ExecType.REPLACE_REJECTED)
NUMBERS = ((1, 1), (12_345_678, 1_234_567), (2**53 + 1, 9_999_999))


async def test_a01_a_new_order_is_acknowledged(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        told = await line.until(order.order_id, NEW)
        assert told.exec_id
        [taken] = rig.executions(order.order_id, NEW)
        assert told.venue_order_id.lstrip("V") == taken["venue_order_id"].lstrip("V")


async def test_a02_a_market_order_is_filled_with_price_quantity_and_fee(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        await other.order("ask", side="SELL", qty=QTY, price=1_234_567)
        order = new(rig.order_id(), ord_type=OrdType.MARKET, price=0)
        await line.send(order)
        told = await line.until(order.order_id, TRADE)
        assert (told.last_qty, told.last_px) == (QTY, 1_234_567)
        [executed] = rig.executions(order.order_id, TRADE)
        assert told.fee_e8 == executed["fee_e8"] > 0
        assert told.fee_currency == executed["fee_currency"]


async def test_a03_fills_of_a_resting_order_are_told_one_by_one(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        await other.order("first", side="SELL", qty=4)
        first = await line.until(order.order_id, TRADE)
        await other.order("second", side="SELL", qty=6)
        second = await line.until(order.order_id, TRADE, count=2)
        assert (first.last_qty, second.last_qty) == (4, 6)
        assert first.exec_id != second.exec_id
        assert line.reports(order.order_id, *UNFILLED) == []


async def test_a04_an_ioc_order_takes_what_is_there_and_ends(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        await other.order("ask", side="SELL", qty=3)
        order = await line.send(new(rig.order_id(), time_in_force=TimeInForce.IOC))
        await line.until(order.order_id, *UNFILLED)
        assert sum(r.last_qty for r in line.reports(order.order_id, TRADE)) == 3


async def test_a05_a_fok_order_that_cannot_be_filled_ends_without_a_trade(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        await other.order("ask", side="SELL", qty=3)
        order = await line.send(new(rig.order_id(), time_in_force=TimeInForce.FOK))
        await line.until(order.order_id, *UNFILLED)
        assert line.reports(order.order_id, TRADE) == []


async def test_a06_a_cancel_ends_the_order_and_names_its_request(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        request = await line.send(cancel(order, rig.order_id()))
        told = await line.until(order.order_id, CANCELED)
        assert told.request_id == request.request_id


async def test_a07_a_repeated_cancel_is_answered_and_harmless(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        request = await line.send(cancel(order, rig.order_id()))
        await line.until(order.order_id, CANCELED)
        answers = len(line.heard)
        await line.send(request)
        await line.until_more_than(answers)
        assert len(line.reports(order.order_id, CANCELED)) == 1
        assert len(rig.executions(order.order_id, CANCELED)) == 1


async def test_a08_a_cancel_of_an_order_that_the_venue_never_had_is_refused(rig: Rig) -> None:
    async with rig.line() as line:
        never = new(rig.order_id())
        request = await line.send(cancel(never, rig.order_id()))
        told = await line.until(never.order_id, ExecType.CANCEL_REJECTED)
        assert told.request_id == request.request_id
        assert told.text


async def test_a09_less_quantity_keeps_the_order_and_its_id(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        acknowledged = await line.until(order.order_id, NEW)
        request = await line.send(change(order, rig.order_id(), order_qty=6))
        told = await line.until(order.order_id, ExecType.REPLACED)
        assert (told.request_id, told.order_qty, told.price) == (request.request_id, 6, PRICE)
        assert told.venue_order_id == acknowledged.venue_order_id
        answers = len(line.heard)
        await line.send(request)
        await line.until_more_than(answers)
        assert [r["qty"] for r in rig.executions(order.order_id, ExecType.REPLACED)] == [6]


async def test_a10_another_price_is_given_natively_or_refused_never_faked(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id()))
        await line.until(order.order_id, NEW)
        request = await line.send(change(order, rig.order_id(), price=PRICE + 1))
        told = await line.until(order.order_id, *REPLACE_ANSWERS)
        assert told.request_id == request.request_id
        if rig.traits.replaces_any:
            assert (told.exec_type, told.price) == (ExecType.REPLACED, PRICE + 1)
        else:
            assert (told.exec_type, told.text) == (ExecType.REPLACE_REJECTED, "CANNOT_REPLACE")
        assert len(rig.executions(order.order_id, NEW)) == 1
        assert rig.executions(order.order_id, CANCELED) == []


async def test_a11_an_order_that_the_venue_refuses_is_rejected_with_its_reason(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        await other.order("ask", side="SELL")
        order = await line.send(new(rig.order_id(), is_post_only=True))
        told = await line.until(order.order_id, REJECTED)
        assert told.text
        assert rig.executions(order.order_id, TRADE) == []


async def test_a12_an_order_in_an_unknown_symbol_is_rejected(rig: Rig) -> None:
    async with rig.line() as line:
        order = await line.send(new(rig.order_id(), symbol="NO-SUCH"))
        assert (await line.until(order.order_id, REJECTED)).text
        assert rig.executions(order.order_id, NEW) == []


TERMS: dict[str, dict[str, Any]] = {
    "day": {"time_in_force": TimeInForce.DAY},
    "gtd": {"time_in_force": TimeInForce.GTD, "expire_ns": 4 * 10**18},
    "stop": {"ord_type": OrdType.STOP, "price": 0, "stop_px": 500},
    "stop limit": {"ord_type": OrdType.STOP_LIMIT, "price": 510, "stop_px": 500},
    "iceberg": {"display_qty": 2},
    "post only": {"is_post_only": True},
}
LEDGER_TERMS = ("ord_type", "time_in_force", "price", "stop_px", "display_qty", "is_post_only")


async def test_a13_terms_reach_the_venue_unchanged_or_are_refused(rig: Rig) -> None:
    async with rig.line() as line:
        for name, terms in TERMS.items():
            order = await line.send(new(rig.order_id(), **terms))
            told = await line.until(order.order_id, NEW, REJECTED)
            if told.exec_type is REJECTED:
                assert not rig.traits.has_all_terms, name
                assert told.text == "TERMS_NOT_SUPPORTED", name
                assert rig.ledger(order.order_id) == [], name
            else:
                [taken] = rig.executions(order.order_id, NEW)
                assert [taken[term] for term in LEDGER_TERMS] == [
                    getattr(order, term) for term in LEDGER_TERMS
                ], name


async def test_a14_quantities_and_prices_are_converted_exactly(rig: Rig) -> None:
    async with rig.line() as line, rig.counterparty() as other:
        for side, (qty, price) in product(Side, NUMBERS):
            order = await line.send(new(rig.order_id(), side, order_qty=qty, price=price))
            await line.until(order.order_id, NEW)
            [taken] = rig.executions(order.order_id, NEW)
            assert (taken["qty"], taken["price"], taken["side"]) == (qty, price, side)
            await other.order(f"all-{order.order_id}", side=side.opposite, qty=qty, price=price)
            told = await line.until(order.order_id, TRADE)
            assert (told.last_qty, told.last_px) == (qty, price)
            assert told.fee_e8 == rig.executions(order.order_id, TRADE)[0]["fee_e8"]
