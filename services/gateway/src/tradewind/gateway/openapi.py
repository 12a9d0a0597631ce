# SPDX-License-Identifier: Apache-2.0
"""The REST interface as an OpenAPI document. A test holds it against the routes and the types."""

from typing import Any

import msgspec

from tradewind.gateway import admin_requests, governance_requests, requests, risk_requests
from tradewind.gateway.errors import CODES
from tradewind.gateway.pages import CURSOR, LIMIT, LIMIT_MAX

_SIGNATURE = {
    "TW-Key": "The key id.",
    "TW-Timestamp": "Unix time in milliseconds: at most 5000 behind, 1000 ahead of the gateway's.",
    "TW-Nonce": "8 to 64 letters, digits, '-' or '_', never used before with this key.",
    "TW-Signature": (
        "hex HMAC-SHA256(secret, METHOD \\n path with query \\n hex SHA-256 of the body \\n "
        "timestamp \\n nonce)."
    ),
}
_TOKEN = "A token of the OpenID Connect issuer that the gateway was told of (SECURITY.md)."
_BY_KEY_OR_TOKEN: list[dict[str, list[str]]] = [{name: [] for name in _SIGNATURE}, {"Token": []}]
_ABOUT = (
    "Orders in, execution reports out. Prices and quantities are exact decimals in strings. The "
    "WebSocket at /v1/ws takes the same requests, pipelined; the orders of a session whose first "
    "message has cancel_on_disconnect, a list of accounts, are cancelled in these when it ends, "
    "also if its gateway dies. A person's first message is {type: token, token}. The session lives "
    "as long as the token, or as the last that came by {type: renew, token}: one of the same "
    "person and roles, answered by {type: renewed, until_ms}; one that is refused changes nothing "
    "(TOKEN_INVALID and the like, OTHER_PERSON, OTHER_ROLES). What a session "
    "sees beside its reports it says with {type: subscribe, quotes, trades, depth, positions}: "
    "lists of symbols, and of accounts. That replaces what it said before; of each quote, trade, "
    "depth and position it is told the newest, and how many it did not read in time (skipped)."
)
_CL_ORD_ID = {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,36}$"}
_ACCOUNT = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"}


def _query(name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _operation(
    summary: str,
    answers: dict[str, str],
    *,
    parameters: tuple[dict[str, Any], ...] = (),
    body: str = "",
    is_signed: bool = True,
) -> dict[str, Any]:
    error = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {
            **{code: {"description": text} for code, text in answers.items()},
            "default": {"description": "A stable code and what to do.", "content": error},
        },
    }
    if is_signed:
        operation["security"] = _BY_KEY_OR_TOKEN
    if parameters:
        operation["parameters"] = list(parameters)
    if body:
        schema = {"$ref": f"#/components/schemas/{body}"}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


_REQUEST_ANSWERS = {
    "200": "The output is known: outcome accepted, denied or duplicate, with the report.",
    "202": "Stored for good; the output was not seen within the wait.",
    "504": "OUTCOME_UNKNOWN: retry with the same cl_ord_id, which is safe.",
}
_EVERYWHERE = {
    "200": "In force in each shard that the answer names, or denied there, with the reason.",
    "202": "Stored in each shard; an output was not seen within the wait.",
}
_PATH_ID = {"name": "cl_ord_id", "in": "path", "required": True, "schema": _CL_ORD_ID}
_PATH_SYMBOL = {
    "name": "symbol",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"},
}
_OPTIONAL_ACCOUNT = _query("account", _ACCOUNT)
_OPEN_ONLY = _query("open_only", {"type": "boolean", "default": False})
_NEEDED_ACCOUNT = _query("account", _ACCOUNT, required=True)

