# SPDX-License-Identifier: Apache-2.0
"""The life of an order as one table: (OrdStatus, what happened) -> OrdStatus.

Rules that the table encodes:

1. What is not in the table is illegal: it changes nothing and is reported as ignored.
2. `Next.WORKING` is computed from the order's own facts: FILLED when nothing is left,
   PARTIALLY_FILLED after a fill, NEW once the venue acknowledged it, else PENDING_NEW.
3. A pending request outranks a fill (FIX 4.4 appendix D, OrdStatus precedence): an order that
   is partly filled while a cancel is pending stays PENDING_CANCEL; a full fill ends it.
4. A venue may refuse an order that it acknowledged before, and may report a fill after a
   cancel. Both are seen in the field; both are believed.
5. A refused cancel or replace is also answered after the order ended: the request was ours to
   answer, the order stays as it is.
"""

from enum import Enum, auto

from tradewind.core.types import TERMINAL, ExecType, OrdStatus


class Next(Enum):
    """Next states that depend on the order's facts."""

    WORKING = auto()
    SAME = auto()
    SAME_OR_FILLED = auto()


_OPEN = (OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
_PENDING = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)
_AFTER_THE_END = tuple(status for status in OrdStatus if status in TERMINAL - {OrdStatus.DENIED})

TRANSITIONS: dict[tuple[OrdStatus, ExecType], OrdStatus | Next] = {
    **{(status, ExecType.NEW): Next.WORKING for status in _OPEN},
    **{(status, ExecType.TRADE): Next.WORKING for status in _OPEN},
    **{(status, ExecType.PENDING_CANCEL): OrdStatus.PENDING_CANCEL for status in _OPEN},
    **{(status, ExecType.PENDING_REPLACE): OrdStatus.PENDING_REPLACE for status in _OPEN},
    **{(status, ExecType.NEW): Next.SAME for status in _PENDING},
    **{(status, ExecType.TRADE): Next.SAME_OR_FILLED for status in _PENDING},
    **{
        (status, end): OrdStatus(end.value)
        for status in _OPEN + _PENDING
        for end in (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)
    },
    (OrdStatus.PENDING_CANCEL, ExecType.CANCEL_REJECTED): Next.WORKING,
    (OrdStatus.PENDING_REPLACE, ExecType.REPLACE_REJECTED): Next.WORKING,
    (OrdStatus.PENDING_REPLACE, ExecType.REPLACED): Next.WORKING,
    **{
        (status, late): Next.SAME
        for status in _AFTER_THE_END
        for late in (ExecType.TRADE, ExecType.CANCEL_REJECTED, ExecType.REPLACE_REJECTED)
    },
}

ACKS = frozenset(
    {
        ExecType.NEW,
        ExecType.TRADE,
        ExecType.REPLACED,
        ExecType.CANCELED,
        ExecType.EXPIRED,
        ExecType.REJECTED,
    }
)
"""Reports that prove that the venue has had the order. A refused cancel or replace does not: the
venue may have refused it because it never saw the order."""


def next_status(
    status: OrdStatus, exec_type: ExecType, *, is_acked: bool, cum_qty: int, leaves_qty: int
) -> OrdStatus | None:
    """The status after `exec_type`, or None where that is illegal.

    `is_acked`, `cum_qty` and `leaves_qty` are the order's facts after the event.
    """
    target = TRANSITIONS.get((status, exec_type))
    match target:
        case None:
            return None
        case Next.SAME:
            return status
        case Next.SAME_OR_FILLED:
            return OrdStatus.FILLED if leaves_qty == 0 else status
        case Next.WORKING:
            return working_status(is_acked=is_acked, cum_qty=cum_qty, leaves_qty=leaves_qty)
        case OrdStatus():
            return target


def working_status(*, is_acked: bool, cum_qty: int, leaves_qty: int) -> OrdStatus:
    """The status of an order without a pending request."""
    if leaves_qty == 0:
        return OrdStatus.FILLED
    if cum_qty > 0:
        return OrdStatus.PARTIALLY_FILLED
    return OrdStatus.NEW if is_acked else OrdStatus.PENDING_NEW
