# SPDX-License-Identifier: Apache-2.0
"""A desk for tests: a state machine behind short words with sensible defaults."""

from dataclasses import replace
from typing import Any, Self, TypeVar

from tradewind.core import commands
from tradewind.core.commands import Command, Entry
from tradewind.core.events import Event, OrderReport, PositionStated, VenueRequest
from tradewind.core.machine import StateMachine
from tradewind.core.state import Order, Position
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, TradingState
from tradewind.core.venue_commands import NOT_SAID

START_NS = 1_700_000_000_000_000_000
MILLISECOND_NS = 1_000_000
NEVER_NS = 2**62
ACCOUNT = "DEMO"
SYMBOL = "BTC-USD"
VENUE = "SIM"

E = TypeVar("E")

LIMITS = commands.SetLimits(
    account=ACCOUNT,
    symbol=SYMBOL,
    max_order_qty=100,
    max_notional=1_000_000,
    max_position=200,
    collar_bps=1_000,
    max_reference_age_ms=5_000,
    version=1,
)
"""At a reference of 1,000 ticks: the collar allows 900 to 1,100."""

BOUNDS = commands.SetScopeLimits(
    scope="firm",
    version=1,
    actor="operator",
    max_order_value_e8=10**12,
    max_move_bps=10_000,
    max_jump_bps=10_000,
    max_duplicates=1_000,
    max_messages=1_000,
    flood_messages=2_000,
    max_repeats=1_000,
    max_open_orders=1_000,
    max_open_value_e8=10**12,
    max_gross_e8=10**12,
    max_net_e8=10**12,
    max_children=1_000,
    max_turnover_e8=10**12,
    max_orders_per_trade=1_000,
    allows_self_match=1,
    allows_gtc=1,
)
"""Bounds so wide that nothing of a test's meets them."""

SUBMIT = commands.SubmitOrder(
    account=ACCOUNT,
    cl_ord_id="c1",
    symbol=SYMBOL,
    side=Side.BUY,
    ord_type=OrdType.LIMIT,
    time_in_force=TimeInForce.GTC,
    order_qty=10,
    price=1_000,
    client="client",
    strategy="strategy",
    void_after_ns=NEVER_NS,
)

REPORT = commands.ApplyVenueReport(
    venue=VENUE,
    order_id="",
    request_id="",
    venue_order_id="V1",
    exec_id="",
    exec_no=0,
    exec_type=ExecType.NEW,
    last_qty=0,
    last_px=0,
    order_qty=0,
    price=0,
    text="",
)

STATEMENT = commands.StatePosition(
    venue=VENUE,
    epoch=0,
    symbol=SYMBOL,
    exec_no=0,
    qty=0,
    open_buy_qty=NOT_SAID,
    open_sell_qty=NOT_SAID,
    is_complete=False,
)


class Desk:
    """Journals what it is told, one millisecond apart, and keeps what followed."""

    def __init__(self, machine: StateMachine | None = None) -> None:
        self.machine = StateMachine() if machine is None else machine
        self.now_ns = START_NS
        self.entries: list[Entry] = []
        self.outputs: list[Event] = []
        self._execs = 0

    @classmethod
    def opened(cls) -> Self:
        """A desk with segment, instrument, limits and a reference price of 1,000 ticks."""
        desk = cls()
        desk.step(commands.OpenSegment(segment="seg", shard=0))
        desk.step(
            commands.DefineInstrument(
                symbol=SYMBOL, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
            )
        )
        desk.step(LIMITS)
        desk.reference(1_000)
        return desk

    def step(self, command: Command, *, ts_ns: int | None = None) -> tuple[Event, ...]:
        """Journals one command."""
        self.now_ns += MILLISECOND_NS
        stamp = self.now_ns if ts_ns is None else ts_ns
        entry = Entry(seq=self.machine.state.seq + 1, ts_ns=stamp, command=command)
        events = self.machine.step(entry)
        self.entries.append(entry)
        self.outputs.extend(events)
        return events

    def submit(self, cl_ord_id: str = "c1", **changes: Any) -> OrderReport:
        """A new order; the report of it."""
        return one(self.step(replace(SUBMIT, cl_ord_id=cl_ord_id, **changes)), OrderReport)

    def cancel(self, cl_ord_id: str = "x1", orig: str = "c1", **changes: Any) -> OrderReport:
        """A cancel; the report of it."""
        command = commands.CancelOrder(
            account=ACCOUNT, cl_ord_id=cl_ord_id, orig_cl_ord_id=orig, client="client"
        )
        return one(self.step(replace(command, **changes))[:1], OrderReport)

    def replace(
        self,
        cl_ord_id: str = "r1",
        orig: str = "c1",
        *,
        qty: int = 20,
        price: int = 1_000,
        **changes: Any,
    ) -> OrderReport:
        """A replace; the report of it."""
        command = commands.ReplaceOrder(
            account=ACCOUNT,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id=orig,
            order_qty=qty,
            price=price,
            client="client",
            void_after_ns=NEVER_NS,
        )
        return one(self.step(replace(command, **changes)), OrderReport)

    def report(self, order_id: str, exec_type: ExecType, **changes: Any) -> tuple[Event, ...]:
        """A venue's report with an execution id of its own."""
        self._execs += 1
        command = replace(
            REPORT,
            order_id=order_id,
            exec_type=exec_type,
            exec_id=f"S{self._execs}",
            exec_no=self._execs,
        )
        return self.step(replace(command, **changes))

    def ack(self, order_id: str) -> OrderReport:
        """The venue has the order."""
        return one(self.report(order_id, ExecType.NEW), OrderReport)

    def fill(self, order_id: str, qty: int, price: int = 1_000, **changes: Any) -> OrderReport:
        """The venue traded some of the order; its parent's report is left out."""
        events = self.report(order_id, ExecType.TRADE, last_qty=qty, last_px=price, **changes)
        return one(events[:1], OrderReport)

    def limits(self, **changes: Any) -> None:
        """Changes limits."""
        self.step(replace(LIMITS, **changes))

    def reference(self, price: int) -> None:
        """Sets the reference price."""
        self.step(commands.SetReferencePrice(symbol=SYMBOL, price=price))

    def trading(self, state: TradingState, scope: str = "firm") -> None:
        """Opens, reduces or halts a scope."""
        self.step(commands.SetTradingState(scope=scope, state=state, actor="op", reason="test"))

    def take_session(self, owner: str = "connector") -> tuple[Event, ...]:
        """A connector takes the venue's session."""
        return self.step(commands.TakeSession(venue=VENUE, owner=owner))

    def state_position(self, **changes: Any) -> PositionStated:
        """The venue states the position, in the session that is; what follows is in `outputs`."""
        session = self.machine.state.sessions.get(VENUE)
        statement = replace(
            STATEMENT,
            epoch=0 if session is None else session.epoch,
            exec_no=0 if session is None else session.last_exec_no,
        )
        return one(self.step(replace(statement, **changes)), PositionStated)

    def order(self, order_id: str) -> Order:
        """The order as the machine has it."""
        return self.machine.state.orders[order_id]

    @property
    def position(self) -> Position:
        """The default account's position."""
        return self.machine.state.position(ACCOUNT, SYMBOL)


def one(events: tuple[Event, ...], kind: type[E]) -> E:
    """The only event of this kind.

    Raises:
        LookupError: if there is none, or more than one.
    """
    found = [event for event in events if isinstance(event, kind)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} events are {kind.__name__}, not 1: {events}")
    return found[0]


def request_of(events: tuple[Event, ...]) -> VenueRequest:
    """The only request to the venue."""
    return one(events, VenueRequest)
