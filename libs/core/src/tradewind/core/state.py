# SPDX-License-Identifier: Apache-2.0
"""What a shard knows. Plain mutable records; only `evolve` changes them.

All iteration that can influence an output goes in the order of sequence numbers or of sorted
keys, so a state restored from a snapshot behaves as the one that was never stopped.
"""

from dataclasses import dataclass, field
from typing import Any

from tradewind.core.events import (
    InstrumentDefined,
    LimitsSet,
    ReferencePriceSet,
    TradingStateSet,
)
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


@dataclass(slots=True, kw_only=True)
class Order:
    """One order. `cum_notional` is the sum of last_qty x last_px over its fills."""

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
    pending: Pending | None
    venue_exec_ids: list[str]

    @property
    def is_final(self) -> bool:
        """Nothing more can be asked of it."""
        return self.ord_status in TERMINAL

    @property
    def reserved_qty(self) -> int:
        """Lots that may still trade, at worst: the larger of the old and the asked-for terms."""
        if self.is_final:
            return 0
        if self.pending is not None and self.pending.action is VenueAction.REPLACE:
            return max(self.leaves_qty, self.pending.order_qty - self.cum_qty)
        return self.leaves_qty


@dataclass(slots=True, kw_only=True)
class Position:
    """One account in one instrument. Signed: long is positive.

    `cost` is what the open quantity cost (ticks x lots, signed as `qty`); `realised` is profit
    taken. cost - realised always equals bought minus sold notional.
    """

    qty: int = 0
    cost: int = 0
    realised: int = 0
    bought_qty: int = 0
    sold_qty: int = 0
    buy_working: int = 0
    sell_working: int = 0


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
class State:
    """Everything. `ordinal` counts the outputs of this segment.

    `touched` names the orders and request ids changed since the last digest: bookkeeping, no
    part of what a shard knows.
    """

    segment: str = ""
    shard: int = 0
    seq: int = 0
    ts_ns: int = 0
    ordinal: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    live_orders: dict[str, Order] = field(default_factory=dict)
    id_uses: dict[tuple[str, str], IdUse] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    instruments: dict[str, InstrumentDefined] = field(default_factory=dict)
    limits: dict[tuple[str, str], LimitsSet] = field(default_factory=dict)
    references: dict[str, ReferencePriceSet] = field(default_factory=dict)
    trading_states: dict[str, TradingStateSet] = field(default_factory=dict)
    sessions: dict[str, VenueSession] = field(default_factory=dict)
    touched: set[tuple[str, Any]] = field(default_factory=set, compare=False, repr=False)

    def order_of(self, account: str, cl_ord_id: str) -> Order | None:
        """The order that any of the client's request ids belongs to."""
        use = self.id_uses.get((account, cl_ord_id))
        return self.orders.get(use.order_id) if use is not None else None

    def position(self, account: str, symbol: str) -> Position:
        """The position, empty if there is none yet. Reading never creates one."""
        return self.positions.get((account, symbol)) or Position()
