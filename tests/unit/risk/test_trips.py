# SPDX-License-Identifier: Apache-2.0
"""Which outputs are alerts, and how they are told apart."""

import dataclasses

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


def state(scope: str, trading_state: TradingState, reason: str) -> TradingStateSet:
    return TradingStateSet(scope=scope, state=trading_state, actor="ann", reason=reason)


@pytest.mark.parametrize(
    ("event", "control", "scope", "part"),
    [
        (
            state("account:A", TradingState.HALTED, "loss"),
            "",
            "account:A",
            "loss",
        ),
        (state("firm", TradingState.REDUCING, "C25"), "", "firm", "REDUCING"),
        (KILLED, "C28", "firm", "ann"),
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


def test_denials_of_one_account_for_one_reason_are_one_alert() -> None:
    found = [alert_of(0, ordinal, 5, DENIED, "desk") for ordinal in (1, 2)]
    other = alert_of(0, 3, 5, dataclasses.replace(DENIED, account="ELSE"), "desk")
    assert found[0] is not None
    assert found[1] is not None
    assert other is not None
    assert found[0].alert_id == found[1].alert_id != other.alert_id
    assert found[0].control == "C01"
