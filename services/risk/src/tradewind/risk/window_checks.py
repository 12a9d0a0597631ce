# SPDX-License-Identifier: Apache-2.0
"""What the second look asks of how often something was done lately."""

from collections.abc import Callable, Iterator

from tradewind.risk.entered import Entered, Objection, World
from tradewind.risk.orders import BY_HAND


def of_windows(entered: Entered, world: World) -> Iterator[Objection]:
    """Against the bounds on repetition of every scope that it is in."""
    for scope, bounds in entered.bounds:
        for control, bound, window, count in WINDOW_CHECKS:
            most = bounds.of.get(bound)
            if most is None:
                continue
            window_ms = bounds.windows[window]
            seen = count(entered, world, scope, window_ms)
            if seen > most:
                text = f"{seen} in {window_ms} ms are more than the {most} of {bound} in {scope}"
                yield Objection(control, f"{text}, version {bounds.version}")


def _same(entered: Entered, _world: World, _scope: str, window_ms: int) -> int:
    return entered.same.count(window_ms, entered.now_ns)


def _messages(entered: Entered, world: World, scope: str, window_ms: int) -> int:
    return world.ledger.today.of(scope).asked.count(window_ms, entered.now_ns)


def _trades(entered: Entered, world: World, scope: str, window_ms: int) -> int:
    """Of algorithms, and the next, which this order would be good for."""
    if entered.report.algorithm == BY_HAND:
        return 0
    return world.ledger.today.of(scope).executed.count(window_ms, entered.now_ns) + 1


Count = Callable[[Entered, World, str, int], int]
WINDOW_CHECKS: tuple[tuple[str, str, str, Count], ...] = (
    ("C07", "max_duplicates", "duplicate_window_ms", _same),
    ("C08", "max_messages", "message_window_ms", _messages),
    ("C08", "flood_messages", "message_window_ms", _messages),
    ("C09", "max_repeats", "repeat_window_ms", _trades),
)
"""Control, bound, the window that it looks at, and what is then held against the bound."""
