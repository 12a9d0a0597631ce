# SPDX-License-Identifier: Apache-2.0
"""Inputs: what a journal entry can say. Imperative, may be refused, never partly applied.

Every command is a frozen dataclass of plain values, so the journal's bytes and these types are
the same thing written twice. `COMMANDS` maps the wire's type tag to the class.
"""

from dataclasses import dataclass

from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, TradingState


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrder:
    """A client's new order. `price` is 0 for a market order.

    `void_after_ns`: an entry that the journal stamps later than this is denied (TOO_LATE), so a
    client that was told "unknown" can become certain by waiting.
    """

    account: str
    cl_ord_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: int
    price: int
    client: str
    strategy: str
    void_after_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """A client's request to cancel the order last known as `orig_cl_ord_id`."""

    account: str
    cl_ord_id: str
    orig_cl_ord_id: str
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceOrder:
    """A client's request to change quantity and limit price of a working order."""

    account: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_qty: int
    price: int
    client: str
    void_after_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyVenueReport:
    """A venue's report about an order, as its connector understood it.

    `order_id` is the id Tradewind sent (`VenueRequest.order_id`); `request_id` is the id of the
    cancel or replace request that this answers, empty otherwise. `exec_id` is the venue's: a
    second report with the same one is ignored. `exec_type` is one of NEW, REJECTED, CANCELED,
    REPLACED, TRADE, EXPIRED, CANCEL_REJECTED, REPLACE_REJECTED. `order_qty` and `price` are the
    order's terms at the venue after this report (used by REPLACED only). `exec_no` is the venue's
    own running number of executions in the session, 0 where it has none.
    """

    venue: str
    order_id: str
    request_id: str
    venue_order_id: str
    exec_id: str
    exec_no: int
    exec_type: ExecType
    last_qty: int
    last_px: int
    order_qty: int
    price: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSession:
    """A connector announces that it now owns the session with `venue` for this shard.

    `owner` is unique to one life of one connector process.
    """

    venue: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSegment:
    """First entry of a journal: names this life of the journal. Part of every venue order id."""

    segment: str
    shard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineInstrument:
    """Adds or changes an instrument. `tick_size` and `lot_size` are exact decimals as text."""

    symbol: str
    venue: str
    tick_size: str
    lot_size: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLimits:
    """Sets the pre-trade limits of one account in one instrument. `version` counts up per scope."""

    account: str
    symbol: str
    max_order_qty: int
    max_notional: int
    max_position: int
    collar_bps: int
    max_reference_age_ms: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReferencePrice:
    """Sets the price against which collars and market orders are judged, in ticks."""

    symbol: str
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTradingState:
    """Sets the state of a scope: `firm`, `account:<account>` or `symbol:<symbol>`."""

    scope: str
    state: TradingState
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceTime:
    """Carries nothing but its own entry's time, so that an idle shard still moves."""

    source: str


Command = (
    SubmitOrder
    | CancelOrder
    | ReplaceOrder
    | ApplyVenueReport
    | TakeSession
    | OpenSegment
    | DefineInstrument
    | SetLimits
    | SetReferencePrice
    | SetTradingState
    | AdvanceTime
)

COMMANDS: dict[str, type[Command]] = {
    command.__name__: command
    for command in (
        SubmitOrder,
        CancelOrder,
        ReplaceOrder,
        ApplyVenueReport,
        TakeSession,
        OpenSegment,
        DefineInstrument,
        SetLimits,
        SetReferencePrice,
        SetTradingState,
        AdvanceTime,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of the journal: its sequence number, the broker's stamp of it, and the command."""

    seq: int
    ts_ns: int
    command: Command
