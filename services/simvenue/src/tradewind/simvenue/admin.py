# SPDX-License-Identifier: Apache-2.0
"""What people at the venue can do: sessions, the day's end, busts, corrections, faults.

All of it is a line in the ledger, like any request; `faults` says what each fault is.
"""

from typing import Annotated

import msgspec

from tradewind.core.types import Side, TradSesStatus
from tradewind.simvenue.faults import Kind
from tradewind.simvenue.requests import Count, Id

ExecNo = Annotated[int, msgspec.Meta(gt=0, lt=2**62)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=60_000)]


class SetSession(
    msgspec.Struct, frozen=True, tag_field="op", tag="trading_session", forbid_unknown_fields=True
):
    """The trading session goes on to another part; clients are told with this very message."""

    status: TradSesStatus
    trading_date: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]


class EndDay(
    msgspec.Struct, frozen=True, tag_field="op", tag="end_day", forbid_unknown_fields=True
):
    """Orders that were good for the day expire."""


class Bust(msgspec.Struct, frozen=True, tag_field="op", tag="bust", forbid_unknown_fields=True):
    """The fill of this number never was."""

    exec_no: ExecNo


class Correct(
    msgspec.Struct, frozen=True, tag_field="op", tag="correct", forbid_unknown_fields=True
):
    """The fill of this number was another one."""

    exec_no: ExecNo
    qty: Annotated[int, msgspec.Meta(gt=0, lt=2**62)]
    px: Count


class Restate(
    msgspec.Struct, frozen=True, tag_field="op", tag="restate", forbid_unknown_fields=True
):
    """A working order gets other terms unasked."""

    session: Id
    cl_id: Id
    qty: Annotated[int, msgspec.Meta(gt=0, lt=2**62)]
    price: Count


class Fault(msgspec.Struct, frozen=True, tag_field="op", tag="fault", forbid_unknown_fields=True):
    """A fault is played the next `count` times that it can be. `ms` 0: as long as it usually is."""

    kind: Kind
    count: Count = 1
    ms: Milliseconds = 0


class Rates(msgspec.Struct, frozen=True, tag_field="op", tag="faults", forbid_unknown_fields=True):
    """From now on faults are played with these probabilities, drawn from `seed`."""

    rates: dict[Kind, Annotated[float, msgspec.Meta(ge=0, le=1)]]
    seed: int = 1
    ms: dict[Kind, Milliseconds] = {}


class Heal(msgspec.Struct, frozen=True, tag_field="op", tag="heal", forbid_unknown_fields=True):
    """No fault is played any more, and the stated positions are the true ones again."""


class Cut(msgspec.Struct, frozen=True, tag_field="op", tag="cut", forbid_unknown_fields=True):
    """The connection of a session breaks now; "": every connection.

    `is_cancelling`: the venue then cancels the session's orders, asked to or not.
    """

    session: str = ""
    is_cancelling: bool = False


class Rollback(
    msgspec.Struct, frozen=True, tag_field="op", tag="rollback", forbid_unknown_fields=True
):
    """F12: the venue begins anew without its last `count` orders and all that became of them.

    All connections break. The ledger keeps what truly happened.
    """

    count: Annotated[int, msgspec.Meta(gt=0, lt=10_000)]


class ExternalOrder(
    msgspec.Struct, frozen=True, tag_field="op", tag="external_order", forbid_unknown_fields=True
):
    """F6: somebody else enters a limit order in a session's name."""

    session: Id
    cl_id: Id
    side: Side
    qty: Annotated[int, msgspec.Meta(gt=0, lt=2**62)]
    price: Annotated[int, msgspec.Meta(gt=0, lt=2**62)]


class Drift(msgspec.Struct, frozen=True, tag_field="op", tag="drift", forbid_unknown_fields=True):
    """F13: from now on the position that the venue states for a session is off by `qty` lots."""

    session: Id
    qty: Annotated[int, msgspec.Meta(gt=-(2**62), lt=2**62)]


Administration = (
    SetSession
    | EndDay
    | Bust
    | Correct
    | Restate
    | Fault
    | Rates
    | Heal
    | Cut
    | Rollback
    | ExternalOrder
    | Drift
)
decoder = msgspec.json.Decoder(Administration)
