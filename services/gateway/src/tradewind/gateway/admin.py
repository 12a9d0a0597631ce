# SPDX-License-Identifier: Apache-2.0
"""Operators' calls: entries that change a shard, or all of them, each with the operator's name."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.common import trace
from tradewind.common.grid import GridError
from tradewind.core.commands import (
    AdjustPosition,
    Command,
    DefineInstrument,
    MassCancel,
    RemoveInstrument,
    ResetPosition,
    RollDay,
    SetTradingSession,
    SetTradingState,
)
from tradewind.gateway import admin_requests
from tradewind.gateway.auth import Key
from tradewind.gateway.calls import Calls, decoded, json_response
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

    calls: Calls
    instruments: Instruments
    shards: int
    publish: Callable[[str, Instrument | None], Awaitable[None]]

    async def set_trading_state(self, request: Request) -> Response:
        """POST /v1/admin/trading-state."""
        key, body = await self.calls.signed(request, "admin")
        fields = decoded(body, _trading_state)
        command = SetTradingState(
            scope=fields.scope, state=fields.state, actor=key.client, reason=fields.reason
        )
        return await self._everywhere(request, key, command)

    async def set_trading_session(self, request: Request) -> Response:
        """POST /v1/admin/trading-session."""
        key, body = await self.calls.signed(request, "admin")
        fields = decoded(body, _trading_session)
        command = SetTradingSession(
            venue=fields.venue, status=fields.status, trading_date=fields.trading_date
        )
        return await self._everywhere(request, key, command)

    async def roll_day(self, request: Request) -> Response:
        """POST /v1/admin/roll-day."""
        key, body = await self.calls.signed(request, "admin")
        fields = decoded(body, _roll_day)
        command = RollDay(
            trading_date=fields.trading_date, retire_before_ns=fields.retire_before_ns or 0
        )
        return await self._everywhere(request, key, command)

    async def define_instrument(self, request: Request) -> Response:
        """POST /v1/admin/instruments: known to the services once every shard has it."""
        key, body = await self.calls.signed(request, "admin")
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
        return await self._everywhere(
            request, key, command, lambda: self.publish(fields.symbol, instrument)
        )

    async def remove_instrument(self, request: Request) -> Response:
        """DELETE /v1/admin/instruments/{symbol}."""
        key, _body = await self.calls.signed(request, "admin")
        symbol = request.path_params["symbol"]
        if self.instruments.grid(symbol) is None:
            raise RefusedRequest(refusal("UNKNOWN_INSTRUMENT"))
        return await self._everywhere(
            request, key, RemoveInstrument(symbol=symbol), lambda: self.publish(symbol, None)
        )

    async def cancel_everything(self, request: Request) -> Response:
        """POST /v1/admin/mass-cancel."""
        key, body = await self.calls.signed(request, "admin")
        fields = decoded(body, _everything)
        command = MassCancel(
            account="",
            cl_ord_id=fields.cl_ord_id,
            client=key.client,
            symbol=fields.symbol or "",
            strategy=fields.strategy or "",
        )
        return await self._everywhere(request, key, command)

    async def adjust_position(self, request: Request) -> Response:
        """POST /v1/admin/positions/adjust."""
        key, body = await self.calls.signed(request, "admin")
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
        return await self._in_shards(request, key, command, [self._shard_of(fields.account)])

    async def reset_position(self, request: Request) -> Response:
        """POST /v1/admin/positions/reset."""
        key, body = await self.calls.signed(request, "admin")
        fields = decoded(body, _reset)
        command = ResetPosition(
            account=fields.account,
            cl_ord_id=fields.cl_ord_id,
            symbol=fields.symbol,
            actor=key.client,
            reason=fields.reason,
        )
        return await self._in_shards(request, key, command, [self._shard_of(fields.account)])

    def _shard_of(self, account: str) -> int:
        return self.calls.journal.shard_of(account)

    async def _everywhere(
        self,
        request: Request,
        key: Key,
        command: Command,
        finish: Callable[[], Awaitable[None]] | None = None,
    ) -> Response:
        return await self._in_shards(request, key, command, list(range(self.shards)), finish)

    async def _in_shards(
        self,
        request: Request,
        key: Key,
        command: Command,
        shards: list[int],
        finish: Callable[[], Awaitable[None]] | None = None,
    ) -> Response:
        """One entry in each shard, all named in the answer; then `finish`, if all accepted."""
        traceparent = trace.accepted(request.headers.get(trace.HEADER))
        results = await asyncio.gather(
            *(self.calls.journaled(shard, command, traceparent, key.client) for shard in shards)
        )
        rows: list[dict[str, Any]] = []
        for shard, (failed, seq, answer) in zip(shards, results, strict=True):
            if failed is not None:
                rows.append({"shard": shard, "seq": None, **failed.body()})
                continue
            outcome = "durable" if answer is None else answer.outcome
            row: dict[str, Any] = {"shard": shard, "seq": seq, "outcome": outcome}
            rows.append(row if answer is None else row | {"report": msgspec.Raw(answer.report)})
        failures = [failed for failed, _seq, _answer in results if failed is not None]
        if failures:
            answer_body = {"shards": rows, **failures[0].body()}
            return json_response(failures[0].http_status, answer_body, traceparent)
        outcome = _worst([row["outcome"] for row in rows])
        if outcome == "accepted" and finish is not None:
            await finish()
        status = 202 if outcome == "durable" else 200
        return json_response(status, {"outcome": outcome, "shards": rows}, traceparent)


def _worst(outcomes: list[str]) -> str:
    """What the operator has to know first: one refusal is the answer, so is one silence."""
    for outcome in ("denied", "durable", "duplicate"):
        if outcome in outcomes:
            return outcome
    return "accepted"
