# SPDX-License-Identifier: Apache-2.0
"""Whether the end of an order may be believed: its fills must have been told before it.

The end frees what the order still reserved. If a fill was lost or is late, that is too much: others
would be let in, and then the fill would come. A venue says in its reports how much has traded in
all, so the gap shows. The end is then left out, and the order is asked about: everything about it
is told again, in order, the end last.
"""

from dataclasses import replace

from tradewind.core.commands import ApplyVenueReport, StatePosition
from tradewind.core.types import ExecType

ENDS = frozenset({ExecType.CANCELED, ExecType.EXPIRED})
FILLS = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})


class Fills:
    """What a venue has told on one connection, by order."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, int]] = {}
        self._held: dict[str, ApplyVenueReport] = {}

    def is_missing_some(self, report: ApplyVenueReport, cum_qty: int) -> bool:
        """Whether this is an end before which a fill was not told: ask for all, and leave it out.

        `cum_qty` is what has traded by this report.
        """
        told = self._told.setdefault(report.order_id, {})
        if report.exec_type in FILLS:
            told.pop(report.exec_ref_id, None)
            told[report.exec_id] = report.last_qty
        if report.exec_type not in ENDS:
            return False
        if sum(told.values()) == cum_qty:
            self._forget(report.order_id)
            return False
        self._held[report.order_id] = report
        return True

    def told_all(self, order_id: str) -> ApplyVenueReport | None:
        """Everything about an order was told again: an end that does not fit even so, if any."""
        held = self._held.get(order_id)
        if held is not None:
            self._forget(order_id)
        return held

    def weighed(self, stated: StatePosition) -> StatePosition:
        """A statement of the position, which proves nothing while an end waits for its fills."""
        return replace(stated, is_complete=stated.is_complete and not self._held)

    def _forget(self, order_id: str) -> None:
        self._told.pop(order_id, None)
        self._held.pop(order_id, None)