_PATHS: dict[str, dict[str, Any]] = {
    "/v1/orders": {
        "post": _operation("Submit an order.", _REQUEST_ANSWERS, body="SubmitBody"),
        "get": _operation(
            "List orders.",
            {
                "200": "Orders of the account, or of all accounts of the key, the newest of each "
                "shard first; next_cursor, unless it is null, asks for what follows."
            },
            parameters=(
                _OPTIONAL_ACCOUNT,
                _OPEN_ONLY,
                _query(
                    "limit",
                    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT},
                ),
                _query("cursor", {"type": "string", "pattern": f"^{CURSOR}$"}),
            ),
        ),
    },
    "/v1/orders/{cl_ord_id}": {
        "get": _operation(
            "Read one order.", {"200": "The order."}, parameters=(_PATH_ID, _NEEDED_ACCOUNT)
        ),
        "put": _operation(
            "Replace quantity and price; the body's cl_ord_id is the request's own new id.",
            _REQUEST_ANSWERS,
            parameters=(_PATH_ID,),
            body="ReplaceBody",
        ),
        "delete": _operation(
            "Cancel; request_id is the request's own new id.",
            _REQUEST_ANSWERS,
            parameters=(
                _PATH_ID,
                _NEEDED_ACCOUNT,
                _query("request_id", _CL_ORD_ID, required=True),
            ),
        ),
    },
    "/v1/orders/{cl_ord_id}/status": {
        "post": _operation(
            "Have the order told as it stands; a venue that owes an answer is asked for it.",
            _REQUEST_ANSWERS,
            parameters=(_PATH_ID, _NEEDED_ACCOUNT),
        )
    },
    "/v1/mass-cancel": {
        "post": _operation(
            "Cancel the account's live orders, all or by symbol or strategy.",
            _REQUEST_ANSWERS,
            body="MassCancelBody",
        )
    },
    "/v1/positions": {
        "get": _operation(
            "List positions, by account and instrument or by any attributes.",
            {"200": "Positions."},
            parameters=(
                _OPTIONAL_ACCOUNT,
                _query("by", {"type": "string", "examples": ["account,strategy"]}),
            ),
        )
    },
    "/v1/limits": {
        "get": _operation("List limits.", {"200": "Limits."}, parameters=(_OPTIONAL_ACCOUNT,))
    },
    "/v1/positions/flatten": {
        "post": _operation(
            "Close a position by a market order of its size.",
            _REQUEST_ANSWERS,
            body="FlattenBody",
        )
    },
    "/v1/instruments": {"get": _operation("List instruments.", {"200": "Instruments."})},
    "/v1/status": {"get": _operation("The gateway and the shards.", {"200": "Status."})},
    "/v1/admin/trading-state": {
        "post": _operation(
            "Set the trading state of a scope on every shard.",
            _EVERYWHERE,
            body="TradingStateBody",
        )
    },
    "/v1/admin/trading-session": {
        "post": _operation(
            "Set what a venue's session takes.", _EVERYWHERE, body="TradingSessionBody"
        )
    },
    "/v1/admin/roll-day": {
        "post": _operation("Begin a new trading date.", _EVERYWHERE, body="RollDayBody")
    },
    "/v1/admin/instruments": {
        "post": _operation("Add or change an instrument.", _EVERYWHERE, body="InstrumentBody")
    },
    "/v1/admin/instruments/{symbol}": {
        "delete": _operation(
            "Remove an instrument that nobody has anything in.",
            _EVERYWHERE,
            parameters=(_PATH_SYMBOL,),
        )
    },
    "/v1/admin/mass-cancel": {
        "post": _operation(
            "Cancel live orders of all accounts.", _EVERYWHERE, body="CancelEverythingBody"
        )
    },
    "/v1/admin/positions/adjust": {
        "post": _operation("Book what no order traded.", _EVERYWHERE, body="AdjustBody")
    },
    "/v1/admin/positions/reset": {
        "post": _operation("Make a position flat without an order.", _EVERYWHERE, body="ResetBody")
    },
    "/v1/admin/limits": {
        "post": _operation(
            "Set the limits of an account in an instrument.", _EVERYWHERE, body="LimitsBody"
        )
    },
    "/v1/admin/account-limits": {
        "post": _operation(
            "Bound an account's gross exposure over all instruments, in the base currency.",
            _EVERYWHERE,
            body="AccountLimitsBody",
        )
    },
    "/v1/admin/scope-limits": {
        "post": _operation(
            "Set or propose all limits of a scope.", _EVERYWHERE, body="ScopeLimitsBody"
        )
    },
    "/v1/admin/approve-limits": {
        "post": _operation(
            "Approve what another person has proposed.", _EVERYWHERE, body="ApproveLimitsBody"
        )
    },
    "/v1/admin/alerts": {
        "get": _operation(
            "List alerts, the latest first.",
            {"200": "Alerts: whose they are, and who has taken them."},
            parameters=(_OPEN_ONLY,),
        )
    },
    "/v1/admin/alerts/acknowledge": {
        "post": _operation(
            "Take an alert: nobody else is asked to.",
            {"200": "The alert, and who took it first."},
            body="AcknowledgeBody",
        )
    },
    "/v1/admin/divide-bounds": {
        "post": _operation("Divide bounds that span shards among them, for good.", _EVERYWHERE)
    },
    "/v1/admin/kills": {
        "get": _operation(
            "List what is stopped, and the orders there whose end is not confirmed.",
            {"200": "Kills, and orders that still may trade."},
        )
    },
    "/v1/admin/kill": {
        "post": _operation(
            "Stop new risk in a scope at once and cancel what works there.",
            _EVERYWHERE,
            body="KillBody",
        )
    },
    "/v1/admin/clear-kill": {
        "post": _operation(
            "Say that a killed scope may trade again; takes two people and the root cause.",
            _EVERYWHERE,
            body="ClearKillBody",
        )
    },
    "/v1/admin/fx-rates": {
        "post": _operation(
            "Say what a currency is worth in the base currency.", _EVERYWHERE, body="FxRateBody"
        )
    },
    "/v1/admin/logic": {
        "post": _operation("Switch a change of behaviour on.", _EVERYWHERE, body="LogicBody")
    },
    "/v1/admin/builds": {
        "post": _operation("Say which builds may append.", _EVERYWHERE, body="BuildBody")
    },
    "/v1/admin/skip-entry": {
        "post": _operation(
            "Say that an entry that no replica can apply should be a no-op; takes two people.",
            _EVERYWHERE,
            body="SkipBody",
        )
    },
    "/v1/openapi.json": {"get": _operation("This document.", {"200": "OpenAPI."}, is_signed=False)},
    "/livez": {"get": _operation("Alive.", {"200": "Yes."}, is_signed=False)},
    "/readyz": {"get": _operation("Ready to serve.", {"200": "Yes."}, is_signed=False)},
}


