# SPDX-License-Identifier: Apache-2.0
"""What must hold, checked at every commit and every act of the venue, and once more at the end.

The judge replays the journal through a machine of its own as entries are committed, so EVENTS is
compared with a fresh replay, byte for byte, and exposure with the venue's books, at all times.
"""

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.exchange import Exchange, VenueOrder
from tests.simulation.world import World
from tradewind.common import codec, subjects
from tradewind.common.jetstream import Record
from tradewind.core.commands import ApplyVenueReport, Entry
from tradewind.core.events import (
    Event,
    OrderAdopted,
    OrderReport,
    PositionStated,
    TradingStateSet,
)
from tradewind.core.invariants import violations
from tradewind.core.machine import StateMachine
from tradewind.core.state import Order
from tradewind.core.types import ExecType, OrdStatus
from tradewind.risk.second_look import SecondLook

ENDS = {
    ExecType.CANCELED: OrdStatus.CANCELED,
    ExecType.REJECTED: OrdStatus.REJECTED,
    ExecType.TRADE: OrdStatus.FILLED,
}


@dataclass
class Judge:
    """Knows everything, helps nobody."""

    world: World
    machine: StateMachine = field(default_factory=StateMachine)
    outputs: list[bytes] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)
    appended: int = 0
    leader: str = ""
    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    exchange: Exchange | None = None
    look: SecondLook = field(default_factory=SecondLook)

    def journaled(self, record: Record) -> None:
        """An entry was committed."""
        command = codec.decode_command(record.body)
        events = self.machine.step(Entry(seq=record.seq, ts_ns=record.ts_ns, command=command))
        chain = self.chains[-1] if self.chains else codec.CHAIN_START
        for event in events:
            body = codec.encode(event)
            chain = codec.link(chain, body)
            self.outputs.append(body)
            self.chains.append(chain)
            self._check_event(event)
        if isinstance(command, ApplyVenueReport):
            self.world.saw(f"journaled {command.exec_type}")
        order_id = getattr(command, "order_id", "")
        if self.exchange is not None and order_id in self.exchange.orders:
            self._check_exposure(self.exchange.orders[order_id])

    def _check_event(self, event: Event) -> None:
        breach = self.look.take(event)
        if breach is not None:
            self.world.broken(f"the second look objects to {breach.order_id}: {breach.text}")
        match event:
            case OrderReport(exec_type=ExecType.PENDING_NEW):
                self.accepted[event.account, event.cl_ord_id] += 1
            case PositionStated():
                self.world.saw(f"position stated: {'' if event.is_settled else 'un'}settled")
            case OrderAdopted():
                self.world.broken(f"{event.order_id} is ours, and was taken for nobody's")
            case TradingStateSet(actor="core"):
                self.world.broken(f"{event.scope} was halted: {event.reason}")

    def emitted(self, record: Record) -> None:
        """An output was committed."""
        self.appended = record.seq
        by = record.headers.get(subjects.HEADER_BY, "")
        if by != self.leader:
            self.world.saw("takeover")
            self.leader = by
        place = record.seq - 1
        if place >= len(self.outputs):
            self.world.broken(f"EVENTS {record.seq} follows from no entry")
        elif record.body != self.outputs[place]:
            self.world.broken(f"EVENTS {record.seq} is not what a fresh replay gives")
        elif record.headers.get(subjects.HEADER_CHAIN) != self.chains[place]:
            self.world.broken(f"the chain of EVENTS {record.seq} is not the replay's")

    def venue_acted(self, venue_order: VenueOrder) -> None:
        """The venue has done something with an order."""
        self._check_exposure(venue_order)

    def settled(self) -> list[str]:
        """What is not as it must be in the end; empty once it is."""
        found = [*violations(self.machine.state)]
        if self.appended != len(self.outputs):
            found.append(f"{len(self.outputs) - self.appended} outputs are missing in EVENTS")
        assert self.exchange is not None
        orders = self.machine.state.orders
        for order_id, order in orders.items():
            found += self._compare(order, self.exchange.orders.get(order_id))
        found += [f"{each} is a phantom" for each in self.exchange.orders if each not in orders]
        found += [f"{key[1]} became {n} orders" for key, n in self.accepted.items() if n > 1]
        return found

    def _check_exposure(self, venue: VenueOrder) -> None:
        """What may trade, and what has, is never less here than at the venue.

        Lots that trade after the end was reported count from when that is reported.
        """
        order = self.machine.state.orders.get(venue.order_id)
        if order is None:
            self.world.broken(f"{venue.order_id} is at the venue and not in the journal")
            return
        at_venue = venue.cum - venue.late_qty + venue.leaves
        if order.cum_qty + order.reserved_qty < at_venue:
            self.world.broken(
                f"{order.order_id} {order.ord_status}: {order.cum_qty} traded and "
                f"{order.reserved_qty} reserved here, {at_venue} at the venue"
            )

    def _compare(self, order: Order, venue: VenueOrder | None) -> list[str]:
        name = f"{order.order_id} ({order.cl_ord_id}) {order.ord_status}"
        if order.pendings and not order.is_final:
            return [f"{name} waits for {len(order.pendings)} answers"]
        if venue is None:
            is_unsent = order.ord_status is OrdStatus.EXPIRED and order.cum_qty == 0
            return [] if is_unsent else [f"{name} never reached the venue"]
        if order.cum_qty != venue.cum:
            return [f"{name} has traded {order.cum_qty}, {venue.cum} at the venue"]
        is_full = venue.cum == venue.qty and order.ord_status is OrdStatus.FILLED
        if venue.end is not None and order.ord_status is not ENDS[venue.end] and not is_full:
            return [f"{name} ended {venue.end} at the venue"]
        working = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
        if venue.is_working and order.ord_status not in working:
            return [f"{name} works at the venue"]
        if venue.is_working and (order.order_qty, order.price) != (venue.qty, venue.price):
            return [f"{name} has other terms at the venue"]
        return []
