# SPDX-License-Identifier: Apache-2.0
"""Inputs: what a journal entry can say. Imperative, may be refused, never partly applied.

Every command is a frozen dataclass of plain values, so the journal's bytes and these types are
the same thing written twice. Fields with a default were added later: an older entry without them
still reads, and means what it meant. `COMMANDS` maps the wire's type tag to the class.
"""

from typing import get_args

from tradewind.core.record import record
from tradewind.core.risk_commands import ApproveLimits as ApproveLimits
from tradewind.core.risk_commands import ClearKill as ClearKill
from tradewind.core.risk_commands import KillScope as KillScope
from tradewind.core.risk_commands import SetScopeLimits as SetScopeLimits
from tradewind.core.share_commands import AgreeBound as AgreeBound
from tradewind.core.share_commands import DivideBounds as DivideBounds
from tradewind.core.share_commands import GiveShare as GiveShare
from tradewind.core.share_commands import TakeShare as TakeShare
from tradewind.core.types import OrdType, Side, TimeInForce, TradingState, TradSesStatus
from tradewind.core.venue_commands import ApplyVenueReport as ApplyVenueReport
from tradewind.core.venue_commands import StatePosition as StatePosition
from tradewind.core.venue_commands import TakeSession as TakeSession

BY_HAND = "NONE"
"""Algorithm and build of an order that no algorithm made."""


@record
class SubmitOrder:
    """A client's new order. Prices are 0 where the order type has none.

    `display_qty` is how much of it a venue shows at a time (iceberg), 0 for all. `expire_ns` is
    for GTD only. `algorithm` and `build` name the code that decided, `BY_HAND` if people did. A
    parent (`is_parent`) is worked by its children, each of which names it by
    `parent_cl_ord_id`; only children go to a venue.

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
    stop_px: int = 0
    display_qty: int = 0
    is_post_only: bool = False
    expire_ns: int = 0
    algorithm: str = BY_HAND
    build: str = BY_HAND
    parent_cl_ord_id: str = ""
    is_parent: bool = False


@record
class CancelOrder:
    """A client's request to cancel the order last known as `orig_cl_ord_id`."""

    account: str
    cl_ord_id: str
    orig_cl_ord_id: str
    client: str


@record
class ReplaceOrder:
    """A client's request to change quantity and prices of a working order.

    Several may be pending: a chain. `stop_px` 0 keeps the stop price.
    """

    account: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_qty: int
    price: int
    client: str
    void_after_ns: int
    stop_px: int = 0


@record
class MassCancel:
    """Cancels every live order of an account that matches; "" matches everything.

    `entered_by` matches the client that entered the order. An operator's with account "" is for the
    whole shard.
    """

    account: str
    cl_ord_id: str
    client: str
    symbol: str = ""
    strategy: str = ""
    entered_by: str = ""


@record
class RequestStatus:
    """Asks what became of an order; a venue that owes an answer is asked too."""

    account: str
    cl_ord_id: str
    client: str


@record
class FlattenPosition:
    """A market order of just the size that closes the position as it is at this entry."""

    account: str
    cl_ord_id: str
    symbol: str
    client: str
    strategy: str
    void_after_ns: int
    algorithm: str = BY_HAND
    build: str = BY_HAND


@record
class AdjustPosition:
    """Books `qty` lots (negative to take away) at `price` without an order; audited."""

    account: str
    cl_ord_id: str
    symbol: str
    qty: int
    price: int
    actor: str
    reason: str


@record
class ResetPosition:
    """Makes the position flat and its profit zero without an order; audited."""

    account: str
    cl_ord_id: str
    symbol: str
    actor: str
    reason: str


@record
class OpenSegment:
    """First entry of a journal: names this life of the journal. Part of every venue order id."""

    segment: str
    shard: int


