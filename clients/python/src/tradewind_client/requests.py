# SPDX-License-Identifier: Apache-2.0
"""What may be asked, as method, path and body. All may be sent again: nothing is done twice."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from tradewind_client.types import OrdType, Side, TimeInForce


def new_cl_ord_id() -> str:
    """An id that nobody has used."""
    return secrets.token_hex(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A new order. Quantities and prices are decimals in strings; what is None is left out."""

    account: str
    symbol: str
    side: Side
    order_qty: str
    strategy: str
    ord_type: OrdType = "LIMIT"
    time_in_force: TimeInForce = "GTC"
    price: str | None = None
    stop_px: str | None = None
    display_qty: str | None = None
    is_post_only: bool | None = None
    expire_ns: int | None = None
    algorithm: str | None = None
    build: str | None = None
    parent_cl_ord_id: str | None = None
    cl_ord_id: str = field(default_factory=new_cl_ord_id)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before it is signed."""

    method: str
    path: str
    body: bytes = b""


def submit(order: Order) -> Request:
    """POST /v1/orders."""
    return _with_body("POST", "/v1/orders", asdict(order))


def replace(
    account: str, orig_cl_ord_id: str, *, order_qty: str, price: str | None, cl_ord_id: str
) -> Request:
    """PUT /v1/orders/{cl_ord_id}; `cl_ord_id` is the request's own new id."""
    fields = {"account": account, "cl_ord_id": cl_ord_id, "order_qty": order_qty, "price": price}
    return _with_body("PUT", _path_of(orig_cl_ord_id), fields)


def cancel(account: str, orig_cl_ord_id: str, *, cl_ord_id: str) -> Request:
    """DELETE /v1/orders/{cl_ord_id}; `cl_ord_id` is the request's own new id."""
    query = {"account": account, "request_id": cl_ord_id}
    return _with_query("DELETE", _path_of(orig_cl_ord_id), query)


def mass_cancel(account: str, *, symbol: str | None, cl_ord_id: str) -> Request:
    """POST /v1/mass-cancel."""
    fields = {"account": account, "cl_ord_id": cl_ord_id, "symbol": symbol}
    return _with_body("POST", "/v1/mass-cancel", fields)


def order(account: str, cl_ord_id: str) -> Request:
    """GET /v1/orders/{cl_ord_id}."""
    return _with_query("GET", _path_of(cl_ord_id), {"account": account})


def orders(account: str | None, *, is_open_only: bool, limit: int, cursor: str | None) -> Request:
    """GET /v1/orders: one page."""
    query = {
        "account": account,
        "open_only": "true" if is_open_only else "false",
        "limit": str(limit),
        "cursor": cursor,
    }
    return _with_query("GET", "/v1/orders", query)


def positions(account: str | None) -> Request:
    """GET /v1/positions."""
    return _with_query("GET", "/v1/positions", {"account": account})


def instruments() -> Request:
    """GET /v1/instruments."""
    return Request("GET", "/v1/instruments")


def _with_body(method: str, path: str, fields: Mapping[str, Any]) -> Request:
    given = {name: value for name, value in fields.items() if value is not None}
    return Request(method, path, json.dumps(given).encode())


def _with_query(method: str, path: str, query: Mapping[str, str | None]) -> Request:
    given = {name: value for name, value in query.items() if value is not None}
    return Request(method, f"{path}?{urlencode(given)}" if given else path)


def _path_of(cl_ord_id: str) -> str:
    return f"/v1/orders/{quote(cl_ord_id, safe='')}"
