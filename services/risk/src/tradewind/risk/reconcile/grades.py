# SPDX-License-Identifier: Apache-2.0
"""What differs, how long it has stood, and what follows from that. Pure: time is an argument.

Things that are under way differ for a moment, all the time. A difference counts by how long it has
stood, and by its kind. One that is changed from both sides is another one: it is being worked off.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from tradewind.core.types import TradingState


class Kind(StrEnum):
    """What can differ."""

    EXECUTION = "execution"
    """The venue has told an execution, and nobody has booked it."""
    ORDER = "order"
    """An order works at one of the two only, or in another quantity."""
    POSITION = "position"
    """All executions together are not what the venue says is held."""
    AWAY = "drop-copy"
    """There is no drop copy, or it does not answer."""


class Grade(IntEnum):
    """What follows."""

    NONE = 0
    ALERT = 1
    REDUCING = 2
    HALTED = 3


STATE_OF = {Grade.REDUCING: TradingState.REDUCING, Grade.HALTED: TradingState.HALTED}
GRADE_OF = {state: grade for grade, state in STATE_OF.items()} | {TradingState.ACTIVE: Grade.NONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`venue` and `booked` are lots, `name` is an execution's, an order's, a symbol or a venue.

    `symbol` is empty if it is not about one instrument.
    """

    kind: Kind
    name: str
    symbol: str
    venue: int
    booked: int
    text: str

    @property
    def subject(self) -> str:
        """What it is called, as one word without a comma."""
        return f"{self.kind}:{self.name}".replace(" ", "_").replace(",", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a difference stands before something follows, in ms.

    `away_ms` 0: nothing but an alert follows from a drop copy that is away. A position may differ
    by `tolerance` lots, of which people are told only.
    """

    alert_ms: int
    reducing_ms: int
    halted_ms: int
    away_ms: int
    tolerance: int

    def later(self, ms: int) -> "Patience":
        """As patient, and a little more: whoever waits longer finds done what is to be done."""
        return replace(self, reducing_ms=self.reducing_ms + ms, halted_ms=self.halted_ms + ms)

    def grade(self, difference: Difference, age_ms: int) -> Grade:
        """What follows from a difference of this age."""
        ladder = self._ladder(difference)
        return max((grade for grade, since_ms in ladder if age_ms >= since_ms), default=Grade.NONE)

    def _ladder(self, difference: Difference) -> list[tuple[Grade, int]]:
        alert = (Grade.ALERT, self.alert_ms)
        reducing, halted = (Grade.REDUCING, self.reducing_ms), (Grade.HALTED, self.halted_ms)
        match difference.kind:
            case Kind.AWAY:
                away = [(Grade.REDUCING, self.away_ms)] if self.away_ms else []
                return [(Grade.ALERT, 0), *away]
            case Kind.ORDER:
                return [alert, reducing]
            case Kind.EXECUTION:
                return [alert, reducing, halted]
            case Kind.POSITION:
                is_small = abs(difference.venue - difference.booked) <= self.tolerance
                return [alert] if is_small else [alert, reducing, halted]


@dataclass(frozen=True, slots=True)
class Standing:
    """A difference, since when it stands, and what follows now."""

    difference: Difference
    age_ms: int
    grade: Grade


class Standings:
    """The differences of one look after the other."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since: dict[str, tuple[Difference, int]] = {}

    def look(self, differences: Iterable[Difference], now_ms: int) -> list[Standing]:
        """All that stand now, with their ages. `now_ms` never runs back."""
        before, self._since = self._since, {}
        found = []
        for difference in differences:
            first, since_ms = before.get(difference.subject, (difference, now_ms))
            if first.venue != difference.venue and first.booked != difference.booked:
                first, since_ms = difference, now_ms
            self._since[difference.subject] = (first, since_ms)
            age_ms = now_ms - since_ms
            found.append(Standing(difference, age_ms, self._patience.grade(difference, age_ms)))
        return found
