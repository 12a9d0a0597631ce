# SPDX-License-Identifier: Apache-2.0
"""What a shard knows. Plain mutable records; only `evolve` changes them.

All iteration that can influence an output goes in the order of sequence numbers or of sorted
keys, so a state restored from a snapshot behaves as the one that was never stopped.
"""

from dataclasses import dataclass, field
from typing import Any

from tradewind.core.covers import Cover, Covers
from tradewind.core.events import (
    AccountLimitsSet,
    BoundsDivided,
    BuildsChanged,
    FxRateSet,
    InstrumentDefined,
    KillClearAsked,
    LimitsProposed,
    LimitsSet,
    LogicSet,
    PositionStated,
    ReferencePriceSet,
    ScopeKilled,
    ScopeLimitsSet,
    TradingSessionSet,
    TradingStateSet,
)
from tradewind.core.parts import Share, Transfer
from tradewind.core.types import (
    TERMINAL,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    VenueAction,
)


@dataclass(slots=True, kw_only=True)
class Pending:
    """The cancel or replace that an order waits for."""

    seq: int
    action: VenueAction
    request_id: str
    cl_ord_id: str
    order_qty: int
    price: int
    stop_px: int


@dataclass(slots=True, kw_only=True)
class Fill:
    """One execution of an order as the venue has it now; a correction takes its place."""

    exec_id: str
    qty: int
    px: int


@dataclass(slots=True, kw_only=True)
class Order:
    """One order. `cum_notional` is the sum of last_qty x last_px over its fills.

    `pendings` are the cancel and replaces that it waits for, oldest first; `replaced_seq` is the
    journal sequence of the newest replace that the venue confirmed. `child_working` is what a
    parent's children reserve. `ended_ns` is 0 while it lives.
    """

    seq: int
    account: str
    order_id: str
    cl_ord_id: str
    venue: str
    venue_order_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: int
    price: int
    cum_qty: int
    leaves_qty: int
    cum_notional: int
    ord_status: OrdStatus
    is_acked: bool
    client: str
    strategy: str
    send_by_ns: int
    stop_px: int
    display_qty: int
    is_post_only: bool
    expire_ns: int
    algorithm: str
    build: str
    parent_order_id: str
    is_parent: bool
    child_working: int
    is_unknown: bool
    replaced_seq: int
    ended_ns: int
    pendings: tuple[Pending, ...]
    fills: tuple[Fill, ...]
    venue_exec_ids: list[str]

    @property
    def is_final(self) -> bool:
        """Nothing more can be asked of it."""
        return self.ord_status in TERMINAL

    @property
    def reserved_qty(self) -> int:
        """Lots that may still trade, at worst: the largest of the old and the asked-for terms.

        A parent reserves nothing itself: its children do.
        """
        if self.is_parent or self.is_final:
            return 0
        worst = self.leaves_qty
        for pending in self.pendings:
            if pending.action is VenueAction.REPLACE:
                worst = max(worst, pending.order_qty - self.cum_qty)
        return worst

    def fill(self, exec_id: str) -> Fill | None:
        """The fill with this execution id of the venue's."""
        return next((fill for fill in self.fills if fill.exec_id == exec_id), None)

    def ended_before(self, ts_ns: int) -> bool:
        """It had its end before this time."""
        return self.is_final and self.ended_ns < ts_ns

    @property
    def requested_status(self) -> OrdStatus | None:
        """What the pending requests make of its status: a cancel outranks replaces."""
        return requested_status(self.pendings)


def requested_status(pendings: tuple[Pending, ...]) -> OrdStatus | None:
    """The status that pending requests give an order that lives, None without any."""
    if not pendings:
        return None
    is_cancel = any(pending.action is VenueAction.CANCEL for pending in pendings)
    return OrdStatus.PENDING_CANCEL if is_cancel else OrdStatus.PENDING_REPLACE


@dataclass(slots=True, kw_only=True)
class Retired:
    """What is kept for ever of an order that left memory: the outcome its ids answer with."""

    account: str
    cl_ord_id: str
    venue_order_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: int
    price: int
    cum_qty: int
    cum_notional: int
    ord_status: OrdStatus
    client: str
    strategy: str


