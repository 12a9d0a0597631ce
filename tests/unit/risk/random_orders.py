# SPDX-License-Identifier: Apache-2.0
"""Orders as random clients send them: of every kind, of families, with mistakes."""

from random import Random
from typing import Any

from tradewind.core.state import State
from tradewind.core.types import OrdType, Side, TimeInForce

BTC, ETH = "BTC-USD", "ETH-EUR"
REFERENCES = {BTC: 1_000, ETH: 700}
VENUES = {BTC: "SIM", ETH: "DEEP"}
ACCOUNTS, STRATEGIES, CLIENTS = ("A", "B"), ("x", "y"), ("kim", "lee")
SHAPES: list[dict[str, Any]] = [
    *[{}] * 6,
    {"time_in_force": TimeInForce.DAY, "display_qty": 3},
    {"ord_type": OrdType.MARKET, "time_in_force": TimeInForce.IOC},
    {"ord_type": OrdType.STOP, "time_in_force": TimeInForce.DAY},
    {"ord_type": OrdType.STOP_LIMIT},
    {"is_post_only": True},
    {"time_in_force": TimeInForce.AT_CLOSE},
    {"time_in_force": TimeInForce.AT_OPEN},
    {"is_parent": True},
    {"is_parent": True, "ord_type": OrdType.MARKET, "time_in_force": TimeInForce.DAY},
]
ODD: list[dict[str, Any]] = [
    {"order_qty": 0},
    {"order_qty": 101},
    {"price": 0},
    {"price": 5_000},
    {"stop_px": 7},
    {"client": ""},
    {"strategy": ""},
    {"strategy": "nobody"},
    {"account": "Z"},
    {"display_qty": 3, "time_in_force": TimeInForce.IOC},
    {"is_post_only": True, "time_in_force": TimeInForce.FOK},
    {"time_in_force": TimeInForce.GTD, "expire_ns": 5},
    {"time_in_force": TimeInForce.GTD},
    {"expire_ns": 5},
    {"void_after_ns": 5},
    {"parent_cl_ord_id": "nobody"},
]


def terms(random: Random, state: State) -> dict[str, Any]:
    """Of any kind, good or bad."""
    family = _family(random, state)
    symbol = family.get("symbol") or random.choice(tuple(REFERENCES))
    price = REFERENCES[symbol] * random.choice((100, 100, 99, 101, 91, 109)) // 100
    shape = random.choice(SHAPES)
    kind = shape.get("ord_type", OrdType.LIMIT)
    algorithm, build = random.choice((("NONE", "NONE"), ("TWAP", "b1"), ("TWAP", "b2")))
    found: dict[str, Any] = {
        "account": random.choice(ACCOUNTS),
        "symbol": symbol,
        "side": random.choice(list(Side)),
        "order_qty": random.choice((3, 5, 9, 20)),
        "price": price if kind in (OrdType.LIMIT, OrdType.STOP_LIMIT) else 0,
        "stop_px": price if kind in (OrdType.STOP, OrdType.STOP_LIMIT) else 0,
        "client": random.choice(CLIENTS),
        "strategy": random.choice(STRATEGIES),
        "algorithm": algorithm,
        "build": build,
        **shape,
        **family,
    }
    if random.random() < 0.08:
        found |= random.choice(ODD)
    return found


def _family(random: Random, state: State) -> dict[str, Any]:
    """What a child has of its parent: of one that works, mostly."""
    if random.random() > 0.25:
        return {}
    parents = [order for order in state.orders.values() if order.is_parent]
    working = [order for order in parents if not order.is_final]
    odd = random.random() < 0.1
    known = (list(state.orders.values()) if random.random() < 0.3 else parents) if odd else working
    if not known:
        return {}
    parent = random.choice(known)
    words = {"parent_cl_ord_id": parent.cl_ord_id, "account": parent.account}
    if odd and random.random() < 0.5:
        return words
    return {**words, "symbol": parent.symbol, "side": parent.side}
