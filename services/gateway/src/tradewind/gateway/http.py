# SPDX-License-Identifier: Apache-2.0
"""The REST side: signed requests in, answers with stable codes out."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from tradewind.common import trace
from tradewind.core.positions import ATTRIBUTES
from tradewind.gateway import openapi, requests, ws
from tradewind.gateway.admin import Admin
from tradewind.gateway.alert_calls import AlertCalls
from tradewind.gateway.auth import Key
from tradewind.gateway.calls import Calls, accepted, decoded, json_response, problem_response
from tradewind.gateway.errors import Refusal, RefusedRequest, refusal
from tradewind.gateway.governance import Governance
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.intake import Intake
from tradewind.gateway.pages import flag_of, page_of
from tradewind.gateway.projection import attributes_of
from tradewind.gateway.queries import Queries
from tradewind.gateway.risk_calls import RiskCalls

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)
_submit = msgspec.json.Decoder(requests.SubmitBody)
_replace = msgspec.json.Decoder(requests.ReplaceBody)
_mass_cancel = msgspec.json.Decoder(requests.MassCancelBody)
_flatten = msgspec.json.Decoder(requests.FlattenBody)

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The REST endpoints and what they need."""

    calls: Calls
    intake: Intake
    queries: Queries
    instruments: Instruments
    is_ready: Callable[[], bool]
    facts: Callable[[], dict[str, Any]]

    async def submit(self, request: Request) -> Response:
        """POST /v1/orders."""
        key, body = await self.calls.signed(request, "trade")
        fields = decoded(body, _submit)
        return await self._order(request, key, requests.Submit(**_as_dict(fields)))

    async def replace(self, request: Request) -> Response:
        """PUT /v1/orders/{cl_ord_id}."""
        key, body = await self.calls.signed(request, "trade")
        fields = decoded(body, _replace)
        if key.permits("trade", fields.account) is None:
            orig = request.path_params["cl_ord_id"]
            if self.instruments.grid_of_order(fields.account, orig) is None:
                await self.queries.order(fields.account, orig)
        return await self._order(request, key, self._of_path(request, "replace", _as_dict(fields)))

    async def cancel(self, request: Request) -> Response:
        """DELETE /v1/orders/{cl_ord_id}?account=..&request_id=.."""
        key, _body = await self.calls.signed(request, "trade")
        query = request.query_params
        fields = {"account": query.get("account"), "cl_ord_id": query.get("request_id")}
        return await self._order(request, key, self._of_path(request, "cancel", fields))

    async def ask_status(self, request: Request) -> Response:
        """POST /v1/orders/{cl_ord_id}/status?account=.."""
        key, _body = await self.calls.signed(request, "trade")
        message = {
            "type": "status",
            "account": request.query_params.get("account"),
            "cl_ord_id": request.path_params["cl_ord_id"],
        }
        asked = requests.decode_order_request(_encode(message))
        if isinstance(asked, Refusal):
            raise RefusedRequest(asked)
        return await self._order(request, key, asked)

    async def mass_cancel(self, request: Request) -> Response:
        """POST /v1/mass-cancel."""
        key, body = await self.calls.signed(request, "trade")
        fields = decoded(body, _mass_cancel)
        return await self._order(request, key, requests.CancelAll(**_as_dict(fields)))

    async def flatten(self, request: Request) -> Response:
        """POST /v1/positions/flatten."""
        key, body = await self.calls.signed(request, "trade")
        fields = decoded(body, _flatten)
        return await self._order(request, key, requests.Flatten(**_as_dict(fields)))

    async def orders(self, request: Request) -> Response:
        """GET /v1/orders?account=&open_only=&limit=&cursor=."""
        key, account = await self.calls.reader(request)
        query = request.query_params
        is_open_only = flag_of(query, "open_only")
        found, next_cursor = await self.queries.orders(
            key, account, is_open_only=is_open_only, page=page_of(query)
        )
        return json_response(200, {"orders": found, "next_cursor": next_cursor})

    async def order(self, request: Request) -> Response:
        """GET /v1/orders/{cl_ord_id}?account=."""
        _key, account = await self.calls.reader(request)
        if account is None:
            raise RefusedRequest(refusal("MISSING_FIELD", "account is needed."))
        found = await self.queries.order(account, request.path_params["cl_ord_id"])
        return json_response(200, {"order": found})

    async def positions(self, request: Request) -> Response:
        """GET /v1/positions?account=&by=."""
        key, account = await self.calls.reader(request)
        text = request.query_params.get("by")
        by = None if text is None else attributes_of(text)
        if text is not None and by is None:
            raise RefusedRequest(
                refusal("INVALID_FIELD", f"by is some of {', '.join(ATTRIBUTES)}.")
            )
        return json_response(200, {"positions": await self.queries.positions(key, account, by)})

    async def limits(self, request: Request) -> Response:
        """GET /v1/limits?account=."""
        key, account = await self.calls.reader(request)
        return json_response(200, await self.queries.limits(key, account))

    async def list_instruments(self, request: Request) -> Response:
        """GET /v1/instruments."""
        await self.calls.signed(request, "read")
        return json_response(200, {"instruments": self.instruments.all()})

    async def status(self, request: Request) -> Response:
        """GET /v1/status."""
        await self.calls.signed(request, "read")
        return json_response(200, {"gateway": self.facts(), "shards": await self.queries.states()})

    async def livez(self, request: Request) -> Response:
        """GET /livez: the main loop turns."""
        return json_response(200, {"ok": True})

    async def readyz(self, request: Request) -> Response:
        """GET /readyz: requests would be served."""
        if not self.is_ready():
            raise RefusedRequest(refusal("NOT_READY"))
        return json_response(200, {"ok": True})

    async def openapi_document(self, request: Request) -> Response:
        """GET /v1/openapi.json."""
        return json_response(200, openapi.DOCUMENT)

    def _of_path(self, request: Request, tag: str, fields: dict[str, Any]) -> Any:
        message = {"type": tag, "orig_cl_ord_id": request.path_params["cl_ord_id"], **fields}
        return accepted(requests.decode_order_request(_encode(message)))

    async def _order(
        self, request: Request, key: Key, order_request: requests.OrderRequest
    ) -> Response:
        if not self.is_ready():
            raise RefusedRequest(refusal("NOT_READY"))
        command = self.intake.command(key, order_request)
        if isinstance(command, Refusal):
            raise RefusedRequest(command)
        traceparent, parent = self.calls.sampler.joined(request.headers.get(trace.HEADER))
        shard = self.calls.journal.shard_of(command.account)
        failed, seq, answer = await self.calls.journaled(shard, command, traceparent, parent=parent)
        body: dict[str, Any] = {"cl_ord_id": command.cl_ord_id}
        if failed is not None:
            return problem_response(failed, body, traceparent)
        body |= {"shard": shard, "seq": seq}
        if answer is None:
            return json_response(202, {"outcome": "durable", **body}, traceparent)
        report = msgspec.Raw(answer.report)
        return json_response(
            200, {"outcome": answer.outcome, **body, "report": report}, traceparent
        )


