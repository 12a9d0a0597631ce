# SPDX-License-Identifier: Apache-2.0
"""Snapshots and digests: the same state, the same bytes, whoever built it."""

import json
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any

import pytest

from tradewind.core.events import TradingStateSet
from tradewind.core.machine import StateMachine
from tradewind.core.snapshot import (
    _TEXTS,
    DERIVED,
    HINTS,
    SCALARS,
    SUMMED,
    TABLES,
    Digester,
    digest,
    dump,
    parts,
    restore,
)
from tradewind.core.state import Fill, Pending, State
from tradewind.core.testing import BOUNDS, Desk
from tradewind.core.types import ExecType, TradingState, VenueAction


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


def test_any_changed_field_of_any_record_changes_the_digest() -> None:
    state = busy().machine.state
    whole = digest(state)
    checked = 0
    for name in TABLES:
        table = getattr(state, name)
        for key, record in list(table.items()):
            for field in fields(record):
                other = changed(getattr(record, field.name), is_pending=field.name == "pendings")
                table[key] = replace(record, **{field.name: other})
                assert digest(state) != whole, f"{name}.{field.name}"
                checked += 1
            table[key] = record
    assert digest(state) == whole
    assert checked > 100


def changed(value: Any, *, is_pending: bool = False) -> Any:
    match value:
        case bool():
            return not value
        case StrEnum():
            return next(other for other in type(value) if other is not value)
        case int():
            return value + 1
        case str():
            return value + "!"
        case list():
            return [*value, "more"]
        case _:
            return (*value, *value) or (PENDING,) * is_pending or (FILL,)


FILL = Fill(exec_id="more", qty=1, px=1)
PENDING = Pending(
    seq=1,
    action=VenueAction.CANCEL,
    request_id="r",
    cl_ord_id="c",
    order_qty=1,
    price=1,
    stop_px=0,
)


def test_any_changed_field_of_a_part_changes_the_digest() -> None:
    state = busy().machine.state
    order = next(order for order in state.orders.values() if order.fills)
    whole = digest(state)
    for field in fields(Fill):
        other = changed(getattr(order.fills[0], field.name))
        state.orders[order.order_id] = replace(
            order, fills=(replace(order.fills[0], **{field.name: other}),)
        )
        assert digest(state) != whole, field.name


@pytest.mark.parametrize("name", sorted(SCALARS))
def test_any_changed_single_value_changes_the_digest(name: str) -> None:
    state = busy().machine.state
    whole = digest(state)
    setattr(state, name, changed(getattr(state, name)))
    assert digest(state) != whole


def test_the_digest_does_not_depend_on_the_order_in_which_the_state_was_built() -> None:
    state = busy().machine.state
    turned = restore(
        {
            name: dict(reversed(part.items())) if name in TABLES else part
            for name, part in parts(state).items()
        }
    )
    assert list(turned.orders) != list(state.orders)
    assert digest(turned) == digest(state)


def test_a_field_that_came_later_counts_only_where_it_is_set() -> None:
    desk = busy()
    whole = []
    changes: list[dict[str, Any]] = [
        {},
        {"max_losses": 1},
        {"max_losses": 2},
        {"loss_window_ms": 2},
    ]
    for bounds in changes:
        desk.step(replace(BOUNDS, **bounds))
        limits = desk.machine.state.scope_limits
        text = _TEXTS["scope_limits"].of(limits["firm"])
        assert text.count("loss") == len(bounds)
        whole.append(text)
    assert len(set(whole)) == len(whole)


def test_texts_that_run_into_each_other_are_told_apart() -> None:
    one, other = State(), State()
    one.trading_states["a"] = TradingStateSet(
        scope="a", state=TradingState.HALTED, actor="x\x1fy", reason="z"
    )
    other.trading_states["a"] = replace(one.trading_states["a"], actor="x", reason="y\x1fz")
    assert digest(one) != digest(other)


def test_the_running_digest_forgets_a_record_that_is_gone() -> None:
    state = busy().machine.state
    digester = Digester(state)
    digester.digest()
    order_id = next(iter(state.orders))
    del state.orders[order_id]
    assert digester.digest() != digest(state), "not told, so not noticed"
    state.touched.add(("orders", order_id))
    assert digester.digest() == digest(state)


def test_a_table_that_grows_is_named_in_the_list_of_sums() -> None:
    assert set(SUMMED) <= set(TABLES)


def test_every_field_of_the_state_is_a_value_a_table_or_derived() -> None:
    assert {field.name for field in fields(State)} == {*HINTS, *DERIVED}
    assert {*SCALARS, *TABLES} == set(HINTS)
