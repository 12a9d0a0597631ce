# SPDX-License-Identifier: Apache-2.0
"""Outputs: facts that follow from an entry. Past tense, never refused.

State changes only through events (`evolve`), so the journal decides and the events tell.
`EVENTS` maps the wire's type tag to the class.
"""

from dataclasses import dataclass

from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingState,
    VenueAction,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """FIX ExecutionReport (8): what happened to an order and what the order is now.

    `exec_id` is derived from the entry's sequence, so every replica makes the same one;
    `venue_exec_id` is the venue's. `cum_notional` is the sum of last_qty x last_px (ticks x
    lots); an average price is divided at the edge. For DENIED no order exists afterwards, unless
    `reason` is DUPLICATE_CL_ORD_ID: then the rest of the report is the original order as it is.
    `cl_ord_id` is the id of the request that this report answers (a cancel's or a replace's own id
    while and after it is handled), `orig_cl_ord_id` the id the order had before it. `orders` are
    named for ever by `order_id`.
    """

    account: str
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    exec_id: str
    venue_exec_id: str
    venue_order_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: int
    price: int
    cum_qty: int
    leaves_qty: int
    cum_notional: int
    last_qty: int
    last_px: int
    reason: Reason
    text: str
    client: str
    strategy: str
    transact_time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRequest:
    """A request for a venue's connector.

    `order_id` names the order at the venue for its whole life; `request_id` is this request's own
    id (equal to `order_id` for NEW). `is_possibly_sent`: an earlier session may have sent it, so
    the venue is asked before anything is sent again. A NEW is not sent after `send_by_ns`.
    """

    venue: str
    action: VenueAction
    account: str
    order_id: str
    request_id: str
    venue_order_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: int
    price: int
    is_possibly_sent: bool
    send_by_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTaken:
    """The owner of a venue session changed. Possibly-sent requests follow at once.

    `last_exec_no` is the highest running execution number of the venue seen in the journal: the
    new owner asks the venue for everything after it.
    """

    venue: str
    epoch: int
    owner: str
    last_exec_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentOpened:
    """The journal's life has a name."""

    segment: str
    shard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentDefined:
    """An instrument was added or changed."""

    symbol: str
    venue: str
    tick_size: str
    lot_size: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSet:
    """The limits of one account in one instrument are now these."""

    account: str
    symbol: str
    max_order_qty: int
    max_notional: int
    max_position: int
    collar_bps: int
    max_reference_age_ms: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePriceSet:
    """The reference price of an instrument is now this, as of `ts_ns`."""

    symbol: str
    price: int
    ts_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingStateSet:
    """A scope may now do only this."""

    scope: str
    state: TradingState
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAdvanced:
    """The shard's time is now this."""

    ts_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIgnored:
    """A venue report changed nothing: seen before, or of no order of ours (then it is alerting)."""

    venue: str
    order_id: str
    venue_exec_id: str
    exec_type: ExecType
    text: str


Event = (
    OrderReport
    | VenueRequest
    | SessionTaken
    | SegmentOpened
    | InstrumentDefined
    | LimitsSet
    | ReferencePriceSet
    | TradingStateSet
    | TimeAdvanced
    | ReportIgnored
)

EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (
        OrderReport,
        VenueRequest,
        SessionTaken,
        SegmentOpened,
        InstrumentDefined,
        LimitsSet,
        ReferencePriceSet,
        TradingStateSet,
        TimeAdvanced,
        ReportIgnored,
    )
}
