# SPDX-License-Identifier: Apache-2.0
"""Which orders were asked for here, with the context and the moments that traces are made of."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from tradewind.common import subjects
from tradewind.common.trace import HEADER

TRACES_MAX = 100_000


@dataclass(slots=True)
class _Trace:
    traceparent: str
    sent_ns: int = 0


class Traces:
    """The trace of each order, from its latest request to its reports. Old ones are forgotten."""

    def __init__(self, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._by_order: OrderedDict[str, _Trace] = OrderedDict()

    def note(self, order_id: str, traceparent: str) -> None:
        """A request about the order was given."""
        if traceparent or order_id not in self._by_order:
            self._by_order[order_id] = _Trace(traceparent)
            if len(self._by_order) > TRACES_MAX:
                self._by_order.popitem(last=False)

    def sent(self, order_id: str) -> None:
        """It is on the wire."""
        found = self._by_order.get(order_id)
        if found is not None:
            found.sent_ns = self._clock_ns()

    def knows(self, order_id: str) -> bool:
        """Whether the order is certainly ours: it was asked for here."""
        return order_id in self._by_order

    def headers(self, order_id: str) -> dict[str, str]:
        """Headers for an entry about the order, that is made now."""
        found = self._by_order.get(order_id)
        if found is None or not found.traceparent:
            return {}
        made = {HEADER: found.traceparent, subjects.HEADER_AT: str(self._clock_ns())}
        if found.sent_ns:
            made[subjects.HEADER_SENT] = str(found.sent_ns)
            found.sent_ns = 0  # only the first report answers
        return made