@record
class DefineInstrument:
    """Adds or changes an instrument. `tick_size` and `lot_size` are exact decimals as text.

    The grid, venue and currency of an instrument in use (live orders, position) cannot change.
    """

    symbol: str
    venue: str
    tick_size: str
    lot_size: str
    currency: str


@record
class RemoveInstrument:
    """Removes an instrument that is not in use."""

    symbol: str


@record
class SetTradingSession:
    """A venue's session has a new state, on the trading date `YYYY-MM-DD`."""

    venue: str
    status: TradSesStatus
    trading_date: str


@record
class RollDay:
    """A new trading date begins.

    Venues are asked about DAY orders that they did not report as ended. Orders that ended before
    `retire_before_ns` leave memory; their ids and outcomes stay for ever.
    """

    trading_date: str
    retire_before_ns: int


@record
class SetFxRate:
    """One unit of `currency` is worth `rate_e9` x 1e-9 units of the firm's base currency.

    The base currency has a rate of its own, which is 1.
    """

    currency: str
    rate_e9: int


@record
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
    actor: str = ""


@record
class SetAccountLimits:
    """Bounds an account's gross exposure over all instruments, in 1e-8 of the base currency.

    `max_rate_age_ms` is how old the rate of a currency may be.
    """

    account: str
    max_gross_e8: int
    max_rate_age_ms: int
    version: int
    actor: str = ""


@record
class SetReferencePrice:
    """Sets the price against which collars and market orders are judged, in ticks."""

    symbol: str
    price: int


@record
class SetTradingState:
    """Sets the state of a scope: `firm`, `shard`, `account:<account>` or `symbol:<symbol>`."""

    scope: str
    state: TradingState
    actor: str
    reason: str


@record
class AdvanceTime:
    """Carries nothing but its own entry's time, so that an idle shard still moves."""

    source: str


@record
class SetLogic:
    """Switches a change of behaviour on, from the next entry (see `logic`)."""

    flag: str
    actor: str


@record
class ApproveBuild:
    """From the next entry, replicas of this build may append. None approved: any may."""

    build: str
    actor: str


@record
class RevokeBuild:
    """From the next entry, replicas of this build only follow."""

    build: str
    actor: str


@record
class ReportDivergence:
    """A replica found that another's digest at `seq` is not its own: the shard halts."""

    seq: int
    digest: str
    instance: str


@record
class AskSkip:
    """One person's word that the poison entry `seq` (an earlier one) should count as a no-op.

    It takes two. Replicas that stand at that entry look ahead for both; the core only records them.
    """

    seq: int
    actor: str
    reason: str


@record
class SkipEntry:
    """Two people have decided that the poison entry `seq` is to be treated as a no-op.

    What stands in for that entry. Journals from before `AskSkip` hold it themselves, further on.
    """

    seq: int
    actor: str
    second_actor: str
    reason: str


Command = (
    SubmitOrder
    | CancelOrder
    | ReplaceOrder
    | MassCancel
    | RequestStatus
    | FlattenPosition
    | AdjustPosition
    | ResetPosition
    | ApplyVenueReport
    | TakeSession
    | StatePosition
    | OpenSegment
    | DefineInstrument
    | RemoveInstrument
    | SetTradingSession
    | RollDay
    | SetFxRate
    | SetLimits
    | SetAccountLimits
    | SetReferencePrice
    | SetTradingState
    | AdvanceTime
    | SetLogic
    | ApproveBuild
    | RevokeBuild
    | ReportDivergence
    | AskSkip
    | SkipEntry
    | SetScopeLimits
    | ApproveLimits
    | KillScope
    | ClearKill
    | DivideBounds
    | GiveShare
    | TakeShare
    | AgreeBound
)

COMMANDS: dict[str, type[Command]] = {command.__name__: command for command in get_args(Command)}


@record
class Entry:
    """One item of the journal: its sequence number, the broker's stamp of it, and the command."""

    seq: int
    ts_ns: int
    command: Command
