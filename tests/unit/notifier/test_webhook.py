# SPDX-License-Identifier: Apache-2.0
"""One call: signed, in a shape that others understand, and what its answers mean."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from msgspec.structs import replace

from tests.unit.notifier.receiver import SECRET, Receiver, is_ours
from tradewind.common.alerts import Alert
from tradewind.common.kills import Kill
from tradewind.common.lease import Holder
from tradewind.notifier import notices, webhook
from tradewind.notifier.webhook import Answer, Webhook, signature

pytestmark = pytest.mark.anyio

ALERT = Alert(
    alert_id="denied-0-DEMO-MAX_ORDER_QTY",
    control="C05",
    scope="account:DEMO",
    text="order <!channel> & more denied",
    owner="operator",
    raised_ns=1_700_000_000_123_456_789,
)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as opened:
        yield opened


@pytest.fixture
async def hook(receiver: Receiver) -> AsyncIterator[Webhook]:
    async with aiohttp.ClientSession() as session:
        yield Webhook(session, receiver.url, SECRET)


async def test_a_receiver_can_tell_that_a_call_is_ours(receiver: Receiver, hook: Webhook) -> None:
    assert await hook.post(notices.of_alert(ALERT, 7)) is Answer.TAKEN
    assert receiver.calls == [json.loads(notices.of_alert(ALERT, 7).body)]


def test_another_body_another_secret_and_an_old_call_are_seen_through() -> None:
    header = signature(SECRET, 1_000, b"body")
    assert is_ours(header, b"body", SECRET, 1_001)
    assert not is_ours(header, b"other", SECRET, 1_001)
    assert not is_ours(header, b"body", "other", 1_001)
    assert not is_ours(header, b"body", SECRET, 2_000)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, Answer.TAKEN),
        (302, Answer.FAILED),
        (400, Answer.REFUSED),
        (401, Answer.FAILED),
        (404, Answer.FAILED),
        (413, Answer.REFUSED),
        (422, Answer.REFUSED),
        (429, Answer.FAILED),
        (500, Answer.FAILED),
    ],
)
async def test_an_answer_means_taken_never_or_not_now(
    receiver: Receiver, hook: Webhook, status: int, answer: Answer
) -> None:
    receiver.statuses = [status]
    assert await hook.post(notices.of_alert(ALERT, 7)) is answer


async def test_a_receiver_that_is_absent_or_hangs_is_called_again(
    receiver: Receiver, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.1)
    receiver.is_hanging = True
    assert await hook.post(notices.of_alert(ALERT, 7)) is Answer.FAILED
    await receiver.close()
    assert await hook.post(notices.of_alert(ALERT, 7)) is Answer.FAILED


async def test_a_log_never_has_the_address_nor_the_secret(
    receiver: Receiver, hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [500]
    await hook.post(notices.of_alert(ALERT, 7))
    await receiver.close()
    await hook.post(notices.of_alert(ALERT, 7))
    said = [record for record in caplog.records if record.name.startswith("tradewind")]
    assert len(said) == 2
    assert "token" not in caplog.text
    assert SECRET not in caplog.text


def test_an_alert_is_one_incident_with_a_notice_for_each_change() -> None:
    handed_on = replace(ALERT, owner="supervisor", is_escalated=True)
    taken = replace(handed_on, acknowledged_by="kim", note="is looked at")
    told = [notices.of_alert(alert, n) for n, alert in enumerate((ALERT, handed_on, taken), 7)]
    assert [(it.event, it.event_action, it.payload.severity) for it in told] == [
        ("open", "trigger", "error"),
        ("escalated", "trigger", "critical"),
        ("acknowledged", "acknowledge", "info"),
    ]
    assert {it.dedup_key for it in told} == {ALERT.alert_id}
    assert [it.notice_id for it in told] == [f"{ALERT.alert_id}.{n}" for n in (7, 8, 9)]
    assert told[0].payload.timestamp == "2023-11-14T22:13:20.123+00:00"


def test_a_clients_words_are_no_markup_of_a_chat() -> None:
    told = notices.of_alert(ALERT, 7)
    assert "&lt;!channel&gt; &amp; more" in told.text
    assert "<!channel> & more" in told.payload.summary


def test_a_long_text_is_cut_where_it_is_a_summary_only() -> None:
    alert = replace(ALERT, text="x" * 5_000)
    told = notices.of_alert(alert, 7)
    assert len(told.payload.summary) == notices.TEXT_MAX
    assert told.payload.custom_details["text"] == "x" * 5_000


def test_a_kill_is_over_under_the_key_under_which_it_began() -> None:
    kill = Kill(scope="firm", kill_id="k-1", actor="kim", reason="prices")
    over = Kill(scope="firm", kill_id="k-1", actor="kim", reason="INC-7", is_cleared=True)
    told = [notices.of_kill(kill), notices.of_kill(over)]
    assert [(it.event, it.event_action) for it in told] == [
        ("killed", "trigger"),
        ("cleared", "resolve"),
    ]
    assert told[0].dedup_key == told[1].dedup_key
    assert told[0].notice_id != told[1].notice_id


def test_ends_of_a_process_are_one_incident() -> None:
    first, second = (notices.of_end(Holder("risk-0", pid)) for pid in (1, 2))
    assert first.dedup_key == second.dedup_key == "ended-risk-0"
    assert first.notice_id != second.notice_id
