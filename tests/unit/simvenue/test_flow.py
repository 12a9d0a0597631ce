# SPDX-License-Identifier: Apache-2.0
"""The background flow is found, read lazily, or imitated."""

import gzip
from itertools import islice
from pathlib import Path

from tradewind.core.types import Side
from tradewind.simvenue.flow import (
    RECORDING,
    FlowAction,
    FlowEvent,
    find_recording,
    recorded,
    synthetic,
)
from tradewind.simvenue.matching import Exchange

ROWS = """id,timestamp,exchange_timestamp,price,volume,action,direction
1,1000,900,78318.0,1.53453667,created,bid
2,1000,905,78319.0,1e-05,created,ask
1,1000,1905,78318.0,0.5,changed,bid
"""


def install(folder: Path) -> Path:
    data = folder / RECORDING
    data.parent.mkdir(parents=True)
    data.write_bytes(gzip.compress(ROWS.encode()))
    info = folder / "some_recording-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-recording\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{RECORDING},,\n")
    return data


def test_the_recording_is_found_in_an_installed_distribution(tmp_path: Path) -> None:
    assert find_recording(tmp_path) is None
    assert find_recording(None) is None
    data = install(tmp_path)
    assert find_recording(tmp_path) == data


def test_rows_become_events_on_the_grid(tmp_path: Path) -> None:
    assert list(recorded(install(tmp_path))) == [
        FlowEvent(0, "B1", FlowAction.CREATED, Side.BUY, 7831800, 153453667),
        FlowEvent(5, "B2", FlowAction.CREATED, Side.SELL, 7831900, 1000),
        FlowEvent(1005, "B1", FlowAction.CHANGED, Side.BUY, 7831800, 50000000),
    ]


def test_the_imitation_is_the_same_for_a_seed_and_leaves_a_sound_book() -> None:
    assert list(islice(synthetic(7), 2000)) == list(islice(synthetic(7), 2000))
    assert list(islice(synthetic(7), 2000)) != list(islice(synthetic(8), 2000))
    exchange = Exchange("BTC-USD")
    for event in islice(synthetic(7), 20_000):
        exchange.background(event)
    assert not exchange.book.is_crossed()
    assert all(exchange.book.best(side) is not None for side in Side)
