# SPDX-License-Identifier: Apache-2.0
"""Least privilege, against a real server: for each user what is allowed and what is not."""

import pytest

from tests.integration.conftest import Connect
from tradewind.common import permissions
from tradewind.common.errors import Refused
from tradewind.common.jetstream import Bus

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

NEVER = 10**12
"""An expected sequence that no stream has: allowed publishes are refused without being stored."""

ALLOWED = [
    ("admin", "$JS.API.STREAM.INFO.JOURNAL_0"),
    ("gateway", "journal.0.cmd.DEMO"),
    ("gateway", "journal.1.control.SetTradingState"),
    ("gateway", "journal.1.control.SetScopeLimits"),
    ("gateway", "kill.switch"),
    ("gateway", "nonce.used"),
    ("gateway", "fix.trader"),
    ("gateway", "$KV.ALERTS.alert.a-1"),
    ("risk", "$KV.ALERTS.alert.a-1"),
    ("risk", "$KV.ALERTS.heard.0"),
    ("gateway", "query.gateway.nonces"),
    ("gateway", "journal.1.control.KillScope"),
    ("gateway", "journal.0.control.ApproveLimits"),
    ("gateway", "query.oms.0.orders"),
    ("gateway", "$KV.STATUS.gateway.a"),
    ("oms", "events.1.venue.SIM"),
    ("oms", "journal.0.control.AdvanceTime"),
    ("oms", "digest.0"),
    ("oms", "$JS.API.CONSUMER.INFO.EVENTS_0.oms"),
    ("risk", "journal.0.control.SetReferencePrice"),
    ("marketdata", "md.SIM.BTC-USD.nothing"),
    ("venue", "journal.0.venue.SIM"),
    ("venue", "query.oms.0.to-cancel"),
    ("archiver", "$JS.API.DIRECT.GET.JOURNAL_1"),
    ("orchestrator", "query.oms.0.state"),
    ("console", "query.risk.positions"),
    ("auditor", "query.oms.1.digests"),
    ("telemetry", "$JS.API.DIRECT.GET.EVENTS_0"),
    ("notifier", "$JS.API.CONSUMER.INFO.KV_ALERTS.notifier"),
    ("notifier", "$JS.ACK.KV_ALERTS.notifier.1"),
    ("bench", "journal.1.cmd.BENCH0"),
    ("bench", "raw.0"),
]

DENIED = [
    ("gateway", "journal.0.venue.SIM"),
    ("gateway", "events.0.order.DEMO"),
    ("gateway", "journal.0.control.SetReferencePrice"),
    ("gateway", "$KV.STATUS.oms.a"),
    ("gateway", "$JS.API.STREAM.PURGE.FIX"),
    ("risk", "fix.trader"),
    ("gateway", "$KV.ALERTS.heard.0"),
    ("console", "$KV.ALERTS.alert.a-1"),
    ("oms", "journal.0.cmd.DEMO"),
    ("oms", "$JS.API.STREAM.PURGE.EVENTS_0"),
    ("oms", "$JS.API.CONSUMER.RESET.EVENTS_0.venue"),
    ("risk", "journal.0.cmd.DEMO"),
    ("risk", "journal.0.control.ApproveLimits"),
    ("venue", "kill.switch"),
    ("bench", "kill.switch"),
    ("console", "nonce.used"),
    ("risk", "events.0.risk.TradingStateSet"),
    ("marketdata", "journal.0.control.SetReferencePrice"),
    ("venue", "journal.0.cmd.DEMO"),
    ("venue", "query.oms.0.orders"),
    ("venue", "$JS.API.STREAM.DELETE.EVENTS_0"),
    ("archiver", "$JS.API.STREAM.PURGE.JOURNAL_0"),
    ("archiver", "events.0.order.DEMO"),
    ("orchestrator", "journal.0.control.SetTradingState"),
    ("console", "journal.0.control.SetTradingState"),
    ("auditor", "$JS.API.STREAM.UPDATE.AUDIT"),
    ("auditor", "audit.x"),
    ("telemetry", "archive.stored"),
    ("notifier", "$KV.ALERTS.alert.a-1"),
    ("notifier", "kill.switch"),
    ("notifier", "process.ended"),
    ("notifier", "$JS.API.CONSUMER.CREATE.KV_ALERTS.notifier"),
    ("notifier", "$JS.API.CONSUMER.RESET.KV_ALERTS.notifier"),
    ("notifier", "$JS.API.STREAM.UPDATE.KV_ALERTS"),
    ("notifier", "$JS.API.DIRECT.GET.EVENTS_0"),
    ("telemetry", "journal.0.cmd.DEMO"),
    ("bench", "events.0.order.BENCH0"),
    ("bench", "$JS.API.STREAM.CREATE.RAW_0"),
]

HEARD = [
    ("gateway", "live.events.0.>"),
    ("oms", "live.journal.1.>"),
    ("venue", "live.events.1.>"),
    ("risk", "md.*.*.*"),
    ("archiver", "live.journal.0.>"),
    ("console", "live.$KV.STATUS.>"),
    ("archiver", "archive.stored"),
    ("archiver", "process.ended"),
    ("notifier", "kill.switch"),
    ("notifier", "process.ended"),
]

NOT_HEARD = [
    ("gateway", "live.journal.0.>"),
    ("gateway", "_IB.oms.>"),
    ("venue", "journal.0.>"),
    ("console", ">"),
    ("bench", "_IB.gateway.>"),
    ("bench", "nonce.used"),
    ("notifier", "live.$KV.ALERTS.>"),
    ("notifier", "live.events.0.>"),
    ("marketdata", "live.events.0.>"),
    ("oms", "$JS.API.>"),
]


async def may_publish(bus: Bus, subject: str) -> bool:
    try:
        await bus.publish(subject, b"", expected_last_seq=NEVER)
    except Refused as refusal:
        return refusal.code != "BUS_FORBIDDEN"
    raise AssertionError(f"{subject} was stored")


@pytest.mark.parametrize(("user", "subject"), ALLOWED)
async def test_a_user_may_say_what_its_service_says(
    connect: Connect, user: str, subject: str
) -> None:
    bus = await connect(user)
    if subject.startswith("$JS.API"):
        assert isinstance(await bus.request(subject), bytes)
    else:
        assert await may_publish(bus, subject)


@pytest.mark.parametrize(("user", "subject"), DENIED)
async def test_a_user_may_say_nothing_else_and_is_told_so(
    connect: Connect, user: str, subject: str
) -> None:
    assert not await may_publish(await connect(user), subject)


@pytest.mark.parametrize(("user", "subject"), HEARD)
async def test_a_user_may_hear_what_its_service_reads(
    connect: Connect, user: str, subject: str
) -> None:
    await (await connect(user)).subscribe(subject, lambda _message: None)


@pytest.mark.parametrize(("user", "subject"), NOT_HEARD)
async def test_a_user_may_hear_nothing_else_and_is_told_so(
    connect: Connect, user: str, subject: str
) -> None:
    bus = await connect(user)
    with pytest.raises(Refused, match=f"{user} may not subscribe") as refusal:
        await bus.subscribe(subject, lambda _message: None)
    assert refusal.value.code == "BUS_FORBIDDEN"


def test_every_user_has_both_an_allowed_and_a_denied_example() -> None:
    limited = set(permissions.NAMES) - {"admin"}
    assert limited <= {user for user, _subject in ALLOWED}
    assert limited <= {user for user, _subject in DENIED}
