# SPDX-License-Identifier: Apache-2.0
"""What differs between exchanges and ccxt does not level out. One that is not here is not used.

An exchange needs a client order id that it can be asked by, and requests that expire by themselves:
without these nobody could say what became of a request.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Order = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """One exchange.

    `client_id`: what an order id may look like there. `named(id)` makes the parameters that name an
    order by it, `canceling(id, request_id)` those of a cancel that has a name itself, and
    `cancel_of(info)` reads that name from a raw report. `created(id)` are those of a new order.
    `expiring(ms)` lets a request expire. `amend` changes the quantity of a working order in place.
    `duplicate` is in the error of an order that is there already.
    """

    client_id: re.Pattern[str]
    options: Mapping[str, Any]
    point_at: Callable[[dict[str, Any], str], None]
    created: Callable[[str], dict[str, Any]]
    named: Callable[[str], dict[str, Any]]
    canceling: Callable[[str, str], dict[str, Any]]
    cancel_of: Callable[[Mapping[str, Any]], str]
    iceberg: Callable[[str], dict[str, Any]]
    expiring: Callable[[int], dict[str, Any]]
    amend: Callable[[Any, str, str, str], Awaitable[None]]
    duplicate: str


def _point_binance_at(urls: dict[str, Any], address: str) -> None:
    api, streams = f"{address}/api/v3", address.replace("http", "ws", 1)
    urls["api"].update(public=api, private=api)
    urls["api"]["ws"].update(spot=f"{streams}/ws")
    urls["api"]["ws"]["ws-api"].update(spot=f"{streams}/ws-api/v3")


def _binance_cancel(info: Mapping[str, Any]) -> str:
    """Of a user stream's report: `C` is the order's name then, `c` the cancel's."""
    return str(info["c"]) if info.get("C") else ""


async def _amend_binance(exchange: Any, symbol: str, order_id: str, qty: str) -> None:
    request = {
        "symbol": exchange.market(symbol)["id"],
        "origClientOrderId": order_id,
        "newClientOrderId": order_id,
        "newQty": qty,
    }
    await exchange.request("order/amend/keepPriority", ["private"], "PUT", request)


BINANCE = Terms(
    client_id=re.compile(r"[.A-Z:/a-z0-9_-]{1,36}"),
    options={
        "fetchMarkets": {"types": ["spot"]},
        "fetchMargins": False,
        "fetchCurrencies": False,
        "warnOnFetchOpenOrdersWithoutSymbol": False,
    },
    point_at=_point_binance_at,
    created=lambda order_id: {"newClientOrderId": order_id},
    named=lambda order_id: {"origClientOrderId": order_id},
    canceling=lambda order_id, request_id: {
        "origClientOrderId": order_id,
        "newClientOrderId": request_id,
    },
    cancel_of=_binance_cancel,
    iceberg=lambda qty: {"icebergQty": qty},
    expiring=lambda ms: {"recvWindow": ms},
    amend=_amend_binance,
    duplicate="Duplicate order sent",
)

TERMS = {"binance": BINANCE}
