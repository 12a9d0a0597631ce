# SPDX-License-Identifier: Apache-2.0
"""From differences to trading states: graded, sticky, and never looser than what is in force. Pure.

What it sets, people open again. They have judged then what it was set for, and what else stood in
that scope: that is not acted on again, for as long as it stands. The first word of every entry's
reason names what it is for, so that a process which starts later, or another one, knows that too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tradewind.core.commands import SetTradingState
from tradewind.core.events import TradingStateSet
from tradewind.risk.reconcile.grades import GRADE_OF, STATE_OF, Grade, Standing

ACTOR = "reconciliation"
AGAIN_MS = 2_000
AND = ","
NAMED = 20
"""So many differences an entry names."""


@dataclass(frozen=True, slots=True)
class Order:
    """An entry for one shard's journal."""

    shard: int
    command: SetTradingState


class Breaker:
    """Of one venue, in every shard."""

    def __init__(self, venue: str, shards: int) -> None:
        self._venue = venue
        self._shards = range(shards)
        self._grades: dict[tuple[int, str], Grade] = {}
        self._acted: dict[tuple[int, str], set[str]] = {}
        self._asked: dict[tuple[int, str], tuple[Grade, int]] = {}
        self._standing: Sequence[Standing] = ()
        self.judged: set[str] = set()

    def hear(self, shard: int, event: TradingStateSet) -> None:
        """A scope has this state now, whoever set it."""
        place = shard, event.scope
        grade = GRADE_OF[event.state]
        is_looser = grade < self._grades.get(place, Grade.NONE)
        self._grades[place] = grade
        self._asked.pop(place, None)
        if event.actor == ACTOR:
            names = event.reason.partition(" ")[0].split(AND)
            self._acted.setdefault(place, set()).update(names)
        elif is_looser:
            self.judged |= self._acted.pop(place, set())
            self.judged |= {
                each.difference.subject
                for each in self._standing
                if self.scope_of(each) == event.scope
            }

    def look(self, standing: Sequence[Standing], now_ms: int) -> list[Order]:
        """What has to be journaled now. `standing` is all that differs."""
        self._standing = standing
        self.judged &= {each.difference.subject for each in standing}
        return list(self._orders(standing, now_ms))

    def scope_of(self, standing: Standing) -> str:
        """What a difference concerns: its instrument, or all that the venue trades."""
        symbol = standing.difference.symbol
        return f"symbol:{symbol}" if symbol else f"venue:{self._venue}"

    def _orders(self, standing: Sequence[Standing], now_ms: int) -> Iterable[Order]:
        """The worst first: it may make the others needless."""
        for each in sorted(standing, key=lambda each: -each.grade):
            if each.grade not in STATE_OF or each.difference.subject in self.judged:
                continue
            scope = self.scope_of(each)
            for shard in self._shards:
                if self._is_due((shard, scope), each.grade, now_ms):
                    self._asked[shard, scope] = (each.grade, now_ms)
                    yield Order(
                        shard,
                        SetTradingState(
                            scope=scope,
                            state=STATE_OF[each.grade],
                            actor=ACTOR,
                            reason=f"{self._names(each)} {each.difference.text}",
                        ),
                    )

    def _names(self, first: Standing) -> str:
        """What stands in the same scope, beginning with what an entry is for."""
        names = [first.difference.subject] + [
            each.difference.subject
            for each in self._standing
            if each is not first and each.grade and self.scope_of(each) == self.scope_of(first)
        ]
        return AND.join(names[:NAMED])

    def _is_due(self, place: tuple[int, str], grade: Grade, now_ms: int) -> bool:
        """Not if it is in force, nor while it may be on its way."""
        if self._grades.get(place, Grade.NONE) >= grade:
            return False
        asked, asked_ms = self._asked.get(place, (Grade.NONE, 0))
        return asked < grade or now_ms - asked_ms >= AGAIN_MS
