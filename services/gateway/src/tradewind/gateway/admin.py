# SPDX-License-Identifier: Apache-2.0
"""Operators' calls: trading states and sessions, instruments, positions, the end of everything."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.common.grid import GridError
from tradewind.core.commands import (
    AdjustPosition,
    DefineInstrument,
    MassCancel,
    RemoveInstrument,
    ResetPosition,
    RollDay,
    SetTradingSession,
    SetTradingState,
)
from tradewind.gateway import admin_requests
from tradewind.gateway.calls import decoded
from tradewind.gateway.entries import OperatorEntries
from tradewind.gateway.errors import RefusedRequest, refusal
from tradewind.gateway.instruments import Instrument, Instruments

_trading_state = msgspec.json.Decoder(admin_requests.TradingStateBody)
_instrument = msgspec.json.Decoder(admin_requests.InstrumentBody)
_trading_session = msgspec.json.Decoder(admin_requests.TradingSessionBody)
_roll_day = msgspec.json.Decoder(admin_requests.RollDayBody)
_everything = msgspec.json.Decoder(admin_requests.CancelEverythingBody)
_adjust = msgspec.json.Decoder(admin_requests.AdjustBody)
_reset = msgspec.json.Decoder(admin_requests.ResetBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """The endpoints under /v1/admin. `publish` makes an instrument known to all services."""

    entries: OperatorEntries
    instruments: Instruments
    publish: Callable[[str, Instrument | None], Awaitable[None]]

    async def set_trading_state(self, request: Request) -> Response:
        """POST /v1/admin/trading-state."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _trading_state)
        command = SetTradingState(
            scope=fields.scope, state=fields.state, actor=key.client, reason=fields.reason
        )
        return await self.entries.everywhere(request, key, command)

    async def set_trading_session(self, request: Request) -> Response:
        """POST /v1/admin/trading-session."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _trading_session)
        command = SetTradingSession(
            venue=fields.venue, status=fields.status, trading_date=fields.trading_date
        )
        return await self.entries.everywhere(request, key, command)

    async def roll_day(self, request: Request) -> Response:
        """POST /v1/admin/roll-day."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _roll_day)
        command = RollDay(
            trading_date=fields.trading_date, retire_before_ns=fields.retire_before_ns or 0
        )
        return await self.entries.everywhere(request, key, command)

    async def define_instrument(self, request: Request) -> Response:
        """POST /v1/admin/instruments: known to the services once every shard has it."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _instrument)
        for size in (fields.tick_size, fields.lot_size):
            if Decimal(size) == 0:
                raise RefusedRequest(refusal("NOT_POSITIVE"))
        command = DefineInstrument(
            symbol=fields.symbol,
            venue=fields.venue,
            tick_size=fields.tick_size,
            lot_size=fields.lot_size,
            currency=fields.currency,
        )
        instrument = Instrument(
            symbol=fields.symbol,
            venue=fields.venue,
            tick_size=fields.tick_size,
            lot_size=fields.lot_size,
            currency=fields.currency,
        )
        return await self.entries.everywhere(
            request, key, command, lambda: self.publish(fields.symbol, instrument)
        )

    async def remove_instrument(self, request: Request) -> Response:
        """DELETE /v1/admin/instruments/{symbol}."""
        key, _body = await self.entries.signed(request)
        symbol = request.path_params["symbol"]
        if self.instruments.grid(symbol) is None:
            raise RefusedRequest(refusal("UNKNOWN_INSTRUMENT"))
        return await self.entries.everywhere(
            request, key, RemoveInstrument(symbol=symbol), lambda: self.publish(symbol, None)
        )

    async def cancel_everything(self, request: Request) -> Response:
        """POST /v1/admin/mass-cancel."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _everything)
        command = MassCancel(
            account="",
            cl_ord_id=fields.cl_ord_id,
            client=key.client,
            symbol=fields.symbol or "",
            strategy=fields.strategy or "",
        )
        return await self.entries.everywhere(request, key, command)

    async def adjust_position(self, request: Request) -> Response:
        """POST /v1/admin/positions/adjust."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _adjust)
        grid = self.instruments.grid(fields.symbol)
        if grid is None:
            raise RefusedRequest(refusal("UNKNOWN_INSTRUMENT"))
        sign = -1 if fields.qty.startswith("-") else 1
        try:
            qty = sign * grid.qty_to_lots(fields.qty.removeprefix("-"))
            price = 0 if fields.price is None else grid.price_to_ticks(fields.price)
        except GridError as error:
            raise RefusedRequest(refusal(error.code, f"{error.text}.")) from error
        command = AdjustPosition(
            account=fields.account,
            cl_ord_id=fields.cl_ord_id,
            symbol=fields.symbol,
            qty=qty,
            price=price,
            actor=key.client,
            reason=fields.reason,
        )
        return await self.entries.of_account(request, key, command)

    async def reset_position(self, request: Request) -> Response:
        """POST /v1/admin/positions/reset."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _reset)
        command = ResetPosition(
            account=fields.account,
            cl_ord_id=fields.cl_ord_id,
            symbol=fields.symbol,
            actor=key.client,
            reason=fields.reason,
        )
        return await self.entries.of_account(request, key, command)
