# SPDX-License-Identifier: Apache-2.0
"""The limits that hold for an order, as the rules ask for them: by bound, set ones only.

What was looked up once is kept with them, since many orders have the same.
"""

from collections.abc import Callable

from tradewind.core.bounds import REQUIRED, UNSET
from tradewind.core.risk_events import ScopeLimitsSet

Cover = tuple[str, ScopeLimitsSet]
"""A scope of an order's, and limits that hold for it."""
Part = Callable[[ScopeLimitsSet, str], int]
"""What of a bound may be used here."""
PERMITTED_KINDS = ("account", "strategy", "client")
"""Each of these has limits, or nothing is permitted to it."""


class Covers:
    """Limits by scope, the widest scope first."""

    __slots__ = ("_most", "_of", "_part", "all", "missing", "unknown_kinds")

    def __init__(self, covers: tuple[Cover, ...], part: Part = getattr) -> None:
        self.all = covers
        self._part = part
        self.missing = tuple(bound for bound in REQUIRED if not self._is_set(bound))
        """Bounds that some scope must set, and none does."""
        kinds = [scope.partition(":")[0] for scope, _limits in covers if "/" not in scope]
        self.unknown_kinds = tuple(kind for kind in PERMITTED_KINDS if kind not in kinds)
        """Kinds of scope that the order has without limits of its own."""
        self._of: dict[str, tuple[tuple[str, int, int], ...]] = {}
        self._most: dict[tuple[str, ...], dict[str, int]] = {}

    def of(self, bound: str) -> tuple[tuple[str, int, int], ...]:
        """Where this bound is set: scope, what may be used of it here, version of the limits."""
        found = self._of.get(bound)
        if found is None:
            found = self._of[bound] = self._find(bound)
        return found

    def most(self, *bounds: str) -> dict[str, int]:
        """Of each scope, the largest of these bounds."""
        found = self._most.get(bounds)
        if found is None:
            found = self._most[bounds] = {}
            for scope, limits in self.all:
                largest = max(getattr(limits, bound) for bound in bounds)
                found[scope] = max(found.get(scope, 0), largest)
        return found

    def whole(self, bound: str, scope: str, version: int) -> int:
        """A bound as it is set for all shards."""
        found: list[int] = [
            getattr(limits, bound)
            for covered, limits in self.all
            if (covered, limits.version) == (scope, version) and getattr(limits, bound) != UNSET
        ]
        return found[0]

    def _is_set(self, bound: str) -> bool:
        return any(getattr(limits, bound) != UNSET for _scope, limits in self.all)

    def _find(self, bound: str) -> tuple[tuple[str, int, int], ...]:
        return tuple(
            (scope, self._part(limits, bound), limits.version)
            for scope, limits in self.all
            if getattr(limits, bound) != UNSET
        )


NONE = Covers(())
