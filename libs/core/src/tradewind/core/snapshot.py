# SPDX-License-Identifier: Apache-2.0
"""State <-> plain versioned data, and the digest of it.

Everything is written in canonical order (sorted keys), so the same state gives the same bytes
on every replica and machine, whatever order it was built in.
"""

import json
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any

from tradewind.core.events import (
    InstrumentDefined,
    LimitsSet,
    ReferencePriceSet,
    TradingStateSet,
)
from tradewind.core.state import IdUse, Order, Pending, Position, State, VenueSession
from tradewind.core.types import (
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingState,
    VenueAction,
)

SCHEMA_VERSION = 1
SEPARATOR = "\x1f"
"""Joins the parts of a two-part key; it can stand in no id."""

_SCALARS = ("segment", "shard", "seq", "ts_ns", "ordinal")
_TABLES: dict[str, type[Any]] = {
    "orders": Order,
    "id_uses": IdUse,
    "positions": Position,
    "instruments": InstrumentDefined,
    "limits": LimitsSet,
    "references": ReferencePriceSet,
    "trading_states": TradingStateSet,
    "sessions": VenueSession,
}
_ENUMS: dict[str, type[Any]] = {
    "side": Side,
    "ord_type": OrdType,
    "time_in_force": TimeInForce,
    "ord_status": OrdStatus,
    "action": VenueAction,
    "reason": Reason,
    "state": TradingState,
}


def dump(state: State) -> dict[str, Any]:
    """Plain data: dicts, lists, strings, integers, booleans, None."""
    plain: dict[str, Any] = {"schema": SCHEMA_VERSION}
    plain.update({name: getattr(state, name) for name in _SCALARS})
    for name in _TABLES:
        table: dict[Any, Any] = getattr(state, name)
        plain[name] = {_key_text(key): asdict(table[key]) for key in sorted(table)}
    return plain


def load(plain: dict[str, Any]) -> State:
    """The state that `dump` was given.

    Raises:
        ValueError: if the data is of another schema.
    """
    if plain.get("schema") != SCHEMA_VERSION:
        raise ValueError(f"snapshot schema {plain.get('schema')} is not {SCHEMA_VERSION}")
    state = State(**{name: plain[name] for name in _SCALARS})
    for name, record in _TABLES.items():
        table: dict[Any, Any] = getattr(state, name)
        for key, value in plain[name].items():
            table[_key(key)] = _record(record, value)
    live = sorted((o for o in state.orders.values() if not o.is_final), key=lambda o: o.seq)
    state.live_orders.update((order.order_id, order) for order in live)
    return state


def digest(state: State) -> str:
    """SHA-256 over the canonical JSON of the whole state, in hex."""
    text = json.dumps(dump(state), sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _record(record: type[Any], value: dict[str, Any]) -> Any:
    known = {name: _value(record, name, item) for name, item in value.items()}
    unknown = known.keys() - {field.name for field in fields(record)}
    if unknown:
        raise ValueError(f"{record.__name__} has no field {min(unknown)}")
    return record(**known)


def _value(record: type[Any], name: str, item: Any) -> Any:
    if name == "pending" and item is not None:
        return _record(Pending, item)
    # A trading state's own reason is an operator's sentence, not a reason code.
    if name in _ENUMS and not (record is TradingStateSet and name == "reason"):
        return _ENUMS[name](item)
    return item


def _key_text(key: str | tuple[str, str]) -> str:
    return key if isinstance(key, str) else SEPARATOR.join(key)


def _key(text: str) -> str | tuple[str, ...]:
    return tuple(text.split(SEPARATOR)) if SEPARATOR in text else text
