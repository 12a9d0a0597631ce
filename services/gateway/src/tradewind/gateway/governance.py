# SPDX-License-Identifier: Apache-2.0
"""Operators' calls: limits and rates; what shards run on: behaviour, builds, skipped entries."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.common.grid import Grid, GridError
from tradewind.core import logic
from tradewind.core.commands import (
    ApproveBuild,
    AskSkip,
    RevokeBuild,
    SetAccountLimits,
    SetFxRate,
    SetLimits,
    SetLogic,
)
from tradewind.gateway import governance_requests
from tradewind.gateway.calls import decoded
from tradewind.gateway.entries import OperatorEntries
from tradewind.gateway.errors import RefusedRequest, refusal
from tradewind.gateway.instruments import Instruments

_MONEY = Grid(Decimal("0.00000001"), Decimal(1))
_RATE = Grid(Decimal("0.000000001"), Decimal(1))

_limits = msgspec.json.Decoder(governance_requests.LimitsBody)
_account_limits = msgspec.json.Decoder(governance_requests.AccountLimitsBody)
_fx_rate = msgspec.json.Decoder(governance_requests.FxRateBody)
_logic = msgspec.json.Decoder(governance_requests.LogicBody)
_build = msgspec.json.Decoder(governance_requests.BuildBody)
_skip = msgspec.json.Decoder(governance_requests.SkipBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """The endpoints under /v1/admin that say how far anything may go."""

    entries: OperatorEntries
    instruments: Instruments

    async def set_limits(self, request: Request) -> Response:
        """POST /v1/admin/limits."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _limits)
        grid = self.instruments.grid(fields.symbol)
        if grid is None:
            raise RefusedRequest(refusal("UNKNOWN_INSTRUMENT"))
        command = SetLimits(
            account=fields.account,
            symbol=fields.symbol,
            max_order_qty=_exact(grid.qty_to_lots, fields.max_order_qty),
            max_notional=_exact(grid.notional_to_units, fields.max_notional),
            max_position=_exact(grid.qty_to_lots, fields.max_position),
            collar_bps=fields.collar_bps,
            max_reference_age_ms=fields.max_reference_age_ms,
            version=fields.version,
            actor=key.client,
        )
        return await self.entries.of_account(request, key, command)

    async def set_account_limits(self, request: Request) -> Response:
        """POST /v1/admin/account-limits."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _account_limits)
        command = SetAccountLimits(
            account=fields.account,
            max_gross_e8=_exact(_MONEY.price_to_ticks, fields.max_gross),
            max_rate_age_ms=fields.max_rate_age_ms,
            version=fields.version,
            actor=key.client,
        )
        return await self.entries.of_account(request, key, command)

    async def set_fx_rate(self, request: Request) -> Response:
        """POST /v1/admin/fx-rates."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _fx_rate)
        rate_e9 = _exact(_RATE.price_to_ticks, fields.rate)
        command = SetFxRate(currency=fields.currency, rate_e9=rate_e9)
        return await self.entries.everywhere(request, key, command)

    async def set_logic(self, request: Request) -> Response:
        """POST /v1/admin/logic. A flag that this build does not know would stop its replicas."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _logic)
        if fields.flag not in logic.KNOWN:
            raise RefusedRequest(refusal("UNKNOWN_LOGIC"))
        command = SetLogic(flag=fields.flag, actor=key.client)
        return await self.entries.everywhere(request, key, command)

    async def change_build(self, request: Request) -> Response:
        """POST /v1/admin/builds."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _build)
        change = ApproveBuild if fields.is_approved else RevokeBuild
        command = change(build=fields.build, actor=key.client)
        return await self.entries.everywhere(request, key, command)

    async def skip_entry(self, request: Request) -> Response:
        """POST /v1/admin/skip-entry: one of the two words that an entry never counted."""
        key, body = await self.entries.signed(request)
        fields = decoded(body, _skip)
        if fields.shard >= self.entries.shards:
            raise RefusedRequest(refusal("UNKNOWN_SHARD"))
        command = AskSkip(seq=fields.seq, actor=key.client, reason=fields.reason)
        return await self.entries.in_shards(request, key, command, [fields.shard])


def _exact(read: Callable[[str], int], text: str) -> int:
    try:
        return read(text)
    except GridError as error:
        raise RefusedRequest(refusal(error.code, f"{error.text}.")) from error
