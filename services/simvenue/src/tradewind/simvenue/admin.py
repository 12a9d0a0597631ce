# SPDX-License-Identifier: Apache-2.0
"""What people at the venue can do: sessions, the day's end, busts, corrections, faults.

Whatever changes an order is a line in the ledger, like any request.
"""

from typing import Annotated

import msgspec

from tradewind.core.types import TradSesStatus
from tradewind.simvenue.requests import Count, Id

ExecNo = Annotated[int, msgspec.Meta(gt=0, lt=2**62)]


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


class DropReports(
    msgspec.Struct, frozen=True, tag_field="op", tag="drop_reports", forbid_unknown_fields=True
):
    """A fault: the next reports get lost on their way to the clients. The ledger has them."""

    count: Count


Administration = SetSession | EndDay | Bust | Correct | Restate | DropReports
decoder = msgspec.json.Decoder(Administration)
