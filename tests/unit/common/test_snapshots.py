# SPDX-License-Identifier: Apache-2.0
"""Snapshot files: what is read is what was written, and anything else is refused."""

import zlib
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest

from tests.unit.core.test_snapshot import busy
from tradewind.common import snapshots
from tradewind.common.errors import CorruptionError
from tradewind.common.init_job.defaults import controls
from tradewind.core.machine import StateMachine
from tradewind.core.testing import Desk

CHAIN = "ab" * 32


def written(desk: Desk) -> bytes:
    return snapshots.encode(desk.machine, chain=CHAIN, build="b1", instance="oms-0-0")


def with_meta(content: bytes, **changed: object) -> bytes:
    first, _, rest = content.partition(b"\n")
    meta = msgspec.json.decode(first) | changed
    return msgspec.json.encode(meta) + b"\n" + rest


def test_what_is_read_is_what_was_written() -> None:
    desk = busy()
    snapshot = snapshots.decode(written(desk))
    assert snapshot.state == desk.machine.state
    assert snapshot.meta.seq == desk.machine.state.seq
    assert snapshot.meta.chain == CHAIN
    assert snapshot.machine.digest() == desk.machine.digest() == snapshot.meta.digest


def test_a_restored_machine_goes_on_exactly_as_one_that_never_stopped() -> None:
    """Restored after every entry, it gives the same outputs and digests to the end."""
    desk = busy()
    whole = StateMachine()
    outputs = [whole.step(entry) for entry in desk.entries]
    machine = StateMachine()
    for place, entry in enumerate(desk.entries):
        assert machine.step(entry) == outputs[place]
        content = snapshots.encode(machine, chain=CHAIN, build="", instance="")
        machine = snapshots.decode(content).machine
    assert list(machine.state.orders) == list(whole.state.orders)
    assert list(machine.state.live_orders) == list(whole.state.live_orders)
    assert machine.digest() == whole.digest()


def test_what_a_new_installation_sets_and_amounts_of_any_size_are_kept() -> None:
    desk = busy()
    for command in controls():
        desk.step(command)
    position = next(iter(desk.machine.state.positions.values()))
    position.cost = -(2**80)
    snapshot = snapshots.decode(written(desk))
    assert snapshot.state == desk.machine.state
    assert snapshot.state.scope_limits["firm"].max_gross_e8 > 2**64


def test_restored_orders_are_in_the_order_of_their_sequences() -> None:
    desk = Desk.opened()
    for number in range(12):
        desk.submit(f"o{number}")
    state = snapshots.decode(written(desk)).state
    assert list(state.orders) == list(desk.machine.state.orders)
    assert list(state.live_orders) == list(desk.machine.state.live_orders)


def test_two_replicas_with_the_same_past_write_the_same_bytes() -> None:
    assert written(busy()) == written(busy())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"schema": "1-000000000000"}, "schema"),
        ({"digest": "0" * 64}, "digest"),
        ({"seq": 1}, "stands at"),
        ({"segment": "other"}, "stands at"),
        ({"ordinal": 0}, "stands at"),
        ({"logic": ["from-the-future"]}, "from-the-future"),
        ({"seq": "many"}, "first line"),
    ],
)
def test_a_file_that_says_something_else_of_itself_is_refused(
    changed: dict[str, object], why: str
) -> None:
    with pytest.raises(CorruptionError, match=why) as caught:
        snapshots.decode(with_meta(written(busy()), **changed))
    assert caught.value.code == "SNAPSHOT_UNUSABLE"


def test_any_flipped_bit_that_means_something_is_refused() -> None:
    """A few bits of a compressed stream mean nothing: a filled-up byte, a table's spare codes."""
    content = written(busy())
    state = snapshots.decode(content).state
    start = content.index(b"\n") + 1
    read = 0
    for place in range(start, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 1
        with suppress(CorruptionError):
            assert snapshots.decode(bytes(damaged)).state == state
            read += 1
    assert read <= 3


def test_a_changed_record_is_refused_even_if_it_is_packed_well() -> None:
    desk = busy()
    content = written(desk)
    order = next(iter(desk.machine.state.orders.values()))
    desk.machine.state.orders[order.order_id] = replace(order, price=order.price + 1)
    first, _, _ = content.partition(b"\n")
    _, _, changed = written(desk).partition(b"\n")
    with pytest.raises(CorruptionError, match="digest"):
        snapshots.decode(first + b"\n" + changed)


@pytest.mark.parametrize("content", [b"", b"{}", b"{}\n", b"\n", b"nonsense\nmore"])
def test_what_is_no_snapshot_is_refused(content: bytes) -> None:
    with pytest.raises(CorruptionError):
        snapshots.decode(content)


def test_parts_of_another_shape_are_refused() -> None:
    content = written(busy())
    first, _, packed = content.partition(b"\n")
    plain = msgspec.json.decode(zlib.decompress(packed), strict=False)
    plain["orders"][2][0].append(7)
    with pytest.raises(CorruptionError, match="parts"):
        snapshots.decode(first + b"\n" + zlib.compress(msgspec.json.encode(plain)))
