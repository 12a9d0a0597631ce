# SPDX-License-Identifier: Apache-2.0
"""Outputs: facts that follow from an entry. Past tense, never refused.

State changes only through events (`evolve`), so the journal decides and the events tell.
`EVENTS` maps the wire's type tag to the class.
"""

from typing import get_args

from tradewind.core.commands import BY_HAND
from tradewind.core.record import record
from tradewind.core.risk_events import AccountLimitsSet as AccountLimitsSet
from tradewind.core.risk_events import KillClearAsked as KillClearAsked
from tradewind.core.risk_events import KillCleared as KillCleared
from tradewind.core.risk_events import LimitsApproved as LimitsApproved
from tradewind.core.risk_events import LimitsProposed as LimitsProposed
from tradewind.core.risk_events import LimitsSet as LimitsSet
from tradewind.core.risk_events import ScopeKilled as ScopeKilled
from tradewind.core.risk_events import ScopeLimitsSet as ScopeLimitsSet
from tradewind.core.share_events import BoundAgreed as BoundAgreed
from tradewind.core.share_events import BoundsDivided as BoundsDivided
from tradewind.core.share_events import ShareGiven as ShareGiven
from tradewind.core.share_events import ShareTaken as ShareTaken
from tradewind.core.share_events import ShareWanted as ShareWanted
from tradewind.core.skip_events import EntrySkipped as EntrySkipped
from tradewind.core.skip_events import SkipAsked as SkipAsked
from tradewind.core.types import (
    ExecType,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingState,
    TradSesStatus,
    VenueAction,
)


@record
class OrderReport:
    """FIX ExecutionReport (8): what happened to an order and what the order is now.

    `exec_id` is derived from the entry's sequence, so every replica makes the same one;
    `venue_exec_id` is the venue's. `cum_notional` is the sum of last_qty x last_px (ticks x
    lots); an average price is divided at the edge. For DENIED no order exists afterwards, unless
    `reason` is DUPLICATE_CL_ORD_ID: then the rest of the report is the original order as it is.
    `cl_ord_id` is the id of the request that this report answers (a cancel's or a replace's own id
    while and after it is handled), `orig_cl_ord_id` the id the order had before it. Orders are
    named for ever by `order_id`, which also ties a chain of replaces together.
    `venue_exec_ref_id` names the fill that a bust or a correction is about; their `last_qty` is
    what the fill is from now on. `fee_e8` is in 1e-8 of `fee_currency`.
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
    stop_px: int = 0
    display_qty: int = 0
    is_post_only: bool = False
    expire_ns: int = 0
    algorithm: str = BY_HAND
    build: str = BY_HAND
    parent_order_id: str = ""
    is_parent: bool = False
    venue_exec_ref_id: str = ""
    fee_e8: int = 0
    fee_currency: str = ""


@record
class MassCancelReport:
    """FIX OrderMassCancelReport (r): how many orders are asked to end. Each one's report follows.

    `reason` is not empty if the request id had been used before; then nothing follows.
    """

    account: str
    cl_ord_id: str
    exec_id: str
    symbol: str
    strategy: str
    order_count: int
    reason: Reason
    client: str
    transact_time_ns: int


@record
class PositionAdjusted:
    """A position was changed without a trade: by `qty` lots at `price`, or reset.

    `reason` is empty if it was; `why` is what `actor` gave as theirs.
    """

    account: str
    cl_ord_id: str
    symbol: str
    is_reset: bool
    qty: int
    price: int
    actor: str
    why: str
    reason: Reason
    transact_time_ns: int


@record
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
    stop_px: int = 0
    display_qty: int = 0
    is_post_only: bool = False
    expire_ns: int = 0


@record
class SessionTaken:
    """The owner of a venue session changed. Possibly-sent requests follow at once.

    `last_exec_no` is the highest running execution number of the venue seen in the journal: the
    new owner asks the venue for everything after it.
    """

    venue: str
    epoch: int
    owner: str
    last_exec_no: int


@record
class OrderAdopted:
    """An order that nobody here asked for works at a venue in our name: it counts from now on.

    Alerting. What has become of it follows as reports, as for any other order.
    """

    venue: str
    account: str
    order_id: str
    cl_ord_id: str
    venue_order_id: str
    symbol: str
    side: Side
    order_qty: int
    price: int


@record
class PositionStated:
    """What a venue says the session has, beside what its reports add up to here.

    `is_settled`: they are the same, or differ by what is known already, or still differ after all
    was told again; what came before `exec_no` need not be told again then. If it is not, the
    connector has everything after `settled_exec_no` told again, and the position stated again.
    """

    venue: str
    symbol: str
    exec_no: int
    qty: int
    open_buy_qty: int
    open_sell_qty: int
    booked_qty: int
    working_buy_qty: int
    working_sell_qty: int
    is_complete: bool
    is_settled: bool
    settled_exec_no: int

    @property
    def difference(self) -> tuple[int, int, int]:
        """By how much the venue has more: held, open to buy, open to sell."""
        return (
            self.qty - self.booked_qty,
            self.open_buy_qty - self.working_buy_qty,
            self.open_sell_qty - self.working_sell_qty,
        )


@record
class SegmentOpened:
    """The journal's life has a name."""

    segment: str
    shard: int


