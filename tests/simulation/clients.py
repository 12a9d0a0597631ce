# SPDX-License-Identifier: Apache-2.0
"""Clients that trade through gateways, and never give up on a request without an answer.

A client repeats a request under the same id until it has the answer. Only after a definite "not
stored" may it take another id: so one intention with two orders means that a "no" was a lie.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tests.simulation.world import World
from tradewind.common import codec
from tradewind.core.commands import CancelOrder, ReplaceOrder, SubmitOrder
from tradewind.core.identity import fingerprint
from tradewind.core.state import State
from tradewind.core.types import OrdType, Side, TimeInForce

SYMBOL = "BTC-USD"
TTL_NS = 2_000_000_000
PATIENCE_S = 1.0
UNKNOWN = "OUTCOME_UNKNOWN"
Request = SubmitOrder | CancelOrder | ReplaceOrder


class Gateway(Protocol):
    """Where requests go."""

    def request(self, intention: "Intention", command: Request) -> None:
        """Takes a request, if it is alive."""


@dataclass
class Intention:
    """One thing a client wants done; `undecided` attempts under its id were not surely refused."""

    number: int
    command: Request
    orig: "Intention | None" = None
    used_ids: list[str] = field(default_factory=list)
    acked: dict[str, int] = field(default_factory=dict)
    outcome: str = ""
    answered_id: str = ""
    attempt: int = 0
    undecided: int = 0


class Clients:
    """All clients of a run."""

    def __init__(self, world: World, gateways: list[Gateway]) -> None:
        self._world = world
        self._gateways = gateways
        self.intentions: list[Intention] = []

    def start(self) -> None:
        """Plans the orders of the run; cancels and replaces follow from the answers."""
        for _ in range(self._world.plan.orders):
            self._world.loop.later(self._world.rng.uniform(0.3, 5.0), self._order)

    @property
    def is_done(self) -> bool:
        """Every request has its answer."""
        return all(intention.outcome for intention in self.intentions)

    def durable(self, intention: Intention, cl_ord_id: str, seq: int) -> None:
        """The gateway said that the entry is stored."""
        intention.acked[cl_ord_id] = seq

    def failed(self, intention: Intention, cl_ord_id: str, code: str) -> None:
        """The gateway said that it is not, or that it does not know."""
        if intention.outcome or intention.command.cl_ord_id != cl_ord_id:
            return
        if code == UNKNOWN:
            self._world.saw("client told unknown")
        else:
            self._world.saw("client refused")
            intention.undecided -= 1
        if intention.undecided == 0:
            new_id = f"{intention.number}.{len(intention.used_ids) + 1}"
            intention.command = replace(intention.command, cl_ord_id=new_id)
        self._world.loop.later(self._world.rng.uniform(0.05, 0.5), self._send, intention)

    def answered(self, intention: Intention, cl_ord_id: str, answer: Any) -> None:
        """The first output of the entry."""
        if intention.outcome:
            return
        intention.outcome, intention.answered_id = answer.outcome, cl_ord_id
        self._world.saw(f"client answered {answer.outcome}")
        is_order = isinstance(intention.command, SubmitOrder)
        if not is_order or answer.outcome == "denied":
            return
        for _ in range(self._world.rng.choice((0, 1, 1, 2))):
            self._world.loop.later(self._world.rng.expovariate(1.5), self._amend, intention)

    def found(self, state: State) -> list[str]:
        """What was promised to clients and is not so."""
        found = []
        for intention in self.intentions:
            uses = {
                each: state.id_uses.get((intention.command.account, each))
                for each in intention.used_ids
            }
            orders = [each for each, use in uses.items() if use is not None and use.order_id]
            if len(orders) > 1:
                found.append(f"one intention became the orders {orders}")
            for cl_ord_id in intention.acked:
                command = replace(intention.command, cl_ord_id=cl_ord_id)
                use = uses[cl_ord_id]
                if use is None or use.fingerprint != fingerprint(command):
                    found.append(f"{cl_ord_id} was acknowledged and is not known")
            if intention.outcome == "accepted" and intention.answered_id not in orders:
                found.append(f"{intention.answered_id} was accepted and is no order")
        return found

    def _order(self) -> None:
        rng = self._world.rng
        number = len(self.intentions) + 1
        command = SubmitOrder(
            account=rng.choice(("A", "B")),
            cl_ord_id=f"{number}.1",
            symbol=SYMBOL,
            side=rng.choice((Side.BUY, Side.SELL)),
            ord_type=OrdType.LIMIT,
            time_in_force=TimeInForce.GTC,
            order_qty=rng.randint(1, 20),
            price=rng.randint(990, 1010),
            client="client",
            strategy="strategy",
            void_after_ns=0,
        )
        self._begin(Intention(number, command))

    def _amend(self, order: Intention) -> None:
        rng = self._world.rng
        number = len(self.intentions) + 1
        command: Request = CancelOrder(
            account=order.command.account,
            cl_ord_id=f"{number}.1",
            orig_cl_ord_id=order.answered_id,
            client="client",
        )
        if rng.random() < 0.4:
            command = ReplaceOrder(
                account=command.account,
                cl_ord_id=command.cl_ord_id,
                orig_cl_ord_id=order.answered_id,
                order_qty=rng.randint(1, 25),
                price=rng.randint(990, 1010),
                client="client",
                void_after_ns=0,
            )
        self._begin(Intention(number, command, orig=order))

    def _begin(self, intention: Intention) -> None:
        self.intentions.append(intention)
        self._send(intention)

    def _send(self, intention: Intention) -> None:
        if intention.outcome:
            return
        world, command = self._world, intention.command
        if command.cl_ord_id not in intention.used_ids:
            intention.used_ids.append(command.cl_ord_id)
        elif intention.attempt:
            world.saw("client repeats a request")
        intention.attempt += 1
        intention.undecided += 1
        if not isinstance(command, CancelOrder):
            command = replace(command, void_after_ns=world.now_ns() + TTL_NS)
        world.loop.note(f"client {codec.encode(command)!r}")
        world.rng.choice(self._gateways).request(intention, command)
        world.loop.later(PATIENCE_S, self._send_again, intention, intention.attempt)

    def _send_again(self, intention: Intention, attempt: int) -> None:
        if intention.attempt == attempt:
            self._send(intention)
