# SPDX-License-Identifier: Apache-2.0
"""Parts of bounds that span shards: what one shard gave is what another took, and none is lost.

Pure. Shards are replayed one after another while their journals grow, so of each there are two
tails: what is `settled` was there before the replay of any other shard ended. A settled take needs
its gift, and a settled gift the take of the one before it; what came later may lack its other half.
Memory grows by 16 bytes for each transfer.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tradewind.cli.verify_replay import Output
from tradewind.common import codec
from tradewind.core.events import ShareGiven, ShareTaken
from tradewind.core.shares import DIVISION, WHOLE
from tradewind.core.state import State

NOT_GIVEN = "SHARE_NOT_GIVEN"
OUT_OF_TURN = "SHARE_OUT_OF_TURN"
NOT_WHOLE = "SHARES_NOT_WHOLE"
DIVIDED_OTHERWISE = "BOUNDS_DIVIDED_OTHERWISE"

Bound = tuple[str, str]
"""A scope and a bound of it."""
_MOVES = {ShareGiven.__name__, ShareTaken.__name__}


@dataclass(slots=True)
class _Line:
    """Transfers of one bound between two shards, as one of them has them.

    `units` are those of number `before` + 1 and on; `settled` is the last number of a settled one.
    """

    before: int = 0
    units: "array[int]" = field(default_factory=lambda: array("q"))
    settled: int = 0

    @property
    def last(self) -> int:
        return self.before + len(self.units)

    def of(self, number: int) -> int | None:
        """Its units; None if it is not here."""
        place = number - self.before - 1
        return self.units[place] if 0 <= place < len(self.units) else None

    def add(self, units: int, *, is_settled: bool) -> None:
        self.units.append(units)
        if is_settled:
            self.settled = self.last


class Ledger:
    """What one shard gave and took from where its replay begins, and what it holds at its end.

    It begins no later than at `settled_seq`.
    """

    def __init__(self, state: State, settled_seq: int) -> None:
        self._settled_seq = settled_seq
        self.given: dict[tuple[Bound, int], _Line] = {}
        self.taken: dict[tuple[Bound, int], _Line] = {}
        self.held: dict[Bound, int] = {}
        self.divided_by = 0
        for (scope, bound, other), known in state.transfers.items():
            key = (scope, bound), int(other)
            if known.given:
                self.given[key] = _Line(known.given - 1)
                self.given[key].add(known.units, is_settled=True)
            self.taken[key] = _Line(known.taken, settled=known.taken)

    def hear(self, outputs: Iterable[Output]) -> None:
        """Takes note of what moved."""
        for output in outputs:
            if output.subject.rpartition(".")[2] not in _MOVES:
                continue
            event = codec.decode_event(output.body)
            if isinstance(event, ShareGiven | ShareTaken):
                lines = self.given if isinstance(event, ShareGiven) else self.taken
                line = lines.setdefault(((event.scope, event.bound), event.shard), _Line())
                line.add(event.units, is_settled=output.entry_seq <= self._settled_seq)

    def close(self, state: State) -> None:
        """The replay ends in this state."""
        self.held = {bound: share.units for bound, share in state.shares.items()}
        division = state.divisions.get(DIVISION)
        self.divided_by = 0 if division is None else division.shards


class _Comparison:
    """Of all shards' ledgers."""

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        self._ledgers = ledgers
        self.transfers = 0
        self.on_their_way = 0
        self.problems: list[dict[str, Any]] = []

    def bounds(self) -> list[Bound]:
        """Those of which some shard has said anything."""
        return sorted(
            {bound for ledger in self._ledgers for bound in ledger.held}
            | {bound for ledger in self._ledgers for bound, _other in ledger.taken | ledger.given}
        )

    def divisions(self) -> None:
        """All that are divided are by as many shards as there are."""
        for shard, ledger in enumerate(self._ledgers):
            if ledger.divided_by not in (0, len(self._ledgers)):
                text = f"shard {shard} divides by {ledger.divided_by}, not {len(self._ledgers)}"
                self._problem(DIVIDED_OTHERWISE, ("", ""), text)

    def compare(self, bound: Bound) -> None:
        """Every transfer, and the sum."""
        part = WHOLE // len(self._ledgers)
        held = sum(ledger.held.get(bound, part) for ledger in self._ledgers)
        for giver, taker in self._pairs():
            gave = self._ledgers[giver].given.get((bound, taker), _Line())
            took = self._ledgers[taker].taken.get((bound, giver), _Line())
            self.transfers += took.last
            self._taken(bound, giver, taker)
            # These were taken after the giver's tail: from what it still has there.
            held -= sum(took.units[max(gave.last, took.settled) - took.before :])
            coming = gave.units[max(0, took.last - gave.before) :]
            self.on_their_way += len(coming)
            held += sum(coming)
            if gave.settled > took.last + 1:
                text = (
                    f"shard {giver} gave transfer {gave.settled} to shard {taker}, "
                    f"which has only taken {took.last}"
                )
                self._problem(OUT_OF_TURN, bound, text)
        whole = part * len(self._ledgers)
        if held != whole:
            text = f"shards hold {held} units with those on their way, not {whole}"
            self._problem(NOT_WHOLE, bound, text)

    def _taken(self, bound: Bound, giver: int, taker: int) -> None:
        """The first transfer that was taken as it was not given."""
        gave = self._ledgers[giver].given.get((bound, taker), _Line())
        took = self._ledgers[taker].taken.get((bound, giver), _Line())
        for number in range(max(gave.before, took.before) + 1, took.last + 1):
            units, given = took.of(number), gave.of(number)
            if units == given or (given is None and number > took.settled):
                continue
            other = "never gave it" if given is None else f"gave {given}"
            text = f"shard {taker} took {units} units as transfer {number} of shard {giver}"
            self._problem(NOT_GIVEN, bound, f"{text}, which {other}")
            return

    def _pairs(self) -> Iterator[tuple[int, int]]:
        shards = range(len(self._ledgers))
        return ((giver, taker) for giver in shards for taker in shards if giver != taker)

    def _problem(self, code: str, bound: Bound, text: str) -> None:
        scope, name = bound
        self.problems.append(
            {"check": "shares", "code": code, "scope": scope, "bound": name, "text": text}
        )


def compared(ledgers: Sequence[Ledger]) -> dict[str, Any]:
    """The report on the parts of all shards; `equal` is None where no bound is divided."""
    found = _Comparison(ledgers)
    bounds: list[Bound] = []
    if any(ledger.divided_by for ledger in ledgers):
        found.divisions()
        bounds = found.bounds()
        for bound in bounds:
            found.compare(bound)
    return {
        "equal": not found.problems if bounds or found.problems else None,
        "bounds": len(bounds),
        "transfers": found.transfers,
        "on_their_way": found.on_their_way,
        "problems": found.problems,
    }
