# SPDX-License-Identifier: Apache-2.0
"""What the second look asks of a child, and of a parent that its children work for."""

from collections.abc import Iterator

from tradewind.core.types import OrdStatus
from tradewind.risk.entered import Entered, Objection

WORKING = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)


def of_family(entered: Entered) -> Iterator[Objection]:
    """A child is its working parent's, and all of them have no more than it."""
    report, family = entered.report, entered.family
    if family is None:
        return
    if report.is_parent and report.parent_order_id:
        yield Objection("C14", "a parent has no parent")
    if not report.is_parent and not entered.is_replace:
        if family.status not in WORKING:
            yield Objection("C14", f"its parent is {family.status}")
        if family.of != (report.account, report.symbol, report.side):
            yield Objection("C14", "its parent is in something else")
    used = family.traded + family.working
    if used > family.qty and (report.is_parent or entered.more > 0):
        yield Objection("C14", f"{used} lots of children are more than the {family.qty} of all")
