# SPDX-License-Identifier: Apache-2.0
"""Operators' calls about scopes: exact amounts, the right shards, the person's own name."""

from typing import Any

import pytest

from tradewind.common.kills import Kill
from tradewind.common.subjects import shard_of
from tradewind.core.commands import (
    ApproveLimits,
    ClearKill,
    Command,
    DivideBounds,
    KillScope,
    SetScopeLimits,
)
from tradewind.gateway.openapi import DOCUMENT

from .conftest import ORDER, Harness, call

pytestmark = pytest.mark.anyio

OPEN_TO_ALL = ("/livez", "/readyz", "/v1/openapi.json")
OURS = f"account:{'DEMO'}"
ACCEPTED: dict[str, tuple[str, dict[str, Any], Command, int]] = {
    "amounts and counts of the firm": (
        "scope-limits",
        {
            "scope": "firm",
            "version": 3,
            "max_gross": "1000.5",
            "max_messages": 100,
            "message_window_ms": 500,
            "max_losses": 4,
            "loss_window_ms": 60_000,
            "allows_gtc": False,
            "allows_self_match": True,
        },
        SetScopeLimits(
            scope="firm",
            version=3,
            actor="ops",
            max_gross_e8=100_050_000_000,
            max_messages=100,
            message_window_ms=500,
            max_losses=4,
            loss_window_ms=60_000,
            allows_gtc=0,
            allows_self_match=1,
        ),
        2,
    ),
    "quantities of an instrument": (
        "scope-limits",
        {"scope": "account:*/symbol:X-Y", "version": 1, "max_long": "100", "expires_ns": 9},
        SetScopeLimits(
            scope="account:*/symbol:X-Y", version=1, actor="ops", max_long=10, expires_ns=9
        ),
        2,
    ),
    "an account, in its shard": (
        "scope-limits",
        {"scope": OURS, "version": 1, "approved_build": "b1"},
        SetScopeLimits(scope=OURS, version=1, actor="ops", approved_build="b1"),
        1,
    ),
    "an approval": (
        "approve-limits",
        {"subject": "SetScopeLimits strategy:*", "version": 4},
        ApproveLimits(subject="SetScopeLimits strategy:*", version=4, actor="ops"),
        2,
    ),
    "an approval for an account": (
        "approve-limits",
        {"subject": f"SetLimits {OURS}/symbol:X-Y", "version": 4},
        ApproveLimits(subject=f"SetLimits {OURS}/symbol:X-Y", version=4, actor="ops"),
        1,
    ),
    "a division": (
        "divide-bounds",
        {},
        DivideBounds(shards=2, is_new=False, actor="ops"),
        2,
    ),
}
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a quantity of no instrument": (
        "scope-limits",
        {"scope": "firm", "version": 1, "max_long": "1"},
        "UNKNOWN_INSTRUMENT",
    ),
    "no such scope": ("scope-limits", {"scope": "desk:1", "version": 1}, "INVALID_FIELD"),
    "too much to remember": (
        "scope-limits",
        {"scope": "firm", "version": 1, "max_messages": 10_001},
        "INVALID_FIELD",
    ),
    "an amount that is no decimal": (
        "scope-limits",
        {"scope": "firm", "version": 1, "max_net": "1e9"},
        "BAD_NUMBER",
    ),
    "an actor of one's own choosing": (
        "approve-limits",
        {"subject": "SetScopeLimits firm", "version": 1, "actor": "kim"},
        "UNKNOWN_FIELD",
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
async def test_what_operators_say_is_journaled_exactly(harness: Harness, case: str) -> None:
    path, body, command, shards = ACCEPTED[case]
    response = await call(harness, "POST", f"/v1/admin/{path}", body, key="root")
    assert (response.status_code, response.json()["outcome"]) == (202, "durable")
    assert [item.command for item in harness.bus.published] == [command] * shards
    if shards == 1:
        assert harness.bus.published[0].shard == shard_of("DEMO", 2)


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


KILL = {"scope": "account:DEMO", "kill_id": "k-1", "reason": "drill"}


async def test_a_kill_stops_orders_before_the_journal_has_it_and_lets_cancels_pass(
    harness: Harness,
) -> None:
    harness.kills.take(Kill(scope="firm", kill_id="k", actor="ann", reason="drill"))
    refused = await call(harness, "POST", "/v1/orders", ORDER)
    assert refused.json()["code"] == "KILLED"
    assert not harness.bus.published
    path = "/v1/orders/c-0?account=DEMO&request_id=x-1"
    assert (await call(harness, "DELETE", path)).status_code == 202


async def test_a_kill_is_told_at_once_and_journaled_in_the_operators_name(
    harness: Harness,
) -> None:
    response = await call(harness, "POST", "/v1/admin/kill", KILL, key="root")
    assert response.json()["outcome"] == "durable"
    assert harness.kills.scopes == ["account:DEMO"]
    assert [item.command for item in harness.bus.published] == [
        KillScope(scope="account:DEMO", kill_id="k-1", actor="ops", reason="drill")
    ]


async def test_clearing_is_journaled_and_opens_nothing_by_itself(harness: Harness) -> None:
    await call(harness, "POST", "/v1/admin/kill", KILL, key="root")
    clear = {"scope": "account:DEMO", "kill_id": "k-1", "root_cause": "I-1"}
    await call(harness, "POST", "/v1/admin/clear-kill", clear, key="root")
    assert harness.bus.published[-1].command == ClearKill(
        scope="account:DEMO", kill_id="k-1", actor="ops", root_cause="I-1"
    )
    assert harness.kills.scopes == ["account:DEMO"]


@pytest.mark.parametrize(
    ("scope", "is_stopped"),
    [
        ("firm", True),
        ("symbol:BTC-USD", True),
        ("strategy:s1", True),
        ("account:OTHER", False),
        ("strategy:other", False),
    ],
)
async def test_a_kill_stops_its_scope_alone(harness: Harness, scope: str, is_stopped: bool) -> None:
    harness.kills.take(Kill(scope=scope, kill_id="k", actor="ann", reason="drill"))
    answer = await call(harness, "POST", "/v1/orders", ORDER)
    assert (answer.status_code == 403) is is_stopped


async def test_a_kill_key_stops_and_does_nothing_else(harness: Harness) -> None:
    paths = [(method, path) for path, of in DOCUMENT["paths"].items() for method in of]
    signed = [(method.upper(), path) for method, path in paths if path not in OPEN_TO_ALL]
    allowed = {("POST", "/v1/admin/kill"), ("GET", "/v1/admin/kills")}
    assert allowed <= set(signed)
    for method, path in set(signed) - allowed:
        target = path.replace("{cl_ord_id}", "c-1").replace("{symbol}", "X-Y")
        response = await call(harness, method, target, key="stop")
        assert (response.status_code, response.json()["code"]) == (403, "SCOPE_MISSING"), path
    response = await call(harness, "POST", "/v1/admin/kill", KILL, key="stop")
    assert response.status_code in (200, 202)
    assert harness.kills.scopes == [KILL["scope"]]
    response = await call(harness, "POST", "/v1/admin/kill", KILL, key="k1")
    assert response.json()["code"] == "SCOPE_MISSING"
