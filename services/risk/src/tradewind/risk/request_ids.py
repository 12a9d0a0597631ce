# SPDX-License-Identifier: Apache-2.0
"""Request ids that were used, and which reports are the first word about a request.

An id is used once in an account, for ever: so, as in the core, none is forgotten.
"""

from tradewind.core.events import OrderReport
from tradewind.core.types import ExecType, Reason

ANSWERS = frozenset(
    {
        *(ExecType.PENDING_NEW, ExecType.NEW, ExecType.DENIED, ExecType.PENDING_CANCEL),
        *(ExecType.CANCELED, ExecType.CANCEL_REJECTED, ExecType.PENDING_REPLACE),
        *(ExecType.REPLACED, ExecType.REPLACE_REJECTED),
    }
)
"""Reports that may bear the id of a request which nothing bore before."""
AT_ONCE = frozenset({ExecType.PENDING_NEW, ExecType.DENIED, ExecType.PENDING_REPLACE})
OF_PARENTS = frozenset({ExecType.NEW, ExecType.REPLACED})


class RequestIds:
    """Every request id of every account."""

    def __init__(self) -> None:
        self._used: dict[str, set[str]] = {}

    @property
    def any_used(self) -> bool:
        """Somebody has asked for something."""
        return bool(self._used)

    def use(self, account: str, cl_ord_id: str) -> bool:
        """An id is used; whether for the first time."""
        used = self._used.setdefault(account, set())
        count = len(used)
        used.add(cl_ord_id)
        return len(used) > count

    def answered(self, report: OrderReport) -> bool:
        """Takes the id that a report answers; whether it is the first report with it."""
        if report.exec_type not in ANSWERS or is_nameless(report):
            return False
        return self.use(report.account, report.cl_ord_id)


def is_nameless(report: OrderReport) -> bool:
    """The core failed on a request, and does not say of which kind: some use no id."""
    return report.reason is Reason.INTERNAL and not report.symbol


def is_decision(report: OrderReport) -> bool:
    """A new order or a replace was decided upon, not by its venue."""
    if report.exec_type is ExecType.REPLACE_REJECTED:
        return report.reason is not Reason.BY_VENUE
    return report.exec_type in AT_ONCE or (report.is_parent and report.exec_type in OF_PARENTS)
