# SPDX-License-Identifier: Apache-2.0
"""Services that die at an exact line: kills from outside seldom meet the moments that matter.

    python -m tradewind.cli.chaos.failpoints NAME MODULE

runs a service's module. After SIGUSR1 the process kills itself, as by SIGKILL, the next time it
comes to the named point.
"""

import os
import runpy
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class _Point:
    """Where to die; armed from outside."""

    def __init__(self) -> None:
        self._is_armed = False

    def arm(self, *_args: object) -> None:
        """From now on, the next one who comes by dies."""
        self._is_armed = True

    def reached(self) -> None:
        """This is the place."""
        if self._is_armed:
            os.kill(os.getpid(), signal.SIGKILL)


def _before_journal(point: _Point) -> None:
    from tradewind.gateway.journal import Journal

    _precede(Journal, "publish", point)


def _after_journal(point: _Point) -> None:
    from tradewind.gateway.journal import Journal

    _precede(Journal, "_on_acked", point)


def _before_append(point: _Point) -> None:
    from tradewind.common.jetstream import Bus

    _precede(Bus, "append_batch", point)


def _after_append(point: _Point) -> None:
    from tradewind.common.jetstream import Bus

    _follow(Bus, "append_batch", point, lambda *_args: True)


def _before_send(point: _Point) -> None:
    from tradewind.venue.sim_adapter import SimAdapter

    _precede(SimAdapter, "send", point)


def _after_send(point: _Point) -> None:
    from tradewind.core.types import VenueAction
    from tradewind.venue.sim_adapter import SimAdapter

    _follow(SimAdapter, "send", point, lambda request: request.action is VenueAction.NEW)


def _precede(owner: Any, name: str, point: _Point) -> None:
    original = getattr(owner, name)

    def method(*args: Any, **kwargs: Any) -> Any:
        point.reached()
        return original(*args, **kwargs)

    setattr(owner, name, method)


def _follow(owner: Any, name: str, point: _Point, counts: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = await original(self, *args, **kwargs)
        if counts(*args):
            point.reached()
        return found

    setattr(owner, name, method)


@dataclass(frozen=True, slots=True)
class Failpoint:
    """A place in the processes of a service."""

    install: Callable[[_Point], None]
    service: str


FAILPOINTS = {
    "before-journal": Failpoint(_before_journal, "gateway"),
    "after-journal": Failpoint(_after_journal, "gateway"),
    "before-append": Failpoint(_before_append, "oms"),
    "after-append": Failpoint(_after_append, "oms"),
    "before-send": Failpoint(_before_send, "venue"),
    "after-send": Failpoint(_after_send, "venue"),
}
"""Along an order's way: a request about to be journaled, and one that is and nobody knows; outputs
that are computed, and outputs that are stored; a request about to be sent, and one that is out."""


def instead_of(name: str) -> dict[str, list[str]]:
    """The modules and arguments that stand for services which may die at this point."""
    service = FAILPOINTS[name].service
    return {service: ["tradewind.cli.chaos.failpoints", name, f"tradewind.{service}"]}


def main() -> None:
    """Puts the point that the first argument names into the module that the second names."""
    _program, name, module = sys.argv
    point = _Point()
    FAILPOINTS[name].install(point)
    signal.signal(signal.SIGUSR1, point.arm)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
