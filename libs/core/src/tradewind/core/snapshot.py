# SPDX-License-Identifier: Apache-2.0
"""A state as tables of records, and the digest of it.

What a state consists of is read from `State` itself, so that nothing can be forgotten. The same
state gives the same digest on every replica and machine, whatever order it was built in. The
tables that grow for ever enter it as a sum of their records' hashes, so that a replica pays only
for what changed since its last digest and never stalls.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import StrEnum
from hashlib import blake2b, sha256
from operator import attrgetter
from typing import Any, get_args, get_origin, get_type_hints

from tradewind.core import tallies
from tradewind.core.record import is_later
from tradewind.core.state import State

SCHEMA_VERSION = 2
"""Raised when the meaning of a field changes; a new shape changes `SCHEMA` by itself."""
DERIVED = {"live_orders"} | {field.name for field in fields(State) if not field.compare}
"""What `restore` makes again from the rest, and bookkeeping."""
SUMMED = ("orders", "id_uses", "retired")
"""Tables whose changed records are named in `State.touched`."""
SEPARATOR = "\x1f"
"""Between the parts of a text; escaped wherever it stands in a value."""

HINTS = {name: hint for name, hint in get_type_hints(State).items() if name not in DERIVED}
"""The types of everything that a state consists of."""
TABLES = tuple(name for name, hint in HINTS.items() if get_origin(hint) is dict)
SCALARS = tuple(name for name in HINTS if name not in TABLES)

_SUM_BYTES = 16


def parts(state: State) -> dict[str, Any]:
    """Everything that a state consists of; tables in the order in which they were filled."""
    return {name: getattr(state, name) for name in HINTS}


def restore(values: Mapping[str, Any]) -> State:
    """The state that these are the parts of, as if it had never been stopped."""
    state = State(**values)
    live = sorted((o for o in state.orders.values() if not o.is_final), key=attrgetter("seq"))
    state.live_orders.update((order.order_id, order) for order in live)
    tallies.rebuild(state)
    return state


def dump(state: State) -> dict[str, Any]:
    """A copy as plain data, in canonical order, for people and for comparison."""
    plain: dict[str, Any] = {name: getattr(state, name) for name in SCALARS}
    for name in TABLES:
        table: dict[Any, Any] = getattr(state, name)
        plain[name] = {_key_text(key): asdict(table[key]) for key in sorted(table)}
    return plain


class Digester:
    """Digests of one growing state, each at the cost of what changed since the last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._hashes: dict[str, dict[Any, int]] | None = None
        self._sums = dict.fromkeys(SUMMED, 0)

    def digest(self) -> str:
        """SHA-256 over the canonical text of the state, in hex."""
        state = self._state
        if self._hashes is None:
            self._hashes = {name: _hashes(state, name) for name in SUMMED}
            self._sums = {name: sum(hashes.values()) for name, hashes in self._hashes.items()}
        else:
            for name, key in state.touched:  # det-ok: sums do not depend on their order
                self._count_again(self._hashes[name], name, key)
        state.touched.clear()
        return _whole(state, self._sums)

    def _count_again(self, hashes: dict[Any, int], name: str, key: Any) -> None:
        record = getattr(self._state, name).get(key)
        self._sums[name] -= hashes.pop(key, 0)
        if record is not None:
            hashes[key] = _record_hash(name, key, record)
            self._sums[name] += hashes[key]


def digest(state: State) -> str:
    """The digest of the whole state, from scratch."""
    return _whole(state, {name: sum(_hashes(state, name).values()) for name in SUMMED})


class _Text:
    """The canonical text of one kind of record: its fields in their order, parts at the end."""

    def __init__(self, record: type[Any]) -> None:
        hints = get_type_hints(record)
        names = [field.name for field in fields(record)]
        self._parts = {
            name: _Text(get_args(hints[name])[0])
            for name in names
            if get_origin(hints[name]) is tuple
        }
        self._later = {field.name: field.default for field in fields(record) if is_later(field)}
        plain = [name for name in names if name not in self._parts and name not in self._later]
        self.shape = [f"{name} {hints[name]}" for name in names]
        self.shape += [line for part in self._parts.values() for line in part.shape]
        self._values = attrgetter(*plain)
        self._template = SEPARATOR.join(_conversion(hints[name]) for name in plain)

    def of(self, record: Any) -> str:
        """The text of a record."""
        text: str = self._template % self._values(record)
        for name, unset in self._later.items():
            value = getattr(record, name)
            if value != unset:
                text += f"{SEPARATOR}{name} {value!a}"
        for name, part in self._parts.items():
            items = getattr(record, name)
            if items:
                text += SEPARATOR.join([f"{SEPARATOR}{name} {len(items)}", *map(part.of, items)])
        return text


def _conversion(hint: Any) -> str:
    """How a field is written: numbers and codes as they are, anything else in escaped ASCII."""
    if hint in (int, bool):
        return "%d"
    return "%s" if isinstance(hint, type) and issubclass(hint, StrEnum) else "%a"


_TEXTS = {name: _Text(get_args(HINTS[name])[1]) for name in TABLES}


def _shape_hash() -> str:
    shape = [f"{name} {hint}" for name, hint in HINTS.items()]
    shape += [line for text in _TEXTS.values() for line in text.shape]
    return sha256("\n".join(shape).encode()).hexdigest()[:12]


SCHEMA = f"{SCHEMA_VERSION}-{_shape_hash()}"
"""What a snapshot must have been made with to be read here."""


def _record_hash(name: str, key: Any, record: Any) -> int:
    text = f"{name}{SEPARATOR}{key!a}{SEPARATOR}{_TEXTS[name].of(record)}"
    return int.from_bytes(blake2b(text.encode(), digest_size=_SUM_BYTES).digest())


def _hashes(state: State, name: str) -> dict[Any, int]:
    table: dict[Any, Any] = getattr(state, name)
    return {key: _record_hash(name, key, record) for key, record in table.items()}


def _whole(state: State, sums: Mapping[str, int]) -> str:
    lines = [f"{name} {getattr(state, name)!a}" for name in SCALARS]
    lines += [f"{name} {total:x}" for name, total in sums.items()]
    for name in TABLES:
        if name not in sums:
            table: dict[Any, Any] = getattr(state, name)
            lines += [f"{name} {key!a} {_TEXTS[name].of(table[key])}" for key in sorted(table)]
    return sha256("\n".join(lines).encode()).hexdigest()


def _key_text(key: str | tuple[str, ...]) -> str:
    return key if isinstance(key, str) else SEPARATOR.join(key)
