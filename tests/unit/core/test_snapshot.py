# SPDX-License-Identifier: Apache-2.0
"""Snapshots and digests: the same state, the same bytes, whoever built it."""

import json

import pytest

from tradewind.core.machine import StateMachine
from tradewind.core.snapshot import digest, dump, load
from tradewind.core.testing import Desk
from tradewind.core.types import ExecType, TradingState


def busy() -> Desk:
    """One order in every kind of condition."""
    desk = Desk.opened()
    ids = [desk.submit(name).order_id for name in ("a", "b", "c", "d")]
    desk.fill(ids[0], 4)
    desk.ack(ids[1])
    desk.cancel("xb", "b")
    desk.replace("rc", "c", qty=12)
    desk.report(ids[3], ExecType.CANCELED)
    desk.submit("denied", order_qty=1_000)
    desk.take_session()
    desk.trading(TradingState.REDUCING, "symbol:ETH-USD")
    return desk


def test_a_snapshot_survives_json_and_gives_the_same_digest() -> None:
    state = busy().machine.state
    restored = load(json.loads(json.dumps(dump(state))))
    assert restored == state
    assert list(restored.live_orders) == list(state.live_orders)
    assert StateMachine(restored).digest() == StateMachine(state).digest() == digest(state)


def test_a_snapshot_shares_nothing_with_the_state() -> None:
    desk = busy()
    plain = dump(desk.machine.state)
    text = json.dumps(plain)
    desk.fill(next(iter(desk.machine.state.orders)), 1)
    desk.report(next(iter(desk.machine.state.orders)), ExecType.CANCELED)
    assert json.dumps(plain) == text


def test_the_running_digest_is_the_digest_from_scratch_after_every_entry() -> None:
    desk = busy()
    machine = StateMachine()
    seen = set()
    for entry in desk.entries:
        machine.step(entry)
        assert machine.digest() == digest(machine.state)
        seen.add(machine.digest())
    assert len(seen) == len(desk.entries)


def test_a_digest_from_scratch_does_not_disturb_the_running_one() -> None:
    desk = busy()
    machine = StateMachine()
    for entry in desk.entries:
        machine.step(entry)
        digest(machine.state)
    assert machine.digest() == desk.machine.digest()


def test_any_changed_field_changes_the_digest() -> None:
    state = busy().machine.state
    plain = dump(state)
    whole = digest(state)

    def changed(value: object) -> object:
        match value:
            case bool():
                return not value
            case int():
                return value + 1
            case list():
                return [*value, "more"]
            case _:
                return None

    for table in ("orders", "positions", "limits", "references", "sessions"):
        key = next(iter(plain[table]))
        for name, value in plain[table][key].items():
            other = changed(value)
            if other is None:
                continue
            tampered = json.loads(json.dumps(plain))
            tampered[table][key][name] = other
            assert digest(load(tampered)) != whole, f"{table}.{name}"


@pytest.mark.parametrize("schema", [0, 2, None])
def test_another_schema_is_refused(schema: int | None) -> None:
    plain = dump(Desk.opened().machine.state) | {"schema": schema}
    with pytest.raises(ValueError, match="schema"):
        load(plain)


def test_an_unknown_field_is_refused() -> None:
    plain = json.loads(json.dumps(dump(busy().machine.state)))
    next(iter(plain["orders"].values()))["colour"] = "red"
    with pytest.raises(ValueError, match="Order has no field colour"):
        load(plain)
