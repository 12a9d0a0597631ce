# SPDX-License-Identifier: Apache-2.0
"""Limits of scopes: which hold for an order, with those of all of a kind, and while others last."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache

from tradewind.core.events import ScopeLimitsSet

BOUNDS = tuple(
    field.name
    for field in fields(ScopeLimitsSet)
    if field.name.startswith(("max_", "flood_", "allows_"))
)
WINDOWS = ("duplicate_window_ms", "message_window_ms", "repeat_window_ms")
UNSET = -1
FOR_EVER = 2**63


@dataclass(frozen=True, slots=True)
class Bounds:
    """A scope's limits: `of` the bounds that they set, by name, `windows` how far some look.

    So many of the newest `messages` and `trades` of algorithms they look at, or UNSET.
    """

    version: int
    expires_ns: int
    approved_build: str
    of: dict[str, int]
    windows: dict[str, int]
    messages: int
    trades: int


Bounded = tuple[str, Bounds]
"""A scope that an order is in, and limits that hold for it."""


def repetition(every: Iterable[Bounds]) -> tuple[int, int]:
    """The most of the same that any of these looks at, or UNSET; and the longest window."""
    most, window_ms = UNSET, 0
    for bounds in every:
        most = max(most, bounds.of.get("max_duplicates", UNSET))
        window_ms = max(window_ms, bounds.windows["duplicate_window_ms"])
    return most, window_ms


@dataclass(frozen=True, slots=True)
class Held:
    """All limits that hold for some scopes before `until_ns`.

    `messages` and `trades` are the most that they look at in each scope that has limits.
    """

    until_ns: int
    all: list[Bounded]
    messages: dict[str, int]
    trades: dict[str, int]


class ScopeLimits:
    """Of every scope. What was found for the scopes of an order is kept until limits change."""

    def __init__(self) -> None:
        self._lasting: dict[str, Bounds] = {}
        self._expiring: dict[str, Bounds] = {}
        self._found: dict[tuple[str, ...], Held] = {}
        self.repetition = UNSET, 0
        """As `repetition` says, of all limits that there are."""

    @property
    def are_any(self) -> bool:
        """Some scope has limits, or had."""
        return bool(self._lasting or self._expiring)

    def take(self, event: ScopeLimitsSet) -> None:
        """Limits that expire stand before those that last, which hold again after them."""
        table = self._expiring if event.expires_ns else self._lasting
        table[event.scope] = Bounds(
            version=event.version,
            expires_ns=event.expires_ns,
            approved_build=event.approved_build,
            of={name: getattr(event, name) for name in BOUNDS if getattr(event, name) >= 0},
            windows={name: getattr(event, name) for name in WINDOWS},
            messages=max(event.max_messages, event.flood_messages),
            trades=event.max_repeats,
        )
        self.repetition = repetition([*self._lasting.values(), *self._expiring.values()])
        self._found.clear()

    def held(self, scopes: tuple[str, ...], at_ns: int) -> Held:
        """Every set of limits that holds for any of these scopes."""
        found = self._found.get(scopes)
        if found is None or at_ns >= found.until_ns:
            found = self._found[scopes] = self._find(scopes, at_ns)
        return found

    def forget(self) -> None:
        """Who traded need not trade again."""
        self._found.clear()

    def _find(self, scopes: tuple[str, ...], at_ns: int) -> Held:
        until_ns = FOR_EVER
        found: list[Bounded] = []
        messages: dict[str, int] = {}
        trades: dict[str, int] = {}
        for scope, name in _names(scopes):
            limits = self._expiring.get(name)
            if limits is None or at_ns >= limits.expires_ns:
                limits = self._lasting.get(name)
            else:
                until_ns = min(until_ns, limits.expires_ns)
            if limits is not None:
                found.append((scope, limits))
                messages[scope] = max(messages.get(scope, UNSET), limits.messages)
                trades[scope] = max(trades.get(scope, UNSET), limits.trades)
        return Held(until_ns, found, messages, trades)


@lru_cache(maxsize=10_000)
def _names(scopes: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each scope with every name that limits of it may have."""
    return tuple((scope, name) for scope in scopes for name in _patterns(scope))


def _patterns(scope: str) -> tuple[str, ...]:
    """The scope itself, and with each of its names left open."""
    kind, colon, rest = scope.partition(":")
    if not colon:
        return (scope,)
    account, slash, symbol = rest.partition("/symbol:")
    if not slash:
        return scope, f"{kind}:*"
    tail = f"/symbol:{symbol}"
    return scope, f"account:*{tail}", f"account:{account}/symbol:*", "account:*/symbol:*"