@dataclass(slots=True, kw_only=True)
class Position:
    """One account in one instrument, or a part of it by attributes. Signed: long is positive.

    `cost` is what the open quantity cost (ticks x lots, signed as `qty`); `realised` is profit
    taken. cost - realised always equals bought minus sold notional, adjustments included: they
    are counted in `adjusted_qty` and `adjusted_cost`.
    """

    qty: int = 0
    cost: int = 0
    realised: int = 0
    bought_qty: int = 0
    sold_qty: int = 0
    buy_working: int = 0
    sell_working: int = 0
    adjusted_qty: int = 0
    adjusted_cost: int = 0


@dataclass(slots=True, kw_only=True)
class Fees:
    """Fees paid in one currency, in 1e-8 of it; rebates count against them."""

    amount_e8: int = 0


@dataclass(slots=True, kw_only=True)
class IdUse:
    """What a client's request id was used for, kept for ever.

    `fingerprint` identifies the content; `order_id` is empty and `reason` set if it was denied.
    """

    fingerprint: str
    order_id: str
    reason: Reason


@dataclass(slots=True, kw_only=True)
class VenueSession:
    """Who may talk to a venue for this shard, and what was last heard from it."""

    epoch: int = 0
    owner: str = ""
    last_exec_no: int = 0


@dataclass(slots=True, kw_only=True)
class Sums:
    """What a scope's tallies are worth together, by kind of value (see `sums`).

    `parts` are what was counted of each instrument, `unvalued` how many of them have no value,
    and `outdated` the tallies that have changed since.
    """

    orders: int = 0
    totals: list[int] = field(default_factory=lambda: [0] * 5)
    unvalued: list[int] = field(default_factory=lambda: [0] * 5)
    parts: dict[str, tuple[int | None, ...]] = field(default_factory=dict)
    outdated: "list[Tally]" = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a scope has in one instrument. `gross` sums what each part of it can reach.

    `cash` is what trading brought in (ticks x lots): profit taken less the cost of what is held.
    """

    qty: int = 0
    buy_working: int = 0
    sell_working: int = 0
    gross: int = 0
    cash: int = 0
    symbol: str = field(default="", compare=False)
    sums: Sums = field(default_factory=Sums, compare=False, repr=False)
    is_outdated: bool = field(default=False, compare=False)


@dataclass(slots=True, kw_only=True)
class Tallies:
    """Sums and indexes that follow from positions and orders (see `tallies`).

    By scope and instrument, by instrument, and what a scope's are worth; live orders by account,
    instrument and side; how many children in memory a parent has. `names` and `of_..` spare looking
    for the same again: the scopes of who trades what, the limits that cover them, who is bounded in
    what it may lose (by the number of scopes), what a lot at a tick is worth (as a fraction), the
    tallies of a position and of a part of one, how far any scope looks back for the same order.
    """

    scopes: dict[str, dict[str, Tally]] = field(default_factory=dict)
    of_symbol: dict[str, list[Tally]] = field(default_factory=dict)
    sums: dict[str, Sums] = field(default_factory=dict)
    resting: dict[tuple[str, str, Side], dict[str, Order]] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)
    names: dict[tuple[str, str, str, str], tuple[str, ...]] = field(default_factory=dict)
    covers: dict[tuple[str, ...], Covers] = field(default_factory=dict)
    losing: dict[int, list[Cover]] = field(default_factory=dict)
    units: dict[str, tuple[int, int]] = field(default_factory=dict)
    of_position: dict[tuple[str, str], tuple[Tally, ...]] = field(default_factory=dict)
    of_ledger: dict[tuple[str, str, str], tuple[Tally, ...]] = field(default_factory=dict)
    repetition: tuple[int, int] | None = None


@dataclass(slots=True, kw_only=True)
class Activity:
    """What a scope has done this trading day, and when it did what must not be repeated."""

    messages: int = 0
    trades: int = 0
    turnover_e8: int = 0
    message_times: list[int] = field(default_factory=list)
    repeat_times: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Losses:
    """A scope's newest losing trades in a row: when, and of which orders, oldest first."""

    times: list[int] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Content:
    """When orders with the same content were accepted; forgotten some time after `until_ns`."""

    until_ns: int = 0
    times: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Result:
    """A scope's result when the day began, and at its best since."""

    base_e8: int
    peak_e8: int


