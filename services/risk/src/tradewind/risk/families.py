# SPDX-License-Identifier: Apache-2.0
"""Parents, and what their children have traded and may still trade together."""

from dataclasses import dataclass

from tradewind.core.events import OrderReport
from tradewind.core.types import OrdStatus, Side


@dataclass(slots=True, kw_only=True)
class Family:
    """A parent as it is, and the sums of its children; `children` are those not forgotten yet.

    `of` are account, instrument and side, which all of them share.
    """

    of: tuple[str, str, Side]
    qty: int
    status: OrdStatus
    traded: int = 0
    working: int = 0
    children: int = 0


class Families:
    """By the parent's order id."""

    def __init__(self) -> None:
        self._of: dict[str, Family] = {}

    def of(self, parent_id: str) -> Family | None:
        """The family of a parent that is not forgotten."""
        return self._of.get(parent_id) if parent_id else None

    def told(self, report: OrderReport) -> None:
        """What a parent is now."""
        family = self._of.get(report.order_id)
        if family is None:
            self._of[report.order_id] = Family(
                of=(report.account, report.symbol, report.side),
                qty=report.order_qty,
                status=report.ord_status,
            )
        else:
            family.qty, family.status = report.order_qty, report.ord_status

    def join(self, parent_id: str, more: int = 1) -> None:
        """A child is new, or is forgotten."""
        family = self.of(parent_id)
        if family is not None:
            family.children += more

    def change(self, parent_id: str, *, working: int = 0, traded: int = 0) -> None:
        """So many lots more of a child may trade, or have."""
        family = self.of(parent_id)
        if family is not None:
            family.working += working
            family.traded += traded

    def forget(self, parent_id: str) -> None:
        """A parent ended long ago."""
        self._of.pop(parent_id, None)
