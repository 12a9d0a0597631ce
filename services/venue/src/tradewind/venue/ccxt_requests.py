# SPDX-License-Identifier: Apache-2.0
"""A request -> the exchange, once, and what became of it.

1. An error that leaves the outcome open is told as that (`ccxt_errors`); nothing goes out again.
2. A cancel carries the name of its request, so that any report of its effect names it too.
3. What the exchange cannot do as it was asked is refused here. Nothing similar is done instead; a
   cancel and a new order are not a replace.
"""

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ccxt.base.errors import BaseError

from tradewind.common.grid import Grid, GridError
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, VenueAction
from tradewind.venue.adapter import FromVenue, InDoubt, NotDone, VenueGone
from tradewind.venue.ccxt_client import Stamp, retry_s
from tradewind.venue.ccxt_errors import Outcome, outcome_of
from tradewind.venue.ccxt_orders import Plain, Reporter, arguments, lots, ticks, unified
from tradewind.venue.ccxt_teller import Teller
from tradewind.venue.ccxt_terms import Terms
from tradewind.venue.instruments import Instruments

log = logging.getLogger(__name__)

CANNOT_REPLACE = "CANNOT_REPLACE"
TERMS_NOT_SUPPORTED = "TERMS_NOT_SUPPORTED"
OFF_GRID = "OFF_THE_EXCHANGE_GRID"
QUESTIONS_MAX = 8
REFUSED = {
    VenueAction.NEW: ExecType.REJECTED,
    VenueAction.CANCEL: ExecType.CANCEL_REJECTED,
    VenueAction.REPLACE: ExecType.REPLACE_REJECTED,
}


