# SPDX-License-Identifier: Apache-2.0
"""What operators may send: bodies of the calls under /v1/admin."""

from typing import Annotated

from msgspec import Meta, Struct

from tradewind.core.types import TradingState, TradSesStatus
from tradewind.gateway.requests import Account, ClOrdId, Nanoseconds, Number, Strategy, Symbol

Scope = Annotated[
    str,
    Meta(
        pattern=r"\A(firm|shard|(account|symbol|strategy|client|venue):[A-Za-z0-9_.:-]{1,64}"
        r"|account:[A-Za-z0-9_-]{1,32}/symbol:[A-Za-z0-9_-]{1,32})\Z"
    ),
]
Why = Annotated[str, Meta(min_length=1, max_length=200)]
Venue = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]
Step = Annotated[str, Meta(pattern=r"\A[0-9]{1,12}(\.[0-9]{1,18})?\Z")]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z0-9]{2,10}\Z")]
Day = Annotated[str, Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]


class TradingStateBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/trading-state."""

    scope: Scope
    state: TradingState
    reason: Why


class InstrumentBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/instruments: adds or changes. Sizes are exact decimals."""

    symbol: Symbol
    venue: Venue
    tick_size: Step
    lot_size: Step
    currency: Currency


class TradingSessionBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/trading-session: what a venue's session takes from now on."""

    venue: Venue
    status: TradSesStatus
    trading_date: Day


class RollDayBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/roll-day. Orders that ended before the time given leave memory."""

    trading_date: Day
    retire_before_ns: Nanoseconds | None = None


class CancelEverythingBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/mass-cancel: live orders of all accounts that match."""

    cl_ord_id: ClOrdId
    symbol: Symbol | None = None
    strategy: Strategy | None = None


class AdjustBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/positions/adjust: `qty` lots at `price`, negative to take away."""

    account: Account
    cl_ord_id: ClOrdId
    symbol: Symbol
    qty: Number
    reason: Why
    price: Number | None = None


class ResetBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/positions/reset."""

    account: Account
    cl_ord_id: ClOrdId
    symbol: Symbol
    reason: Why
