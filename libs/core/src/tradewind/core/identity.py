# SPDX-License-Identifier: Apache-2.0
"""Request ids: what they were used for, and the ids that a venue gets."""

from hashlib import blake2b

from tradewind.core.commands import (
    AdjustPosition,
    CancelOrder,
    Entry,
    FlattenPosition,
    MassCancel,
    ReplaceOrder,
    ResetPosition,
    SubmitOrder,
)
from tradewind.core.state import IdUse, State
from tradewind.core.types import Reason

Identified = (
    SubmitOrder
    | CancelOrder
    | ReplaceOrder
    | MassCancel
    | FlattenPosition
    | AdjustPosition
    | ResetPosition
)
"""Commands with a request id of their own, unique per account for ever."""


def earlier_use(state: State, command: Identified) -> tuple[IdUse, Reason] | None:
    """What the request's id was used for before and the reason to refuse it now; None if it is new.

    The same content gets the original outcome as it stands now; other content is denied.
    """
    use = state.id_uses.get((command.account, command.cl_ord_id))
    if use is None:
        return None
    if use.fingerprint != fingerprint(command):
        return use, Reason.CL_ORD_ID_REUSED
    return use, use.reason or Reason.DUPLICATE_CL_ORD_ID


def fingerprint(command: Identified) -> str:
    """Names a request's content, without the deadline that a retry may set anew."""
    return blake2b(_content(command).encode(), digest_size=8).hexdigest()


def _content(command: Identified) -> str:
    match command:
        case SubmitOrder():
            content = (
                f"N|{command.symbol}|{command.side}|{command.ord_type}|{command.time_in_force}"
                f"|{command.order_qty}|{command.price}"
            )
            extras = (
                command.stop_px,
                command.display_qty,
                command.is_post_only,
                command.expire_ns,
                command.parent_cl_ord_id,
                command.is_parent,
            )
            return f"{content}|{extras}" if any(extras) else content
        case CancelOrder():
            return f"C|{command.orig_cl_ord_id}"
        case ReplaceOrder():
            content = f"R|{command.orig_cl_ord_id}|{command.order_qty}|{command.price}"
            return f"{content}|{command.stop_px}" if command.stop_px else content
        case MassCancel():
            content = f"M|{command.symbol}|{command.strategy}"
            return f"{content}|{command.entered_by}" if command.entered_by else content
        case FlattenPosition():
            return f"F|{command.symbol}"
        case AdjustPosition():
            return f"A|{command.symbol}|{command.qty}|{command.price}"
        case ResetPosition():
            return f"Z|{command.symbol}"


def id_from(state: State, entry: Entry, number: int = 0) -> str:
    """An id for the venue: unique over segments, shards and time, the same on every replica.

    `number` tells the requests of one entry apart.
    """
    base = f"{state.segment}-{state.shard}-{entry.seq}"
    return f"{base}.{number}" if number else base
