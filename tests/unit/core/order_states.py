# SPDX-License-Identifier: Apache-2.0
"""Draws `docs/order-states.md` from the table: `python -m tests.unit.core.order_states`.

The words around the diagram and the matrix are in `order_states.template.md`.
"""

from collections.abc import Iterator
from pathlib import Path

from tradewind.core.transitions import ACKS, TRANSITIONS, Facts, Next, ends_doubt, next_status
from tradewind.core.types import TERMINAL, ExecType, OrdStatus

TEMPLATE = Path(__file__).with_suffix(".template.md")
DOCUMENT = Path(__file__).parents[3] / "docs/order-states.md"

ORDER_QTY = 10
RESIZES = (ExecType.RESTATED, ExecType.REPLACED, ExecType.REPLACE_REJECTED)
"""News after which an order that traded may have nothing left."""
REQUESTED = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)
CELLS = {
    Next.WORKING: "*facts*",
    Next.REQUESTS: "*requests*",
    Next.SAME: "same",
    Next.SAME_OR_FILLED: "same / FILLED",
}
Before = tuple[bool, bool, int]
"""Acknowledged, unknown, lots filled."""
OPEN: dict[OrdStatus, list[Before]] = {
    OrdStatus.PENDING_NEW: [(False, False, 0)],
    OrdStatus.NEW: [(True, False, 0)],
    OrdStatus.PARTIALLY_FILLED: [(True, False, 4)],
    OrdStatus.UNKNOWN: [(False, True, 0), (True, True, 0), (True, True, 4)],
}
"""What an order may be like before the next report, by its status."""
ANYHOW = [before for befores in OPEN.values() for before in befores]


def facts_after(status: OrdStatus, news: ExecType) -> Iterator[Facts]:
    """Every combination of facts that an order can have after this news."""
    for is_acked, is_unknown, filled in OPEN.get(status, ANYHOW):
        for cum_qty, leaves_qty in _quantities(filled, news):
            for requested in _requested(status, news):
                is_doubtful = is_unknown and not ends_doubt(news, is_acked=is_acked)
                yield Facts(
                    is_acked=is_acked or news in ACKS,
                    is_unknown=news is ExecType.UNKNOWN or is_doubtful,
                    cum_qty=cum_qty,
                    leaves_qty=leaves_qty,
                    requested=requested,
                )


def _requested(status: OrdStatus, news: ExecType) -> tuple[OrdStatus | None, ...]:
    """What the requests that are left ask for: at most one of them is a cancel."""
    if status is OrdStatus.PENDING_CANCEL and news is not ExecType.CANCEL_REJECTED:
        return (OrdStatus.PENDING_CANCEL,)
    if status in (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE):
        return (None, OrdStatus.PENDING_REPLACE)
    return (None,)


def _quantities(filled: int, news: ExecType) -> list[tuple[int, int]]:
    """Lots filled and left after the news."""
    match news:
        case ExecType.TRADE:
            return [(4, 6), (ORDER_QTY, 0)]
        case ExecType.TRADE_CORRECT:
            return [(4, 6), (ORDER_QTY, 0)] if filled else []
        case ExecType.TRADE_CANCEL:
            return [(0, 10), (2, 8)] if filled else []
        case _ if news in RESIZES and filled:
            return [(filled, 6), (filled, 0)]
        case _:
            return [(filled, ORDER_QTY - filled)]


def diagram() -> str:
    """Mermaid's state diagram: every change of status, with the news that can make it."""
    edges: dict[tuple[str, str], list[str]] = {}
    for (target, news), sources in _changes().items():
        for source in _grouped(sources):
            edges.setdefault((source, target), []).append(news)
    lines = ["stateDiagram-v2", "    state Live {", "        state Open {"]
    lines += [f"            {status}" for status in OPEN]
    lines += ["        }", *(f"        {status}" for status in REQUESTED), "    }"]
    lines += ["    [*] --> PENDING_NEW", "    [*] --> DENIED"]
    lines += [f"    {old} --> {new}: {', '.join(words)}" for (old, new), words in edges.items()]
    lines += [f"    {status} --> [*]" for status in OrdStatus if status in TERMINAL]
    return "\n".join(lines)


def _changes() -> dict[tuple[OrdStatus, ExecType], list[OrdStatus]]:
    """The statuses from which a piece of news can lead to another one."""
    sources: dict[tuple[OrdStatus, ExecType], list[OrdStatus]] = {}
    for status, news in TRANSITIONS:
        for target in {
            next_status(status, news, facts): None for facts in facts_after(status, news)
        }:
            if target is not None and target is not status:
                sources.setdefault((target, news), []).append(status)
    return sources


def _grouped(sources: list[OrdStatus]) -> list[str]:
    """The same edge from every status of a group is drawn once, from the group."""
    if {*OPEN, *REQUESTED} <= set(sources):
        return ["Live"]
    if set(OPEN) <= set(sources):
        return ["Open", *(status for status in sources if status not in OPEN)]
    return list(sources)


def matrix() -> str:
    """What happened (rows) by status (columns); an empty cell is illegal."""
    statuses = [status for status in OrdStatus if status is not OrdStatus.DENIED]
    news = [item for item in ExecType if any(key[1] is item for key in TRANSITIONS)]
    lines = [_row("", *statuses), _row(*["---"] * (len(statuses) + 1))]
    lines += [_row(item, *(_cell(status, item) for status in statuses)) for item in news]
    return "\n".join(lines)


def _cell(status: OrdStatus, news: ExecType) -> str:
    target = TRANSITIONS.get((status, news))
    if target is None:
        return ""
    return CELLS[target] if isinstance(target, Next) else target.value


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def document() -> str:
    """The whole page."""
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{diagram}", diagram()).replace("{matrix}", matrix())


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
