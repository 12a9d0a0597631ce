# SPDX-License-Identifier: Apache-2.0
"""State <-> plain versioned data, and the digest of it.

Everything is written in canonical order (sorted keys), so the same state gives the same bytes
on every replica and machine, whatever order it was built in. The tables that grow for ever
(orders, request ids) enter the digest as a sum of their records' hashes, so that a replica pays
only for what changed since its last digest and never stalls.
"""

import json
from dataclasses import fields
from hashlib import blake2b, sha256
from typing import Any

from tradewind.core.events import (
    BuildsChanged,
    FxRateSet,
    InstrumentDefined,
    LimitsSet,
    LogicSet,
    ReferencePriceSet,
    TradingSessionSet,
    TradingStateSet,
)
from tradewind.core.state import (
    Fees,
    Fill,
    IdUse,
    Order,
    Pending,
    Position,
    Retired,
    State,
    VenueSession,
)
from tradewind.core.types import (
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingState,
    TradSesStatus,
    VenueAction,
)

SCHEMA_VERSION = 2
SEPARATOR = "\x1f"
"""Joins the parts of a two-part key; it can stand in no id."""

_SCALARS = ("segment", "shard", "seq", "ts_ns", "ordinal", "trading_date")
_TABLES: dict[str, type[Any]] = {
    "orders": Order,
    "id_uses": IdUse,
    "retired": Retired,
    "positions": Position,
    "ledgers": Position,
    "fees": Fees,
    "instruments": InstrumentDefined,
    "limits": LimitsSet,
    "references": ReferencePriceSet,
    "trading_states": TradingStateSet,
    "sessions": VenueSession,
    "trading_sessions": TradingSessionSet,
    "fx_rates": FxRateSet,
    "logic": LogicSet,
    "builds": BuildsChanged,
}
_SUMMED = ("orders", "id_uses", "retired")
_SUM_BITS = 256
_FIELDS = {
    record: tuple(field.name for field in fields(record))
    for record in (*_TABLES.values(), Pending, Fill)
}
_PARTS = {"pendings": Pending, "fills": Fill}
_ENUMS: dict[str, type[Any]] = {
    "side": Side,
    "ord_type": OrdType,
    "time_in_force": TimeInForce,
    "ord_status": OrdStatus,
    "action": VenueAction,
    "reason": Reason,
    "state": TradingState,
    "status": TradSesStatus,
}


def dump(state: State) -> dict[str, Any]:
    """Plain data: dicts, lists, strings, integers, booleans, None."""
    plain: dict[str, Any] = {"schema": SCHEMA_VERSION}
    plain.update({name: getattr(state, name) for name in _SCALARS})
    plain.update({name: _dump_table(state, name) for name in _TABLES})
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


class Digester:
    """Digests of one growing state, each at the cost of what changed since the last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._hashes: dict[tuple[str, Any], int] = {}
        self._sums = dict.fromkeys(_SUMMED, 0)
        for name in _SUMMED:
            state.touched.update((name, key) for key in getattr(state, name))

    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the state, in hex."""
        for mark in sorted(self._state.touched):
            name, key = mark
            record = getattr(self._state, name).get(key)
            new = 0 if record is None else _record_hash(name, key, record)
            change = new - self._hashes.pop(mark, 0)
            self._sums[name] = (self._sums[name] + change) % 2**_SUM_BITS
            if record is not None:
                self._hashes[mark] = new
        self._state.touched.clear()
        plain: dict[str, Any] = {name: getattr(self._state, name) for name in _SCALARS}
        rest = [name for name in _TABLES if name not in _SUMMED]
        plain.update({name: _dump_table(self._state, name) for name in rest})
        plain.update({name: f"{total:x}" for name, total in self._sums.items()})
        return sha256(_canonical(plain)).hexdigest()


def digest(state: State) -> str:
    """The digest of the whole state, from scratch."""
    touched = set(state.touched)
    try:
        return Digester(state).digest()
    finally:
        state.touched.update(touched)


def _record_hash(name: str, key: Any, record: Any) -> int:
    body = _canonical([name, _key_text(key), _plain(record)])
    return int.from_bytes(blake2b(body, digest_size=_SUM_BITS // 8).digest())


def _canonical(plain: Any) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def _dump_table(state: State, name: str) -> dict[str, Any]:
    table: dict[Any, Any] = getattr(state, name)
    return {_key_text(key): _plain(table[key]) for key in sorted(table)}


def _plain(record: Any) -> dict[str, Any]:
    plain = {name: getattr(record, name) for name in _FIELDS[type(record)]}
    if isinstance(record, Order):
        plain["venue_exec_ids"] = list(record.venue_exec_ids)
        plain["pendings"] = [_plain(pending) for pending in record.pendings]
        plain["fills"] = [_plain(fill) for fill in record.fills]
    return plain


def _record(record: type[Any], value: dict[str, Any]) -> Any:
    known = {name: _value(record, name, item) for name, item in value.items()}
    unknown = known.keys() - {field.name for field in fields(record)}
    if unknown:
        raise ValueError(f"{record.__name__} has no field {min(unknown)}")
    return record(**known)


def _value(record: type[Any], name: str, item: Any) -> Any:
    if name in _PARTS:
        return tuple(_record(_PARTS[name], part) for part in item)
    # A trading state's own reason is an operator's sentence, not a reason code.
    if name in _ENUMS and not (record is TradingStateSet and name == "reason"):
        return _ENUMS[name](item)
    return item


def _key_text(key: str | tuple[str, str]) -> str:
    return key if isinstance(key, str) else SEPARATOR.join(key)


def _key(text: str) -> str | tuple[str, ...]:
    return tuple(text.split(SEPARATOR)) if SEPARATOR in text else text
