# SPDX-License-Identifier: Apache-2.0
"""What the venue says beside what is booked, by hand and against a model with delays."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tradewind.core.events import OrderReport
from tradewind.core.testing import SYMBOL, Desk
from tradewind.core.types import ExecType
from tradewind.risk.reconcile.grades import Kind
from tradewind.risk.reconcile.matching import Matching, Told

TOLD = Told(
    order_id="",
    session="S-0",
    symbol=SYMBOL,
    exec_id="X1",
    exec_type=ExecType.NEW,
    last_qty=0,
    order_qty=10,
    leaves_qty=10,
)


class World:
    """A desk whose reports are booked when the test says so."""

    def __init__(self) -> None:
        self.desk = Desk.opened()
        self.matching = Matching("SIM")
        self.matching.symbols.add(SYMBOL)
        self.matching.begin()
        self.matching.state(SYMBOL, 0, 1)
        self._heard = len(self.desk.outputs)

    def book(self) -> None:
        """Everything that has happened at the desk since."""
        for event in self.desk.outputs[self._heard :]:
            if isinstance(event, OrderReport):
                self.matching.take(event, 1, is_copied=True)
        self._heard = len(self.desk.outputs)

    def order(self) -> str:
        order_id = self.desk.submit().order_id
        self.book()
        return order_id

    def kinds(self) -> list[Kind]:
        return [each.kind for each in self.matching.differences()]


def test_an_order_in_doubt_agrees_with_whatever_the_venue_says() -> None:
    world = World()
    order_id = world.order()
    assert world.kinds() == []
    world.matching.tell(replace(TOLD, order_id=order_id))
    assert world.kinds() == []


def test_an_order_that_works_at_one_side_only_differs() -> None:
    world = World()
    order_id = world.order()
    world.desk.ack(order_id)
    world.book()
    assert world.kinds() == [Kind.ORDER]
    world.matching.tell(replace(TOLD, order_id=order_id))
    assert world.kinds() == []
    world.matching.tell(replace(TOLD, order_id="stranger", session="OTHER"))
    (found,) = world.matching.differences()
    assert (found.subject, found.venue, found.booked) == ("order:stranger", 10, 0)
    world.matching.tell(replace(TOLD, order_id=order_id, order_qty=8, leaves_qty=8))
    assert world.kinds() == [Kind.ORDER, Kind.ORDER]


def test_orders_that_are_not_on_the_venues_list_have_ended_unseen() -> None:
    world = World()
    order_id = world.order()
    world.desk.ack(order_id)
    world.book()
    world.matching.tell(replace(TOLD, order_id=order_id))
    world.matching.begin_list()
    assert not world.matching.is_complete
    world.matching.end_list()
    assert world.matching.is_complete
    assert world.kinds() == [Kind.ORDER]


def test_an_execution_that_nobody_has_booked_differs_and_the_position_does_not_for_it() -> None:
    world = World()
    order_id = world.order()
    world.desk.ack(order_id)
    fill = replace(TOLD, order_id=order_id, exec_type=ExecType.TRADE, last_qty=10, leaves_qty=0)
    world.matching.tell(fill)
    world.matching.tell(fill)
    world.matching.state(SYMBOL, 10, 2)
    (found,) = world.matching.differences()
    assert (found.kind, found.name, found.venue) == (Kind.EXECUTION, "X1", 10)
    world.desk.fill(order_id, 10, exec_id="X1")
    world.book()
    assert world.kinds() == []


def test_an_execution_that_is_booked_first_differs_in_nothing() -> None:
    world = World()
    order_id = world.order()
    world.desk.ack(order_id)
    world.matching.tell(replace(TOLD, order_id=order_id))
    world.desk.fill(order_id, 4, exec_id="X7")
    world.book()
    assert world.kinds() == []
    told = replace(TOLD, order_id=order_id, exec_id="X7", exec_type=ExecType.TRADE)
    world.matching.tell(replace(told, last_qty=4, leaves_qty=6))
    assert world.kinds() == []
    assert world.matching.position(SYMBOL) == 4


def test_what_was_booked_and_never_told_is_in_the_next_statement_or_differs() -> None:
    world = World()
    order_id = world.order()
    world.desk.ack(order_id)
    world.matching.tell(replace(TOLD, order_id=order_id))
    world.desk.fill(order_id, 4, exec_id="X7")
    world.book()
    world.matching.state(SYMBOL, 0, 1)
    assert world.kinds() == []
    world.matching.state(SYMBOL, 4, 2)
    assert world.kinds() == []
    world.matching.state(SYMBOL, 0, 3)
    assert world.kinds() == [Kind.POSITION]


def test_a_bust_differs_until_the_venue_has_stated_what_is_held() -> None:
    world = World()
    order_id = world.order()
    world.desk.ack(order_id)
    fill = replace(TOLD, order_id=order_id, exec_type=ExecType.TRADE, last_qty=4, leaves_qty=6)
    world.matching.tell(fill)
    world.desk.fill(order_id, 4, exec_id="X1")
    world.book()
    bust = replace(fill, exec_id="X2", exec_type=ExecType.TRADE_CANCEL, last_qty=0, leaves_qty=6)
    world.matching.tell(bust)
    world.desk.report(order_id, ExecType.TRADE_CANCEL, exec_id="X2", exec_ref_id="X1")
    world.book()
    assert world.kinds() == [Kind.POSITION]
    world.matching.state(SYMBOL, 0, 2)
    assert world.kinds() == []
    assert world.matching.booked_qty[SYMBOL] == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["trade", "told", "booked", "state"])))
def test_whatever_is_under_way_the_position_agrees_and_nothing_is_left_when_all_is_told(
    steps: list[str],
) -> None:
    """The venue's stream and the journal are each in order, and delay as they like."""
    world = World()
    buy = world.desk.submit(order_qty=100)
    matching, held, question = world.matching, 0, 1
    stream: list[Told | tuple[int, int]] = []
    journal: list[OrderReport] = []
    heard = 0
    for what in [*steps, *["told"] * len(steps), *["booked"] * len(steps)]:
        if what == "trade":
            held += 1
            name = f"T{held}"
            fill = replace(TOLD, order_id=buy.order_id, exec_id=name, exec_type=ExecType.TRADE)
            stream.append(replace(fill, last_qty=1, leaves_qty=0))
            journal.append(
                replace(
                    buy,
                    exec_type=ExecType.TRADE,
                    venue_exec_id=name,
                    cum_qty=held,
                    last_qty=1,
                )
            )
        elif what == "told" and stream:
            said = stream.pop(0)
            if isinstance(said, Told):
                matching.tell(said)
            else:
                matching.state(SYMBOL, *said)
        elif what == "booked" and heard < len(journal):
            matching.take(journal[heard], question, is_copied=True)
            heard += 1
        elif what == "state":
            question += 1
            stream.append((held, question))
        assert Kind.POSITION not in world.kinds()
    assert matching.position(SYMBOL) == held == matching.booked_qty[SYMBOL]
    assert Kind.EXECUTION not in world.kinds()