def build(
    api: Api,
    admin: Admin,
    governance: Governance,
    risk: RiskCalls,
    alerts: AlertCalls,
    sessions: ws.Sessions,
) -> Starlette:
    """The ASGI application."""
    routes: list[tuple[str, str, Endpoint]] = [
        ("POST", "/v1/orders", api.submit),
        ("GET", "/v1/orders", api.orders),
        ("GET", "/v1/orders/{cl_ord_id}", api.order),
        ("PUT", "/v1/orders/{cl_ord_id}", api.replace),
        ("DELETE", "/v1/orders/{cl_ord_id}", api.cancel),
        ("POST", "/v1/orders/{cl_ord_id}/status", api.ask_status),
        ("POST", "/v1/mass-cancel", api.mass_cancel),
        ("GET", "/v1/positions", api.positions),
        ("GET", "/v1/limits", api.limits),
        ("POST", "/v1/positions/flatten", api.flatten),
        ("GET", "/v1/instruments", api.list_instruments),
        ("GET", "/v1/status", api.status),
        ("POST", "/v1/admin/trading-state", admin.set_trading_state),
        ("POST", "/v1/admin/trading-session", admin.set_trading_session),
        ("POST", "/v1/admin/roll-day", admin.roll_day),
        ("POST", "/v1/admin/instruments", admin.define_instrument),
        ("DELETE", "/v1/admin/instruments/{symbol}", admin.remove_instrument),
        ("POST", "/v1/admin/mass-cancel", admin.cancel_everything),
        ("POST", "/v1/admin/positions/adjust", admin.adjust_position),
        ("POST", "/v1/admin/positions/reset", admin.reset_position),
        ("POST", "/v1/admin/limits", governance.set_limits),
        ("POST", "/v1/admin/account-limits", governance.set_account_limits),
        ("POST", "/v1/admin/scope-limits", risk.set_scope_limits),
        ("POST", "/v1/admin/approve-limits", risk.approve),
        ("POST", "/v1/admin/divide-bounds", risk.divide),
        ("GET", "/v1/admin/alerts", alerts.list_alerts),
        ("POST", "/v1/admin/alerts/acknowledge", alerts.acknowledge),
        ("GET", "/v1/admin/kills", risk.kills),
        ("POST", "/v1/admin/kill", risk.kill),
        ("POST", "/v1/admin/clear-kill", risk.clear_kill),
        ("POST", "/v1/admin/fx-rates", governance.set_fx_rate),
        ("POST", "/v1/admin/logic", governance.set_logic),
        ("POST", "/v1/admin/builds", governance.change_build),
        ("POST", "/v1/admin/skip-entry", governance.skip_entry),
        ("GET", "/v1/openapi.json", api.openapi_document),
        ("GET", "/livez", api.livez),
        ("GET", "/readyz", api.readyz),
    ]
    return Starlette(
        routes=[
            *_resources(routes),
            WebSocketRoute(ws.PATH, sessions.endpoint),
        ],
        exception_handlers={HTTPException: _on_http_exception},
    )


def _resources(routes: list[tuple[str, str, Endpoint]]) -> list[Route]:
    """One route for each path: what it does not take is answered with all that it does."""
    calls: dict[str, dict[str, Endpoint]] = {}
    for method, path, call in routes:
        calls.setdefault(path, {})[method] = _guarded(call)
    return [
        Route(path, _chosen(by_method), methods=[*by_method]) for path, by_method in calls.items()
    ]


def _chosen(by_method: Mapping[str, Endpoint]) -> Endpoint:
    async def chosen(request: Request) -> Response:
        return await by_method["GET" if request.method == "HEAD" else request.method](request)

    return chosen


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Nothing but JSON with a stable code leaves, whatever happens inside."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedRequest as error:
            return problem_response(error.refusal)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:
            incident = secrets.token_hex(8)
            traced = {"traceparent": request.headers.get(trace.HEADER)}
            _log.exception("INTERNAL incident %s at %s", incident, request.url.path, extra=traced)
            return problem_response(refusal("INTERNAL", f"Incident {incident}."))

    return guarded


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "METHOD_NOT_ALLOWED" if error.status_code == 405 else "NOT_FOUND"
    response = problem_response(refusal(code))
    response.headers.update(error.headers or {})  # Allow
    return response


def _as_dict(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}