@record
class InstrumentDefined:
    """An instrument was added or changed."""

    symbol: str
    venue: str
    tick_size: str
    lot_size: str
    currency: str


@record
class InstrumentRemoved:
    """An instrument is gone."""

    symbol: str


@record
class TradingSessionSet:
    """A venue's session is now in this state."""

    venue: str
    status: TradSesStatus
    trading_date: str


@record
class DayRolled:
    """The trading date is now this; orders that ended before `retire_before_ns` left memory."""

    trading_date: str
    retire_before_ns: int
    retired_count: int


@record
class FxRateSet:
    """The value of a currency in the base currency is now this, as of `ts_ns`."""

    currency: str
    rate_e9: int
    ts_ns: int


@record
class ReferencePriceSet:
    """The reference price of an instrument is now this, as of `ts_ns`."""

    symbol: str
    price: int
    ts_ns: int


@record
class TradingStateSet:
    """A scope may now do only this."""

    scope: str
    state: TradingState
    actor: str
    reason: str


@record
class TimeAdvanced:
    """The shard's time is now this."""

    ts_ns: int


@record
class ReportIgnored:
    """A venue report changed nothing: seen before, or of no order of ours (then it is alerting)."""

    venue: str
    order_id: str
    venue_exec_id: str
    exec_type: ExecType
    text: str


@record
class ControlRefused:
    """A control entry changed nothing. `subject` names what it was about."""

    command: str
    subject: str
    reason: Reason
    text: str


@record
class LogicSet:
    """A change of behaviour is on."""

    flag: str
    actor: str


@record
class BuildsChanged:
    """A build may, or may no longer, append."""

    build: str
    is_approved: bool
    actor: str


@record
class DivergenceReported:
    """Replicas disagree about the state at `seq`; the scope `shard` is halted with this."""

    seq: int
    digest: str
    instance: str


Event = (
    OrderReport
    | VenueRequest
    | MassCancelReport
    | PositionAdjusted
    | SessionTaken
    | OrderAdopted
    | PositionStated
    | SegmentOpened
    | InstrumentDefined
    | InstrumentRemoved
    | TradingSessionSet
    | DayRolled
    | FxRateSet
    | LimitsSet
    | AccountLimitsSet
    | ReferencePriceSet
    | TradingStateSet
    | TimeAdvanced
    | ReportIgnored
    | ControlRefused
    | LogicSet
    | BuildsChanged
    | DivergenceReported
    | SkipAsked
    | EntrySkipped
    | ScopeLimitsSet
    | LimitsProposed
    | LimitsApproved
    | ScopeKilled
    | KillClearAsked
    | KillCleared
    | BoundsDivided
    | ShareGiven
    | ShareTaken
    | BoundAgreed
    | ShareWanted
)

EVENTS: dict[str, type[Event]] = {event.__name__: event for event in get_args(Event)}
