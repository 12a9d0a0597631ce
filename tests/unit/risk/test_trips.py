# SPDX-License-Identifier: Apache-2.0
"""Which outputs are alerts, and how they are told apart."""

import dataclasses
import re

import pytest

from tests.unit.risk.test_book import ACCEPTED
from tradewind.core.events import (
    DivergenceReported,
    EntrySkipped,
    Event,
    OrderAdopted,
    ReportIgnored,
    ScopeKilled,
    TimeAdvanced,
    TradingStateSet,
)
from tradewind.core.types import ExecType, OrdStatus, Reason, Side, TradingState
from tradewind.risk.reconcile.breaker import ACTOR
from tradewind.risk.trips import alert_of

DENIED = dataclasses.replace(
    ACCEPTED,
    exec_type=ExecType.DENIED,
    ord_status=OrdStatus.DENIED,
    reason=Reason.MAX_ORDER_QTY,
    text="C01: too many",
)
ADOPTED = OrderAdopted(
    venue="SIM", account="A", order_id="o", cl_ord_id="", venue_order_id="V9", symbol="S",
    side=Side.BUY, order_qty=1, price=1,
)  # fmt: skip
IGNORED = ReportIgnored(
    venue="SIM", order_id="", venue_exec_id="E", exec_type=ExecType.TRADE, text="whose?"
)
KILLED = ScopeKilled(scope="firm", kill_id="k", actor="ann", reason="why", ts_ns=1, order_count=3)


def state(
    scope: str, trading_state: TradingState, reason: str, actor: str = "ann"
) -> TradingStateSet:
    return TradingStateSet(scope=scope, state=trading_state, actor=actor, reason=reason)


@pytest.mark.parametrize(
    ("event", "control", "scope", "part"),
    [
        (ADOPTED, "C35", "account:A", "V9"),
        (IGNORED, "C35", "venue:SIM", "whose?"),
        (DivergenceReported(seq=7, digest="d", instance="oms-2"), "", "shard", "oms-2"),
        (
            EntrySkipped(seq=7, actor="ann", second_actor="bob", reason="poison"),
            "",
            "shard",
            "poison",
        ),
    ],
)
def test_what_a_person_has_to_look_at_is_an_alert_of_its_own(
    event: Event, control: str, scope: str, part: str
) -> None:
    first, second = (alert_of(1, ordinal, 5, event, "desk") for ordinal in (8, 9))
    assert first is not None
    assert second is not None
    assert (first.control, first.scope, first.owner, first.raised_ns) == (control, scope, "desk", 5)
    assert part in first.text
    assert first.alert_id != second.alert_id
    assert first.is_open


@pytest.mark.parametrize(
    "event",
    [
        ACCEPTED,
        TimeAdvanced(ts_ns=5),
        state("firm", TradingState.ACTIVE, "again"),
        dataclasses.replace(IGNORED, order_id="o-1"),
        dataclasses.replace(DENIED, reason=Reason.UNKNOWN_ORDER),
    ],
)
def test_what_is_in_order_is_none(event: Event) -> None:
    assert alert_of(0, 1, 5, event, "desk") is None


@pytest.mark.parametrize(
    ("event", "other", "control", "scope", "part"),
    [
        (DENIED, dataclasses.replace(DENIED, account="ELSE"), "C01", "account:A", "too many"),
        (KILLED, dataclasses.replace(KILLED, kill_id="k.2"), "C28", "firm", "ann"),
        (
            state("account:A", TradingState.HALTED, "loss"),
            state("account_A", TradingState.HALTED, "loss"),
            "",
            "account:A",
            "loss",
        ),
        (
            state("firm", TradingState.REDUCING, "C25"),
            state("firm", TradingState.HALTED, "C25"),
            "",
            "firm",
            "REDUCING",
        ),
        (
            state("symbol:S", TradingState.HALTED, "x", ACTOR),
            state("symbol:T", TradingState.HALTED, "x", ACTOR),
            "C35",
            "symbol:S",
            "HALTED",
        ),
        (
            state("strategy:s", TradingState.REDUCING, "C27 4 losses in a row"),
            state("strategy:t", TradingState.REDUCING, "C27 4 losses in a row"),
            "",
            "strategy:s",
            "C27 4",
        ),
    ],
)
def test_what_is_said_often_and_by_every_shard_is_one_alert(
    event: Event, other: Event, control: str, scope: str, part: str
) -> None:
    first, again, different = (
        alert_of(shard, 8, 5, each, "desk") for shard, each in ((0, event), (0, event), (0, other))
    )
    assert first is not None
    assert again is not None
    assert different is not None
    assert first.alert_id == again.alert_id != different.alert_id
    assert (first.control, first.scope) == (control, scope)
    assert part in first.text


@pytest.mark.parametrize("event", [KILLED, state("account:A/symbol:*", TradingState.HALTED, "")])
def test_a_scope_that_spans_shards_is_stopped_once(event: Event) -> None:
    ids = {alert.alert_id for shard in (0, 1) if (alert := alert_of(shard, 8, 5, event, "desk"))}
    assert len(ids) == 1
    assert re.fullmatch(r"[A-Za-z0-9_-]+", ids.pop())
