# SPDX-License-Identifier: Apache-2.0
"""Where the background orders come from: a recording of a real market, or a seeded imitation.

The recording is a data file inside an installed distribution. Only that file is read; the
distribution's code is never imported and its folder never joins the import path.
"""

import csv
import gzip
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import distributions
from itertools import count
from pathlib import Path

from tradewind.core.types import Side

RECORDING = "ob_analytics/_sample_data/orders.csv.gz"
TICKS_PER_UNIT = 100
LOTS_PER_UNIT = 100_000_000
MARKET_BUY_PRICE = 999_999_999 * TICKS_PER_UNIT
MARKET_SELL_PRICE = 0
SYNTHETIC_PRICE = 78_000 * TICKS_PER_UNIT
SYNTHETIC_LEVELS = 200
SYNTHETIC_EVENTS = 300_000


class FlowAction(StrEnum):
    """What happened to a background order; the words are the recording's."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class FlowEvent:
    """One event of the background flow, `at_ms` after its beginning."""

    at_ms: int
    order_id: str
    action: FlowAction
    side: Side
    price: int
    qty: int

    @property
    def is_market(self) -> bool:
        """The recording writes market orders with prices that cannot be."""
        return self.price in (MARKET_BUY_PRICE, MARKET_SELL_PRICE)


def find_recording(folder: Path | None) -> Path | None:
    """The recording's file in an installed distribution in `folder`, if it is there."""
    if folder is None or not folder.is_dir():
        return None
    for distribution in distributions(path=[str(folder)]):
        for file in distribution.files or ():
            if file.as_posix() == RECORDING:
                path = Path(str(distribution.locate_file(file)))
                return path if path.is_file() else None
    return None


def recorded(path: Path) -> Iterator[FlowEvent]:
    """The recording's events, read as they are needed."""
    sides = {"bid": Side.BUY, "ask": Side.SELL}
    actions = {action.value: action for action in FlowAction}
    start_ms: int | None = None
    with gzip.open(path, "rt", encoding="ascii", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        for order_id, _seen, ts_ms, price, volume, action, direction in rows:
            if start_ms is None:
                start_ms = int(ts_ms)
            yield FlowEvent(
                at_ms=int(ts_ms) - start_ms,
                order_id=f"B{order_id}",
                action=actions[action],
                side=sides[direction],
                price=round(float(price) * TICKS_PER_UNIT),
                qty=round(float(volume) * LOTS_PER_UNIT),
            )


def synthetic(seed: int) -> Iterator[FlowEvent]:
    """A seeded imitation: a book around a price that wanders, about 100 events a second."""
    chance = random.Random(seed)
    numbers = count(1)
    alive: dict[str, FlowEvent] = {}
    mid = SYNTHETIC_PRICE
    at_ms = 0

    def created(side: Side, distance: int) -> FlowEvent:
        price = mid - side.sign * distance
        qty = chance.randrange(100_000, 2 * LOTS_PER_UNIT)
        event = FlowEvent(at_ms, f"B{next(numbers)}", FlowAction.CREATED, side, price, qty)
        alive[event.order_id] = event
        return event

    def deleted(event: FlowEvent) -> FlowEvent:
        del alive[event.order_id]
        action = FlowAction.DELETED
        return FlowEvent(at_ms, event.order_id, action, event.side, event.price, event.qty)

    for level in range(1, SYNTHETIC_LEVELS + 1):
        for side in Side:
            yield created(side, level * TICKS_PER_UNIT)
    for _ in range(SYNTHETIC_EVENTS):
        at_ms += chance.randrange(1, 20)
        if chance.random() < 0.05:
            mid += chance.choice((-1, 1)) * TICKS_PER_UNIT
            for event in [e for e in alive.values() if (mid - e.price) * e.side.sign <= 0]:
                yield deleted(event)
        if len(alive) > 2 * SYNTHETIC_LEVELS:
            yield deleted(alive[next(iter(alive))])
        distance = int(chance.expovariate(0.03)) + 1
        yield created(chance.choice(list(Side)), distance * TICKS_PER_UNIT)