_BODIES = (
    requests.SubmitBody,
    requests.ReplaceBody,
    requests.MassCancelBody,
    requests.FlattenBody,
    admin_requests.TradingStateBody,
    admin_requests.TradingSessionBody,
    admin_requests.RollDayBody,
    admin_requests.InstrumentBody,
    admin_requests.CancelEverythingBody,
    admin_requests.AdjustBody,
    admin_requests.ResetBody,
    governance_requests.LimitsBody,
    governance_requests.AccountLimitsBody,
    governance_requests.FxRateBody,
    governance_requests.LogicBody,
    governance_requests.BuildBody,
    governance_requests.SkipBody,
    risk_requests.ScopeLimitsBody,
    risk_requests.ApproveLimitsBody,
    risk_requests.KillBody,
    risk_requests.AcknowledgeBody,
    risk_requests.ClearKillBody,
)


def _schemas() -> dict[str, Any]:
    _references, schemas = msgspec.json.schema_components(
        _BODIES,
        ref_template="#/components/schemas/{name}",
    )
    text = {"type": "string"}
    problem = {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {"type": "string", "enum": sorted(CODES)},
        },
    }
    return {**schemas, "Problem": problem}


def _document() -> dict[str, Any]:
    schemes: dict[str, dict[str, str]] = {
        name: {"type": "apiKey", "in": "header", "name": name, "description": text}
        for name, text in _SIGNATURE.items()
    }
    schemes["Token"] = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": _TOKEN,
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tradewind gateway",
            "version": "1",
            "description": _ABOUT,
        },
        "paths": _PATHS,
        "components": {"securitySchemes": schemes, "schemas": _schemas()},
    }


DOCUMENT = _document()
"""Served at GET /v1/openapi.json."""
