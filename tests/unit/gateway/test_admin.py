# SPDX-License-Identifier: Apache-2.0
"""Operators' calls: one entry in each shard, in the operator's name, and an answer for each."""

from dataclasses import asdict

import pytest

from tradewind.common import subjects
from tradewind.core.commands import (
    AdjustPosition,
    DefineInstrument,
    MassCancel,
    RollDay,
    SetTradingSession,
    SetTradingState,
)
from tradewind.core.events import (
    ControlRefused,
    Event,
    InstrumentDefined,
    MassCancelReport,
    TradingStateSet,
)
from tradewind.core.types import Reason, TradSesStatus
from tradewind.gateway.instruments import Instrument

from .conftest import NOW_NS, Harness, Published, call

pytestmark = pytest.mark.anyio


async def test_a_trading_state_is_journaled_on_every_shard(harness: Harness) -> None:
    def answer(published: Published, seq: int) -> None:
        command = published.command
        assert isinstance(command, SetTradingState)
        event = TradingStateSet(
            scope=command.scope, state=command.state, actor=command.actor, reason=command.reason
        )
        harness.output(published.shard, seq, event)

    harness.bus.on_published = answer
    body = {"scope": "firm", "state": "HALTED", "reason": "drill"}
    refused = await call(harness, "POST", "/v1/admin/trading-state", body)
    assert refused.json()["code"] == "SCOPE_MISSING"
    response = await call(harness, "POST", "/v1/admin/trading-state", body, key="root")
    assert response.status_code == 200
    shards = response.json()["shards"]
    assert [(item["shard"], item["outcome"]) for item in shards] == [
        (0, "accepted"),
        (1, "accepted"),
    ]
    assert {item.shard for item in harness.bus.published} == {0, 1}
    assert all(
        isinstance(item.command, SetTradingState) and item.command.actor == "ops"
        for item in harness.bus.published
    )


async def test_an_instrument_is_known_to_the_services_once_every_shard_has_it(
    harness: Harness,
) -> None:
    answers: dict[int, Event] = {}

    def answer(published: Published, seq: int) -> None:
        command = published.command
        assert isinstance(command, DefineInstrument)
        defined = InstrumentDefined(**asdict(command))
        harness.output(published.shard, seq, answers.get(published.shard, defined))

    harness.bus.on_published = answer
    body = {
        "symbol": "ETH-USD",
        "venue": "SIM",
        "tick_size": "0.01",
        "lot_size": "0.001",
        "currency": "USD",
    }
    refused = ControlRefused(
        command="DefineInstrument", subject="ETH-USD", reason=Reason.INSTRUMENT_IN_USE, text=""
    )
    answers[1] = refused
    response = await call(harness, "POST", "/v1/admin/instruments", body, key="root")
    assert (response.status_code, response.json()["outcome"]) == (200, "denied")
    assert response.json()["shards"][1]["report"]["reason"] == "INSTRUMENT_IN_USE"
    assert harness.told == []
    answers.clear()
    response = await call(harness, "POST", "/v1/admin/instruments", body, key="root")
    assert response.json()["outcome"] == "accepted"
    assert harness.told == [("ETH-USD", Instrument(**body))]
    assert {item.headers[subjects.HEADER_ACTOR] for item in harness.bus.published} == {"ops"}


async def test_an_instrument_that_nobody_knows_cannot_be_removed(harness: Harness) -> None:
    response = await call(harness, "DELETE", "/v1/admin/instruments/ETH-USD", key="root")
    assert (response.status_code, response.json()["code"]) == (422, "UNKNOWN_INSTRUMENT")
    assert not harness.bus.published


async def test_sessions_and_days_are_journaled_on_every_shard(harness: Harness) -> None:
    session = {"venue": "SIM", "status": "CLOSED", "trading_date": "2026-03-02"}
    response = await call(harness, "POST", "/v1/admin/trading-session", session, key="root")
    assert (response.status_code, response.json()["outcome"]) == (202, "durable")
    day = {"trading_date": "2026-03-03", "retire_before_ns": NOW_NS}
    await call(harness, "POST", "/v1/admin/roll-day", day, key="root")
    commands = [item.command for item in harness.bus.published]
    assert commands == [
        *[SetTradingSession(venue="SIM", status=TradSesStatus.CLOSED, trading_date="2026-03-02")]
        * 2,
        *[RollDay(trading_date="2026-03-03", retire_before_ns=NOW_NS)] * 2,
    ]
    bad = session | {"trading_date": "March 2"}
    response = await call(harness, "POST", "/v1/admin/trading-session", bad, key="root")
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_FIELD")


async def test_a_position_is_adjusted_in_its_accounts_shard_by_a_named_operator(
    harness: Harness,
) -> None:
    body = {"account": "DEMO", "cl_ord_id": "a-1", "symbol": "X-Y", "qty": "-20", "reason": "give"}
    refused = await call(harness, "POST", "/v1/admin/positions/adjust", body)
    assert refused.json()["code"] == "SCOPE_MISSING"
    await call(harness, "POST", "/v1/admin/positions/adjust", body | {"price": "15"}, key="root")
    (adjusted,) = (item.command for item in harness.bus.published)
    assert adjusted == AdjustPosition(
        account="DEMO",
        cl_ord_id="a-1",
        symbol="X-Y",
        qty=-2,
        price=3,
        actor="ops",
        reason="give",
    )
    off_grid = body | {"qty": "5"}
    response = await call(harness, "POST", "/v1/admin/positions/adjust", off_grid, key="root")
    assert response.json()["code"] == "OFF_GRID"


async def test_a_mass_cancel_is_answered_with_how_many_orders_it_is_about(
    harness: Harness,
) -> None:
    def answer(published: Published, seq: int) -> None:
        command = published.command
        assert isinstance(command, MassCancel)
        report = MassCancelReport(
            account=command.account,
            cl_ord_id=command.cl_ord_id,
            exec_id="E1",
            symbol=command.symbol,
            strategy=command.strategy,
            order_count=7,
            reason=Reason.NONE,
            client=command.client,
            transact_time_ns=NOW_NS,
        )
        harness.output(published.shard, seq, report)

    harness.bus.on_published = answer
    body = {"account": "DEMO", "cl_ord_id": "m-1", "strategy": "s1"}
    response = await call(harness, "POST", "/v1/mass-cancel", body)
    assert response.json()["outcome"] == "accepted"
    assert response.json()["report"]["order_count"] == 7
    everything = {"cl_ord_id": "m-2"}
    response = await call(harness, "POST", "/v1/admin/mass-cancel", everything, key="root")
    assert [row["report"]["order_count"] for row in response.json()["shards"]] == [7, 7]
    assert [item.shard for item in harness.bus.published[1:]] == [0, 1]
