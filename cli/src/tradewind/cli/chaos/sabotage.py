# SPDX-License-Identifier: Apache-2.0
"""Services with a bug that nobody may have: negative controls of the judge.

    python -m tradewind.cli.chaos.sabotage NAME MODULE [ARGUMENT ...]

runs a service's module with one thing broken in memory. Each sabotage names the scenario that gives
it an occasion, and the checkers of which at least one must fire. A checker that stays silent here
would stay silent in earnest.
"""

import dataclasses
import runpy
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LAZY_FSYNC = "lazy-fsync"
"""Nodes fsync now and then, as the broker does unless it is told otherwise."""


def _append_without_condition() -> None:
    """A replica that was paused leads on as if it were alone, wherever the stream's end is."""
    from tradewind.common.jetstream import Bus
    from tradewind.oms.appender import Appender

    original = Bus.append_batch
    woken: list[int] = []
    signal.signal(signal.SIGCONT, lambda number, _frame: woken.append(number))

    async def append_batch(
        self: Any, messages: Any, expected_last_seq: int | None, timeout_ms: int
    ) -> Any:
        return await original(self, messages, None if woken else expected_last_seq, timeout_ms)

    is_leading = Appender.is_leading.fget  # type: ignore[attr-defined]
    Bus.append_batch = append_batch  # type: ignore[method-assign]
    Appender.is_leading = property(lambda self: bool(woken) or is_leading(self))  # type: ignore[assignment,method-assign]


def _dedup_by_broker_window_only() -> None:
    """A request id counts as new again as soon as the broker has forgotten it."""
    from tradewind.core import decide_client

    decide_client.earlier_use = lambda _state, _command: None  # type: ignore[assignment,attr-defined]


def _ack_before_quorum() -> None:
    """Clients are told "durable" when a request was sent, and nothing when it was lost."""
    from tradewind.gateway.journal import InFlight, Journal

    original = Journal.publish

    class Hasty:
        def __init__(self, listener: Any) -> None:
            self._listener = listener

        def on_durable(self, _request: Any) -> None:
            """It has been said already."""

        def on_failed(self, _request: Any, _why: Any) -> None:
            """Nobody is told."""

        def on_answered(self, request: Any, answer: Any) -> None:
            self._listener.on_answered(request, answer)

    def publish(self: Any, shard: int, command: Any, listener: Any, *rest: Any, **told: Any) -> Any:
        found = original(self, shard, command, Hasty(listener), *rest, **told)
        if isinstance(found, InFlight):
            listener.on_durable(found)
        return found

    Journal.publish = publish  # type: ignore[method-assign]


def _resend_on_timeout() -> None:
    """What may have been sent is sent again, without a question to the venue."""
    from tradewind.venue.outbound import Outbound

    original = Outbound.offer

    def offer(self: Any, request: Any, received_ns: int) -> None:
        original(self, dataclasses.replace(request, is_possibly_sent=False), received_ns)

    Outbound.offer = offer  # type: ignore[method-assign]


def _believe_absence_at_once() -> None:
    """An order that the venue does not show yet is taken for one that never arrived."""
    from tradewind.venue.session import ShardSession

    original = ShardSession.__init__

    def init(self: Any, **told: Any) -> None:
        original(self, **(told | {"read_lag_ms": 0}))

    ShardSession.__init__ = init  # type: ignore[method-assign]


def _free_exposure_on_timeout() -> None:
    """An order without an answer from the venue counts no more."""
    from tradewind.core import evolve
    from tradewind.core.events import OrderReport
    from tradewind.core.types import ExecType, Side

    original = evolve.HANDLERS[OrderReport]

    def order_report(state: Any, entry: Any, event: Any) -> None:
        original(state, entry, event)
        if event.exec_type is ExecType.UNKNOWN and event.order_id in state.live_orders:
            order = state.live_orders[event.order_id]
            position = state.positions[order.account, order.symbol]
            if order.side is Side.BUY:
                position.buy_working -= order.leaves_qty
            else:
                position.sell_working -= order.leaves_qty

    evolve.HANDLERS[OrderReport] = order_report


def _believe_own_clock() -> None:
    """How long an order may wait is decided by the clock of whoever decides."""
    from tradewind.common.bus_clock import BusClock

    BusClock.now_ns = lambda _self: time.time_ns()  # type: ignore[method-assign,assignment]


def _skip_hash_check() -> None:
    """A record that fails the broker's check is missing, and nobody compares the copies."""
    from tradewind.orchestrator import scrubber

    scrubber.damaged = lambda _copies: []  # type: ignore[attr-defined,assignment]


def _nothing() -> None:
    """No service is broken."""


@dataclass(frozen=True, slots=True)
class Sabotage:
    """`service` is whose processes are broken; any of `checkers` must fire in `scenario`.

    Without a service, the nodes are: see `LAZY_FSYNC`.
    """

    apply: Callable[[], None]
    service: str
    scenario: str
    checkers: tuple[str, ...]


SABOTAGES = {
    "append-without-condition": Sabotage(_append_without_condition, "oms", "controls", ("K9",)),
    "broker-window-dedup-only": Sabotage(_dedup_by_broker_window_only, "oms", "controls", ("K2",)),
    "ack-before-quorum": Sabotage(_ack_before_quorum, "gateway", "controls", ("K1",)),
    "resend-on-timeout": Sabotage(_resend_on_timeout, "venue", "die-after-send", ("K2",)),
    "believe-absence-at-once": Sabotage(
        _believe_absence_at_once, "venue", "venue-read-lag", ("K2",)
    ),
    LAZY_FSYNC: Sabotage(_nothing, "", "power-loss", ("K1", "K9")),
    "skip-hash-check": Sabotage(_skip_hash_check, "orchestrator", "bit-flip", ("K9",)),
    "believe-own-clock": Sabotage(_believe_own_clock, "gateway", "clock-step", ("K14",)),
    "free-exposure-on-timeout": Sabotage(_free_exposure_on_timeout, "oms", "controls", ("K6",)),
}


def instead_of(name: str, others: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The modules and arguments that stand for services when this is broken too."""
    service = SABOTAGES[name].service
    if not service:
        return dict(others)
    module = others.get(service, [f"tradewind.{service}"])
    return {**others, service: ["tradewind.cli.chaos.sabotage", name, *module]}


def main() -> None:
    """Breaks what the first argument names, then runs the module that the second names."""
    _program, name, *sys.argv = sys.argv
    SABOTAGES[name].apply()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
