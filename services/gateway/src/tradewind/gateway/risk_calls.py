# SPDX-License-Identifier: Apache-2.0
"""Operators' calls about scopes: limits, set or proposed and approved; the kill switch.

An account lives in one shard, so what is about one account is journaled there; everything else in
each shard, which counts for itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.common.grid import Grid, GridError
from tradewind.common.kills import Kill
from tradewind.core.bounds import UNSET, Bounds
from tradewind.core.commands import (
    ApproveLimits,
    ClearKill,
    DivideBounds,
    KillScope,
    SetScopeLimits,
)
from tradewind.gateway import risk_requests
from tradewind.gateway.calls import decoded, json_response
from tradewind.gateway.entries import OperatorEntries
from tradewind.gateway.errors import RefusedRequest, refusal
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.queries import Queries

MONEY = Grid(Decimal("0.00000001"), Decimal(1))
QUANTITIES = ("max_order_qty", "max_long", "max_short")
ANY = "*"

_limits = msgspec.json.Decoder(risk_requests.ScopeLimitsBody)
_kill = msgspec.json.Decoder(risk_requests.KillBody)
_clear = msgspec.json.Decoder(risk_requests.ClearKillBody)
_approval = msgspec.json.Decoder(risk_requests.ApproveLimitsBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCalls:
    """The endpoints under /v1/admin that bound and stop scopes. `stop` tells everybody at once."""

    entries: OperatorEntries
    instruments: Instruments
    stop: Callable[[Kill], None]
    queries: Queries

    async def set_scope_limits(self, request: Request) -> Response:
        """POST /v1/admin/scope-limits."""
        key, body = await self.entries.signed(request)
        wanted = decoded(body, _limits)
        try:
            bounds = {field.name: self._bound(wanted, field.name) for field in fields(Bounds)}
        except GridError as error:
            raise RefusedRequest(refusal(error.code, f"{error.text}.")) from error
        command = SetScopeLimits(
            scope=wanted.scope,
            version=wanted.version,
            actor=key.client,
            expires_ns=wanted.expires_ns or 0,
            **bounds,
        )
        return await self.entries.in_shards(request, key, command, self._shards(wanted.scope))

    async def approve(self, request: Request) -> Response:
        """POST /v1/admin/approve-limits."""
        key, body = await self.entries.signed(request)
        wanted = decoded(body, _approval)
        command = ApproveLimits(subject=wanted.subject, version=wanted.version, actor=key.client)
        scope = wanted.subject.partition(" ")[2]
        return await self.entries.in_shards(request, key, command, self._shards(scope))

    async def kills(self, request: Request) -> Response:
        """GET /v1/admin/kills."""
        await self.entries.signed(request, "kill")
        return json_response(200, await self.queries.kills())

    async def kill(self, request: Request) -> Response:
        """POST /v1/admin/kill: stopped everywhere before the first journal has it."""
        key, body = await self.entries.signed(request, "kill")
        wanted = decoded(body, _kill)
        self.stop(
            Kill(scope=wanted.scope, kill_id=wanted.kill_id, actor=key.client, reason=wanted.reason)
        )
        command = KillScope(
            scope=wanted.scope, kill_id=wanted.kill_id, actor=key.client, reason=wanted.reason
        )
        return await self.entries.in_shards(request, key, command, self._shards(wanted.scope))

    async def clear_kill(self, request: Request) -> Response:
        """POST /v1/admin/clear-kill."""
        key, body = await self.entries.signed(request)
        wanted = decoded(body, _clear)
        command = ClearKill(
            scope=wanted.scope,
            kill_id=wanted.kill_id,
            actor=key.client,
            root_cause=wanted.root_cause,
        )
        return await self.entries.in_shards(request, key, command, self._shards(wanted.scope))

    async def divide(self, request: Request) -> Response:
        """POST /v1/admin/divide-bounds: in an installation that has traded, so nothing is new."""
        key, _body = await self.entries.signed(request)
        command = DivideBounds(shards=self.entries.shards, is_new=False, actor=key.client)
        return await self.entries.everywhere(request, key, command)

    def _bound(self, wanted: risk_requests.ScopeLimitsBody, name: str) -> Any:
        """A bound in the core's units; amounts have no unit in their names outside."""
        value = getattr(wanted, name.removesuffix("_e8"))
        if name == "approved_build":
            return value or ""
        if value is None:
            return UNSET
        if name.endswith("_e8"):
            return MONEY.price_to_ticks(value)
        if name in QUANTITIES:
            return self._grid(wanted.scope).qty_to_lots(value)
        return int(value)

    def _grid(self, scope: str) -> Grid:
        grid = self.instruments.grid(scope.rpartition("symbol:")[2])
        if grid is None:
            raise RefusedRequest(refusal("UNKNOWN_INSTRUMENT"))
        return grid

    def _shards(self, scope: str) -> list[int]:
        """Where a scope is: of an account in its shard alone."""
        kind, _, name = scope.partition("/")[0].partition(":")
        if kind == "account" and name != ANY:
            return [self.entries.calls.journal.shard_of(name)]
        return list(range(self.entries.shards))