class Requests:
    """What one connection asks for."""

    def __init__(
        self,
        client: Any,
        terms: Terms,
        stamp: Stamp,
        reporter: Reporter,
        teller: Teller,
        instruments: Instruments,
        say: Callable[[FromVenue], None],
    ) -> None:
        self._client = client
        self._terms = terms
        self._stamp = stamp
        self._reporter = reporter
        self._teller = teller
        self._instruments = instruments
        self._say = say
        self._questions = asyncio.Semaphore(QUESTIONS_MAX)

    async def do(self, request: VenueRequest) -> None:
        """Sends a request and tells what became of it."""
        grid = self._instruments.grid(request.symbol)
        if grid is None or unified(request.symbol) not in self._client.markets:
            self._refuse(request, "UNKNOWN_SYMBOL")
            return
        try:
            match request.action:
                case VenueAction.NEW:
                    await self._new(request, grid)
                case VenueAction.CANCEL:
                    await self._cancel(request)
                case VenueAction.REPLACE:
                    await self._replace(request, grid)
                case VenueAction.STATUS:
                    raise AssertionError("a question is asked, not sent")
        except BaseError as error:
            await self._failed(request, error)

    async def exists(self, request: VenueRequest) -> bool:
        """Whether the exchange shows the order.

        Raises:
            VenueGone: if it does not say.
        """
        while True:
            try:
                await self._fetch(request)
            except BaseError as error:
                match self._outcome(error):
                    case Outcome.ABSENT:
                        return False
                    case Outcome.LATER | Outcome.STALE:
                        await asyncio.sleep(retry_s(self._client))
                    case _:
                        raise VenueGone(f"a question has no answer: {error!r}") from error
            else:
                return True

    async def prove(self, request: VenueRequest) -> None:
        """Tells all of an order and what became of the request, if the exchange shows it.

        That it shows nothing proves nothing here: it may be behind.
        """
        grid = self._instruments.grid(request.symbol)
        if grid is None:
            return
        try:
            order = await self._fetch(request)
        except BaseError as error:
            log.warning("asked about %s: %r", request.order_id, error)
            return
        if order["status"] != "open":
            await self._ended(request, order)
            return
        exec_id = f"STATUS-{self._stamp.now_ms()}-{request.request_id}"
        await self._teller.prove(order, request.order_id, exec_id)
        is_replace = request.action is VenueAction.REPLACE
        if is_replace and lots(order["amount"], grid) == request.order_qty:
            self._replaced(request, order, grid)

    async def _new(self, request: VenueRequest, grid: Grid) -> None:
        new = arguments(request, grid, self._terms)
        if new is None:
            self._refuse(request, TERMS_NOT_SUPPORTED)
            return
        symbol = unified(request.symbol)
        if not self._is_on_its_grid(symbol, new.amount, new.price):
            self._refuse(request, OFF_GRID)
            return
        order = await self._client.create_order(
            symbol, new.kind, new.side, new.amount, new.price, new.params
        )
        await self._teller.order(order, order_id=request.order_id)

    async def _cancel(self, request: VenueRequest) -> None:
        named = self._terms.canceling(request.order_id, request.request_id)
        order = await self._client.cancel_order(None, unified(request.symbol), named)
        await self._teller.order(order, order_id=request.order_id, request_id=request.request_id)

    async def _replace(self, request: VenueRequest, grid: Grid) -> None:
        """Less quantity only: everything else would be another order."""
        order = await self._fetch(request)
        if order["status"] != "open":
            await self._ended(request, order)
            return
        qty = lots(order["amount"], grid)
        stops = (0, ticks(order.get("triggerPrice"), grid))
        is_same = ticks(order["price"], grid) == request.price and request.stop_px in stops
        if not is_same or request.order_qty > qty:
            self._refuse(request, CANNOT_REPLACE)
            return
        if request.order_qty < qty:
            amount = grid.lots_to_text(request.order_qty)
            symbol = unified(request.symbol)
            await self._terms.amend(self._client, symbol, request.order_id, amount)
            order = await self._fetch(request)
        await self._teller.order(order, order_id=request.order_id)
        self._replaced(request, order, grid)

    def _replaced(self, request: VenueRequest, order: Plain, grid: Grid) -> None:
        """The order has the terms that were asked for."""
        name, replaced = f"A-{request.request_id}", ExecType.REPLACED
        self._say(
            self._reporter.state(request.order_id, order, grid, replaced, name, request.request_id)
        )

    async def _ended(self, request: VenueRequest, order: Plain) -> None:
        """Tells an order's end; it is what a cancel was for, or came before a request."""
        is_done = order["status"] == "canceled" and request.action is VenueAction.CANCEL
        request_id = request.request_id if is_done else ""
        await self._teller.order(
            order, order_id=request.order_id, request_id=request_id, is_again=True
        )
        if request.action in (VenueAction.CANCEL, VenueAction.REPLACE) and not is_done:
            self._refuse(request, "TOO_LATE")

    async def _failed(self, request: VenueRequest, error: BaseError) -> None:
        """Says what an error means for a request."""
        log.warning("%s of %s: %r", request.action, request.order_id, error)
        match self._outcome(error):
            case Outcome.NOT_DONE:
                self._refuse(request, f"{type(error).__name__}: {error}")
            case Outcome.ABSENT:
                await self._absent(request)
            case Outcome.EXISTS:
                await self.prove(request)
            case Outcome.LATER | Outcome.STALE:
                self._say(NotDone(request.request_id, retry_s(self._client)))
            case Outcome.UNKNOWN:
                self._say(InDoubt(request.request_id))

    async def _absent(self, request: VenueRequest) -> None:
        """A request for an order that does not work any more, or never did."""
        try:
            order = await self._fetch(request)
        except BaseError as error:
            if self._outcome(error) is Outcome.ABSENT:
                self._refuse(request, "UNKNOWN_ORDER")
            else:
                self._say(InDoubt(request.request_id))
            return
        if order["status"] == "open":
            self._say(InDoubt(request.request_id))
        else:
            await self._ended(request, order)

    async def _fetch(self, request: VenueRequest) -> Plain:
        """The order as the exchange shows it. Questions wait for each other unsigned."""
        named = self._terms.named(request.order_id)
        async with self._questions:
            found: Plain = await self._client.fetch_order(None, unified(request.symbol), named)
        return found

    def _is_on_its_grid(self, symbol: str, amount: str, price: str | None) -> bool:
        """Whether the exchange takes these very numbers: ccxt would cut and round silently."""
        steps = self._client.markets[symbol]["precision"]
        grid = Grid(Decimal(steps["price"]), Decimal(steps["amount"]))
        try:
            grid.qty_to_lots(amount)
            if price is not None:
                grid.price_to_ticks(price)
        except GridError:
            return False
        return True

    def _outcome(self, error: BaseError) -> Outcome:
        return outcome_of(error, self._terms.duplicate)

    def _refuse(self, request: VenueRequest, text: str) -> None:
        self._say(self._reporter.answer(request, REFUSED[request.action], text))
