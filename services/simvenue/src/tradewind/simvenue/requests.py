# SPDX-License-Identifier: Apache-2.0
"""What a client may say on its session, and the strict reading of it."""

from typing import Annotated

import msgspec

from tradewind.core.types import OrdType, Side, TimeInForce

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
MESSAGE_BYTES_MAX = 64 * 1024


class Logon(msgspec.Struct, frozen=True, tag_field="op", tag="logon", forbid_unknown_fields=True):
    """Takes the session; whoever had it before is cut off first.

    With `cancel_on_disconnect` the session's orders are cancelled when its connection ends, unless
    another logon took it.
    """

    session: Id
    key: str = ""
    cancel_on_disconnect: bool = False


class New(msgspec.Struct, frozen=True, tag_field="op", tag="new", forbid_unknown_fields=True):
    """A new order. What its type does not have is 0.

    After `valid_until_ns` it is refused (EXPIRED_REQUEST), whenever it was sent.
    """

    cl_id: Id
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    qty: Count
    price: Count
    stop_px: Count = 0
    display_qty: Count = 0
    is_post_only: bool = False
    expire_ns: Count = 0
    valid_until_ns: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0


class Cancel(msgspec.Struct, frozen=True, tag_field="op", tag="cancel", forbid_unknown_fields=True):
    """Cancels the working order `cl_id`."""

    cl_id: Id
    request_id: Id


class Replace(
    msgspec.Struct, frozen=True, tag_field="op", tag="replace", forbid_unknown_fields=True
):
    """Changes total quantity and prices of the working order `cl_id`; `stop_px` 0 keeps it."""

    cl_id: Id
    request_id: Id
    qty: Count
    price: Count
    stop_px: Count = 0


class Status(msgspec.Struct, frozen=True, tag_field="op", tag="status", forbid_unknown_fields=True):
    """Asks what became of an order, working or not.

    With a `request_id`, which the answer repeats, all reports about it are told again first.
    """

    cl_id: Id
    request_id: str = ""


class Reports(
    msgspec.Struct, frozen=True, tag_field="op", tag="reports", forbid_unknown_fields=True
):
    """Asks for all reports of the session after `after`, and `back` more before them.

    Reports flow, in order and without a hole, only once this was said.
    """

    after: Count
    back: Count = 0


class Position(
    msgspec.Struct, frozen=True, tag_field="op", tag="position", forbid_unknown_fields=True
):
    """Asks for the session's position: lots held and open, by all executions so far.

    The answer comes in its place among the reports, and repeats `request_id`.
    """

    request_id: Id


Request = Logon | New | Cancel | Replace | Status | Reports | Position
decoder = msgspec.json.Decoder(Request)
