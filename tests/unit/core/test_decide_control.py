# SPDX-License-Identifier: Apache-2.0
"""Entries of operators and services: instruments, rates, limits, switches, decisions."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.golden.life import Life
from tradewind.core import commands, events
from tradewind.core.commands import Command
from tradewind.core.events import ControlRefused
from tradewind.core.logic import REDUCING_REPLACES, UnknownLogicError
from tradewind.core.snapshot import dump
from tradewind.core.testing import ACCOUNT, SYMBOL, VENUE, one
from tradewind.core.types import ExecType, Reason, TradingState, TradSesStatus

OTHER = commands.DefineInstrument(
    symbol="ETH-USD", venue=VENUE, tick_size="0.01", lot_size="1", currency="USD"
)
SAME = replace(OTHER, symbol=SYMBOL, lot_size="0.001")
SESSION = commands.SetTradingSession(
    venue=VENUE, status=TradSesStatus.OPEN, trading_date="2026-01-01"
)
BOOKKEEPING = {"seq", "ts_ns", "ordinal"}


def changed(desk: Life, command: Command) -> set[str]:
    """What a command changes in the state, beside its being an entry."""
    before = dump(desk.machine.state)
    desk.step(command)
    after = dump(desk.machine.state)
    return {name for name in after if after[name] != before[name]} - BOOKKEEPING


@pytest.mark.parametrize(
    ("command", "table", "key", "event"),
    [
        (OTHER, "instruments", "ETH-USD", events.InstrumentDefined),
        (SESSION, "trading_sessions", VENUE, events.TradingSessionSet),
        (
            commands.SetTradingState(
                scope="firm", state=TradingState.HALTED, actor="op", reason="why"
            ),
            "trading_states",
            "firm",
            events.TradingStateSet,
        ),
        (
            commands.SetLogic(flag=REDUCING_REPLACES, actor="op"),
            "logic",
            REDUCING_REPLACES,
            events.LogicSet,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_setting_is_kept_as_it_was_given(
    command: Command, table: str, key: object, event: type[Any]
) -> None:
    desk = Life.opened()
    found = one(desk.step(command), event)
    assert asdict(found) == asdict(command)
    assert getattr(desk.machine.state, table)[key] == found


@pytest.mark.parametrize("price", [0, 1_234])
def test_a_reference_price_and_a_rate_are_as_old_as_their_entry(price: int) -> None:
    desk = Life.opened()
    desk.reference(price)
    reference = desk.machine.state.references[SYMBOL]
    assert (reference.price, reference.ts_ns) == (price, desk.now_ns)
    desk.step(commands.SetFxRate(currency="EUR", rate_e9=1))
    rate = desk.machine.state.fx_rates["EUR"]
    assert (rate.currency, rate.rate_e9, rate.ts_ns) == ("EUR", 1, desk.now_ns)


def test_a_segment_names_the_life_of_the_journal() -> None:
    desk = Life.opened()
    desk.step(commands.OpenSegment(segment="next", shard=3))
    assert (desk.machine.state.segment, desk.machine.state.shard) == ("next", 3)
    assert desk.submit().order_id == f"next-3-{desk.machine.state.seq}"


@pytest.mark.parametrize(
    ("command", "subject", "reason"),
    [
        (replace(OTHER, tick_size="0"), "ETH-USD", Reason.INVALID_INSTRUMENT),
        (replace(OTHER, lot_size="x"), "ETH-USD", Reason.INVALID_INSTRUMENT),
        (commands.RemoveInstrument(symbol="?"), "?", Reason.UNKNOWN_INSTRUMENT),
        (commands.SetFxRate(currency="EUR", rate_e9=0), "EUR", Reason.INVALID_RATE),
        (commands.SetFxRate(currency="EUR", rate_e9=-1), "EUR", Reason.INVALID_RATE),
        (replace(SESSION, trading_date="2026-1-1"), VENUE, Reason.INVALID_DATE),
        (
            commands.RollDay(trading_date="2026-1-1", retire_before_ns=0),
            "2026-1-1",
            Reason.INVALID_DATE,
        ),
        (commands.RollDay(trading_date="", retire_before_ns=0), "", Reason.INVALID_DATE),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    command: Command, subject: str, reason: Reason
) -> None:
    desk = Life.opened()
    assert changed(desk, command) == set()
    refused = desk.outputs[-1]
    assert isinstance(refused, ControlRefused)
    assert (refused.command, refused.subject) == (type(command).__name__, subject)
    assert (refused.reason, refused.text) == (reason, "")


def working(desk: Life) -> None:
    desk.make("working")


def holding(desk: Life) -> None:
    desk.fill(desk.make("held"), 10)


def parent(desk: Life) -> None:
    desk.make("parent", is_parent=True)


@pytest.mark.parametrize("use", [working, holding, parent])
def test_an_instrument_in_use_is_neither_changed_nor_removed(use: Any) -> None:
    desk = Life.opened()
    use(desk)
    for command in (replace(SAME, tick_size="0.1"), commands.RemoveInstrument(symbol=SYMBOL)):
        assert changed(desk, command) == set()
        assert one(tuple(desk.outputs[-1:]), ControlRefused).reason is (Reason.INSTRUMENT_IN_USE)
    desk.step(SAME)  # defined as it is: nothing is in the way
    assert isinstance(desk.outputs[-1], events.InstrumentDefined)


def test_an_instrument_that_is_free_again_goes_with_its_limits_and_price() -> None:
    desk = Life.opened()
    desk.step(OTHER)
    desk.limits(symbol="ETH-USD")
    desk.fill(desk.make("in"), 10)
    desk.step(
        commands.AdjustPosition(
            account=ACCOUNT,
            cl_ord_id="out",
            symbol=SYMBOL,
            qty=-10,
            price=1_000,
            actor="op",
            reason="",
        )
    )
    desk.step(replace(SAME, tick_size="0.1"))
    assert desk.machine.state.instruments[SYMBOL].tick_size == "0.1"
    assert changed(desk, commands.RemoveInstrument(symbol=SYMBOL)) == {
        "instruments",
        "limits",
        "references",
    }
    assert list(desk.machine.state.limits) == [(ACCOUNT, "ETH-USD")]
    assert desk.submit("again").reason is Reason.UNKNOWN_INSTRUMENT
    desk.step(SAME)
    assert desk.submit("back").reason is Reason.LIMIT_MISSING


def test_an_instrument_without_a_price_can_be_removed() -> None:
    desk = Life.opened()
    desk.step(OTHER)
    assert changed(desk, commands.RemoveInstrument(symbol="ETH-USD")) == {"instruments"}


@pytest.mark.parametrize("status", TradSesStatus)
def test_sessions_are_a_venues_own(status: TradSesStatus) -> None:
    desk = Life.opened()
    desk.step(replace(SESSION, venue="ELSEWHERE", status=status))
    assert desk.submit().reason is Reason.NONE


def test_builds_are_approved_and_revoked_one_by_one() -> None:
    desk = Life.opened()
    for build in ("b1", "b2"):
        desk.step(commands.ApproveBuild(build=build, actor="op"))
    changes = one(desk.step(commands.RevokeBuild(build="b1", actor="second")), events.BuildsChanged)
    assert (changes.build, changes.is_approved, changes.actor) == ("b1", False, "second")
    assert list(desk.machine.state.builds) == ["b2"]
    assert desk.machine.state.builds["b2"].is_approved
    desk.step(commands.RevokeBuild(build="never", actor="op"))
    assert list(desk.machine.state.builds) == ["b2"]


def test_a_change_of_behaviour_that_this_build_does_not_have_stops_it() -> None:
    desk = Life.opened()
    with pytest.raises(UnknownLogicError, match="'warp' is unknown"):
        desk.step(commands.SetLogic(flag="warp", actor="op"))


def test_a_divergence_halts_the_shard_until_people_open_it() -> None:
    desk = Life.opened()
    order_id = desk.make("before")
    report = commands.ReportDivergence(seq=3, digest="d" * 64, instance="oms-0-1")
    told, halted = desk.step(report)
    assert isinstance(told, events.DivergenceReported)
    assert asdict(told) == asdict(report)
    assert isinstance(halted, events.TradingStateSet)
    assert (halted.scope, halted.state, halted.actor) == ("shard", TradingState.HALTED, "core")
    assert halted.reason == "oms-0-1 diverges at entry 3"
    assert desk.submit("halted").reason is Reason.TRADING_HALTED
    assert desk.cancel("x1", "before").exec_type is ExecType.PENDING_CANCEL
    desk.answer(order_id, ExecType.CANCELED)
    desk.trading(TradingState.ACTIVE, "shard")
    assert desk.submit("open").reason is Reason.NONE


def test_one_persons_word_to_skip_an_entry_is_on_record_and_changes_nothing() -> None:
    desk = Life.opened()
    word = commands.AskSkip(seq=2, actor="one", reason="poison")
    assert changed(desk, word) == set()
    assert asdict(one(tuple(desk.outputs[-1:]), events.SkipAsked)) == asdict(word)


def test_the_decision_to_skip_an_entry_is_on_record_and_changes_nothing() -> None:
    desk = Life.opened()
    skip = commands.SkipEntry(seq=2, actor="one", second_actor="two", reason="poison")
    assert changed(desk, skip) == set()
    assert asdict(one(tuple(desk.outputs[-1:]), events.EntrySkipped)) == asdict(skip)


def test_time_alone_changes_nothing() -> None:
    assert changed(Life.opened(), commands.AdvanceTime(source="oms")) == set()


def test_a_replace_that_does_not_grow_passes_under_reducing_once_that_is_switched_on() -> None:
    desk = Life.opened()
    desk.make("c1")
    desk.trading(TradingState.REDUCING)
    assert desk.replace("r1", qty=10, price=999).reason is Reason.REDUCE_ONLY
    desk.step(commands.SetLogic(flag=REDUCING_REPLACES, actor="op"))
    assert desk.replace("r2", qty=11).reason is Reason.REDUCE_ONLY
    assert desk.replace("r3", qty=10, price=999).reason is Reason.NONE
    assert desk.replace("r4", qty=1).reason is Reason.NONE
    assert desk.submit("new", order_qty=1).reason is Reason.REDUCE_ONLY
