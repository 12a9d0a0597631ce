# SPDX-License-Identifier: Apache-2.0
"""What each scope has done since the day began: messages, trades, turnover.

Only what is done under limits counts.
"""

from dataclasses import dataclass, field

from tradewind.risk.recent import Recent
from tradewind.risk.scope_limits import Held


@dataclass(slots=True)
class Done:
    """Of one scope. `asked` and `executed` say when: messages, and trades of algorithms."""

    messages: int = 0
    trades: int = 0
    turnover_e8: int = 0
    asked: Recent = field(default_factory=Recent)
    executed: Recent = field(default_factory=Recent)


NOTHING = Done()


class Today:
    """All scopes."""

    def __init__(self) -> None:
        self._of: dict[str, Done] = {}

    def of(self, scope: str) -> Done:
        """What a scope has done."""
        return self._of.get(scope, NOTHING)

    def message(self, held: Held, now_ns: int) -> None:
        """A new order or a replace was decided upon, whatever came of it."""
        for scope, keep in held.messages.items():
            done = self._of.get(scope) or self._begin(scope)
            done.messages += 1
            done.asked.add(now_ns, keep)

    def trade(self, held: Held, now_ns: int, worth_e8: int, *, by_algorithm: bool) -> None:
        """An order has traded."""
        for scope, keep in held.trades.items():
            done = self._of.get(scope) or self._begin(scope)
            done.trades += 1
            done.turnover_e8 += worth_e8
            if by_algorithm:
                done.executed.add(now_ns, keep)
                done.executed.forget()

    def resume(self, scope: str) -> None:
        """People have opened a scope: what it did often does not count any more."""
        done = self._of.get(scope)
        if done is not None:
            done.asked, done.executed = Recent(), Recent()

    def end(self) -> None:
        """The day is over."""
        self._of.clear()

    def _begin(self, scope: str) -> Done:
        done = self._of[scope] = Done()
        return done