@dataclass(slots=True, kw_only=True)
class PriceWindow:
    """The extremes of a reference price since `began_ns`, and in the window before that."""

    began_ns: int
    low: int
    high: int
    last_low: int
    last_high: int


LedgerKey = tuple[str, str, str, str, str]
"""account, symbol, client, strategy, algorithm: any coarser view of positions is a sum of these."""


@dataclass(slots=True, kw_only=True)
class State:
    """Everything. `ordinal` counts the outputs of this segment.

    `tallies` follow from the rest. `touched` names the orders and request ids changed since the
    last digest, `names` keeps one copy of each name: bookkeeping, no part of what a shard knows.
    """

    segment: str = ""
    shard: int = 0
    seq: int = 0
    ts_ns: int = 0
    ordinal: int = 0
    trading_date: str = ""
    orders: dict[str, Order] = field(default_factory=dict)
    live_orders: dict[str, Order] = field(default_factory=dict)
    id_uses: dict[tuple[str, str], IdUse] = field(default_factory=dict)
    retired: dict[str, Retired] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    ledgers: dict[LedgerKey, Position] = field(default_factory=dict)
    fees: dict[tuple[str, str], Fees] = field(default_factory=dict)
    instruments: dict[str, InstrumentDefined] = field(default_factory=dict)
    limits: dict[tuple[str, str], LimitsSet] = field(default_factory=dict)
    account_limits: dict[str, AccountLimitsSet] = field(default_factory=dict)
    references: dict[str, ReferencePriceSet] = field(default_factory=dict)
    trading_states: dict[str, TradingStateSet] = field(default_factory=dict)
    sessions: dict[str, VenueSession] = field(default_factory=dict)
    stated_positions: dict[tuple[str, str], PositionStated] = field(default_factory=dict)
    trading_sessions: dict[str, TradingSessionSet] = field(default_factory=dict)
    fx_rates: dict[str, FxRateSet] = field(default_factory=dict)
    logic: dict[str, LogicSet] = field(default_factory=dict)
    builds: dict[str, BuildsChanged] = field(default_factory=dict)
    scope_limits: dict[str, ScopeLimitsSet] = field(default_factory=dict)
    temporary_limits: dict[str, ScopeLimitsSet] = field(default_factory=dict)
    proposed: dict[str, LimitsProposed] = field(default_factory=dict)
    proposed_limits: dict[str, LimitsSet] = field(default_factory=dict)
    proposed_account_limits: dict[str, AccountLimitsSet] = field(default_factory=dict)
    proposed_scope_limits: dict[str, ScopeLimitsSet] = field(default_factory=dict)
    kills: dict[str, ScopeKilled] = field(default_factory=dict)
    clearings: dict[str, KillClearAsked] = field(default_factory=dict)
    activity: dict[str, Activity] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    losses: dict[str, Losses] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    price_windows: dict[str, PriceWindow] = field(default_factory=dict)
    divisions: dict[str, BoundsDivided] = field(default_factory=dict)
    shares: dict[tuple[str, str], Share] = field(default_factory=dict)
    transfers: dict[tuple[str, str, str], Transfer] = field(default_factory=dict)
    tallies: Tallies = field(default_factory=Tallies, compare=False, repr=False)
    touched: set[tuple[str, Any]] = field(default_factory=set, compare=False, repr=False)
    names: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def shared(self, name: str) -> str:
        """The one copy of a text that many orders have: accounts, symbols, strategies."""
        return self.names.setdefault(name, name)

    def order_of(self, account: str, cl_ord_id: str) -> Order | None:
        """The order that any of the client's request ids belongs to."""
        use = self.id_uses.get((account, cl_ord_id))
        return self.orders.get(use.order_id) if use is not None else None

    def position(self, account: str, symbol: str) -> Position:
        """The position, empty if there is none yet. Reading never creates one."""
        return self.positions.get((account, symbol)) or Position()
