# SPDX-License-Identifier: Apache-2.0
"""The life of an order as one table: (OrdStatus, what happened) -> OrdStatus.

`docs/order-states.md` is drawn from it. Rules that the table encodes:

1. What is not in the table is illegal: it changes nothing and is reported as ignored.
2. `Next.WORKING` is computed from the order's own facts: FILLED when nothing is left, UNKNOWN
   while the venue owes an answer, PARTIALLY_FILLED after a fill, NEW once the venue acknowledged
   it, else PENDING_NEW.
3. A pending request outranks a fill (FIX 4.4 appendix D, OrdStatus precedence): an order that
   is partly filled while a cancel is pending stays PENDING_CANCEL; a full fill ends it, unless
   a larger size was asked for and not answered: the venue may be working on that. A pending
   cancel outranks pending replaces, of which there may be several.
4. A venue may refuse an order that it acknowledged before, and may report a fill after a
   cancel. Both are seen in the field; both are believed. A trade may be busted or corrected at
   any time. None of these reopens an order that has ended.
5. A refused cancel or replace is also answered after the order ended: the request was ours to
   answer, the order stays as it is. (An order that was cancelled answered its cancels by that.)
6. A missing answer (UNKNOWN) frees nothing and decides nothing: only the venue's word does.
"""

from enum import Enum, auto

from tradewind.core.record import record
from tradewind.core.types import TERMINAL, ExecType, OrdStatus


class Next(Enum):
    """Next states that depend on the order's facts."""

    WORKING = auto()
    REQUESTS = auto()
    """What the requests still pending say; WORKING when there are none."""
    SAME = auto()
    SAME_OR_FILLED = auto()


_OPEN = (OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.UNKNOWN)
_PENDING = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)
_AFTER_THE_END = tuple(status for status in OrdStatus if status in TERMINAL - {OrdStatus.DENIED})

_TRADED = (OrdStatus.PARTIALLY_FILLED, OrdStatus.UNKNOWN)
"""Open, and perhaps with fills, which can be amended."""
_AMENDED = (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)
_QUANTITIES = (ExecType.TRADE, ExecType.RESTATED)

TRANSITIONS: dict[tuple[OrdStatus, ExecType], OrdStatus | Next] = {
    **{
        (status, news): Next.WORKING
        for status in _OPEN
        for news in (ExecType.NEW, ExecType.TRIGGERED, ExecType.UNKNOWN, *_QUANTITIES)
    },
    **{(status, amended): Next.WORKING for status in _TRADED for amended in _AMENDED},
    **{
        (status, news): Next.SAME
        for status in _PENDING
        for news in (ExecType.NEW, ExecType.TRIGGERED, ExecType.UNKNOWN)
    },
    **{
        (status, news): Next.SAME_OR_FILLED
        for status in _PENDING
        for news in (*_QUANTITIES, *_AMENDED)
    },
    **{
        (status, ExecType.PENDING_CANCEL): OrdStatus.PENDING_CANCEL
        for status in (*_OPEN, OrdStatus.PENDING_REPLACE)
    },
    **{
        (status, ExecType.PENDING_REPLACE): OrdStatus.PENDING_REPLACE
        for status in (*_OPEN, OrdStatus.PENDING_REPLACE)
    },
    **{
        (status, end): OrdStatus(end.value)
        for status in _OPEN + _PENDING
        for end in (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)
    },
    (OrdStatus.PENDING_CANCEL, ExecType.CANCEL_REJECTED): Next.REQUESTS,
    **{
        (status, answer): Next.REQUESTS
        for status in _PENDING
        for answer in (ExecType.REPLACED, ExecType.REPLACE_REJECTED)
    },
    **{
        (status, late): Next.SAME
        for status in _AFTER_THE_END
        for late in (ExecType.TRADE, *_AMENDED, ExecType.REPLACE_REJECTED)
    },
    **{
        (status, ExecType.CANCEL_REJECTED): Next.SAME
        for status in _AFTER_THE_END
        if status is not OrdStatus.CANCELED  # the end was the answer to every cancel
    },
}

ACKS = frozenset(
    {
        ExecType.NEW,
        ExecType.TRIGGERED,
        ExecType.TRADE,
        ExecType.RESTATED,
        ExecType.REPLACED,
        ExecType.CANCELED,
        ExecType.EXPIRED,
        ExecType.REJECTED,
    }
)
"""Reports that prove that the venue has had the order. A refused cancel or replace does not: the
venue may have refused it because it never saw the order."""


def ends_doubt(exec_type: ExecType, *, is_acked: bool) -> bool:
    """Whether an order stops being UNKNOWN: the venue has it, and has said what we waited for."""
    is_refusal = exec_type in (ExecType.CANCEL_REJECTED, ExecType.REPLACE_REJECTED)
    return exec_type in ACKS or (is_refusal and is_acked)


@record
class Facts:
    """What the next status depends on: the order's facts after the event.

    `leaves_qty` may still trade, at worst: also under terms that were asked for. `requested` is
    the status that the requests still pending ask for, None without any.
    """

    is_acked: bool
    is_unknown: bool
    cum_qty: int
    leaves_qty: int
    requested: OrdStatus | None


def next_status(status: OrdStatus, exec_type: ExecType, facts: Facts) -> OrdStatus | None:
    """The status after `exec_type`, or None where that is illegal."""
    target = TRANSITIONS.get((status, exec_type))
    match target:
        case None:
            return None
        case Next.SAME:
            return status
        case Next.SAME_OR_FILLED:
            return OrdStatus.FILLED if facts.leaves_qty == 0 else status
        case Next.REQUESTS:
            return _requested_status(facts)
        case Next.WORKING:
            return _working_status(facts)
        case OrdStatus():
            return target


def _requested_status(facts: Facts) -> OrdStatus:
    if facts.leaves_qty == 0:
        return OrdStatus.FILLED
    return facts.requested or _working_status(facts)


def _working_status(facts: Facts) -> OrdStatus:
    """The status of an order without a pending request."""
    if facts.leaves_qty == 0:
        return OrdStatus.FILLED
    if facts.is_unknown:
        return OrdStatus.UNKNOWN
    if facts.cum_qty > 0:
        return OrdStatus.PARTIALLY_FILLED
    return OrdStatus.NEW if facts.is_acked else OrdStatus.PENDING_NEW
