# SPDX-License-Identifier: Apache-2.0
"""Operators' calls about limits, rates and what shards run on: exact, named, never alone."""

from typing import Any

import pytest

from tradewind.common.subjects import shard_of
from tradewind.core.commands import (
    ApproveBuild,
    AskSkip,
    Command,
    RevokeBuild,
    SetAccountLimits,
    SetFxRate,
    SetLimits,
    SetLogic,
)
from tradewind.core.logic import REDUCING_REPLACES

from .conftest import Harness, call

pytestmark = pytest.mark.anyio

LIMITS = {
    "account": "DEMO",
    "symbol": "X-Y",
    "max_order_qty": "100",
    "max_notional": "5000",
    "max_position": "1000",
    "collar_bps": 500,
    "max_reference_age_ms": 10_000,
    "version": 2,
}
GROSS = {"account": "DEMO", "max_gross": "0.5", "max_rate_age_ms": 1_000, "version": 1}
SKIP = {"shard": 1, "seq": 7, "reason": "it cannot be read"}

ACCEPTED: dict[str, tuple[str, dict[str, Any], Command, int]] = {
    "limits": (
        "limits",
        LIMITS,
        SetLimits(
            account="DEMO",
            symbol="X-Y",
            max_order_qty=10,
            max_notional=100,
            max_position=100,
            collar_bps=500,
            max_reference_age_ms=10_000,
            version=2,
            actor="ops",
        ),
        1,
    ),
    "account limits": (
        "account-limits",
        GROSS,
        SetAccountLimits(
            account="DEMO", max_gross_e8=50_000_000, max_rate_age_ms=1_000, version=1, actor="ops"
        ),
        1,
    ),
    "a rate": (
        "fx-rates",
        {"currency": "EUR", "rate": "1.08"},
        SetFxRate(currency="EUR", rate_e9=1_080_000_000),
        2,
    ),
    "logic": (
        "logic",
        {"flag": REDUCING_REPLACES},
        SetLogic(flag=REDUCING_REPLACES, actor="ops"),
        2,
    ),
    "a build": (
        "builds",
        {"build": "b1", "is_approved": True},
        ApproveBuild(build="b1", actor="ops"),
        2,
    ),
    "no build": (
        "builds",
        {"build": "b1", "is_approved": False},
        RevokeBuild(build="b1", actor="ops"),
        2,
    ),
    "a skip": (
        "skip-entry",
        SKIP,
        AskSkip(seq=7, actor="ops", reason="it cannot be read"),
        1,
    ),
}

REFUSED = {
    "an unknown instrument": ("limits", LIMITS | {"symbol": "Q"}, "UNKNOWN_INSTRUMENT"),
    "a quantity off the grid": ("limits", LIMITS | {"max_order_qty": "5"}, "OFF_GRID"),
    "an amount off the grid": ("limits", LIMITS | {"max_notional": "1"}, "OFF_GRID"),
    "a bound of nothing": ("account-limits", GROSS | {"max_gross": "0"}, "NOT_POSITIVE"),
    "a rate of nothing": ("fx-rates", {"currency": "EUR", "rate": "0"}, "NOT_POSITIVE"),
    "a rate that is no number": ("fx-rates", {"currency": "EUR", "rate": "1e3"}, "BAD_NUMBER"),
    "behaviour nobody knows": ("logic", {"flag": "no-such-thing"}, "UNKNOWN_LOGIC"),
    "another's word": ("skip-entry", SKIP | {"second_actor": "kim"}, "UNKNOWN_FIELD"),
    "no such shard": ("skip-entry", SKIP | {"shard": 9}, "UNKNOWN_SHARD"),
    "no version": ("account-limits", GROSS | {"version": 0}, "INVALID_FIELD"),
}


@pytest.mark.parametrize("case", ACCEPTED)
async def test_what_operators_say_is_journaled_exactly(harness: Harness, case: str) -> None:
    path, body, command, shards = ACCEPTED[case]
    response = await call(harness, "POST", f"/v1/admin/{path}", body, key="root")
    assert (response.status_code, response.json()["outcome"]) == (202, "durable")
    assert [item.command for item in harness.bus.published] == [command] * shards
    if isinstance(command, SetLimits | SetAccountLimits):
        assert harness.bus.published[0].shard == shard_of("DEMO", 2)
    if isinstance(command, AskSkip):
        assert harness.bus.published[0].shard == 1


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_meant_is_refused(harness: Harness, case: str) -> None:
    path, body, code = REFUSED[case]
    response = await call(harness, "POST", f"/v1/admin/{path}", body, key="root")
    assert response.json()["code"] == code
    assert not harness.bus.published


@pytest.mark.parametrize("case", ACCEPTED)
async def test_only_operators_may_say_it(harness: Harness, case: str) -> None:
    path, body, _command, _shards = ACCEPTED[case]
    response = await call(harness, "POST", f"/v1/admin/{path}", body)
    assert response.json()["code"] == "SCOPE_MISSING"
    assert not harness.bus.published
