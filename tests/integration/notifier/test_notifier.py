# SPDX-License-Identifier: Apache-2.0
"""A real notifier on a real bus, and a receiver: nothing is lost, whatever is killed or absent.

`pytest -s` shows how long after an alert is stored its webhook is called.
"""

import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from faststream import AckPolicy

from tests.integration.conftest import Connect
from tests.unit.notifier.receiver import SECRET, Receiver
from tradewind.common import alerts, kills, permissions, streams, subjects
from tradewind.common.alerts import Alert
from tradewind.common.errors import SettingsError
from tradewind.common.jetstream import Bus, KeyValue
from tradewind.common.kills import Kill
from tradewind.common.lease import Holder
from tradewind.common.lifecycle import Stop
from tradewind.common.settings import ServiceSettings
from tradewind.common.testing import LocalCluster, eventually
from tradewind.notifier import hearing
from tradewind.notifier.app import serve
from tradewind.notifier.hearing import Hearing, Paced
from tradewind.notifier.settings import Settings
from tradewind.notifier.teller import Outcome, Teller

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

MEASURED = 60
CONSUMER = f"CONSUMER.INFO.{subjects.ALERTS_STREAM}.{subjects.ALERTS_READER}"


def alert(name: str, **other: Any) -> Alert:
    told = {"control": "C05", "scope": "account:DEMO", "text": "too many", "owner": "operator"}
    return Alert(alert_id=name, raised_ns=time.time_ns(), **{**told, **other})


class Notifier:
    """The process."""

    def __init__(self, cluster: LocalCluster, folder: Path) -> None:
        self._folder = folder
        for name, text in (("bus", cluster.config.passwords["notifier"]), ("hook", SECRET)):
            (folder / name).write_text(text)
        self._env = {
            "TRADEWIND_NATS_URLS": ",".join(cluster.urls),
            "TRADEWIND_NATS_USER": "notifier",
            "TRADEWIND_NATS_PASSWORD_FILE": str(folder / "bus"),
            "TRADEWIND_INSTANCE": "notifier-0",
            "TRADEWIND_SHARDS": str(cluster.shards),
            "TRADEWIND_STATE_DIR": str(folder),
            "TRADEWIND_WEBHOOK_SECRET_FILE": str(folder / "hook"),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, receiver: Receiver) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradewind.notifier"],
                stderr=log,
                env={**os.environ, **self._env, "TRADEWIND_WEBHOOK_URL": receiver.url},
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def end(self) -> int:
        assert self._process is not None
        self._process.terminate()
        code, self._process = self._process.wait(10), None
        return code

    def log(self) -> str:
        return (self._folder / "log").read_text()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as opened:
        yield opened


@pytest.fixture
def notifier(cluster: LocalCluster, tmp_path: Path) -> Iterator[Notifier]:
    process = Notifier(cluster, tmp_path)
    yield process
    process.kill()


@pytest.fixture
async def serving(cluster: LocalCluster, tmp_path: Path, receiver: Receiver) -> AsyncIterator[None]:
    """The same, in this process: nothing has to be killed."""
    service = ServiceSettings(
        bus=cluster.settings("notifier"),
        instance="notifier-1",
        shards=cluster.shards,
        state_dir=tmp_path,
        status_interval_ms=500,
    )
    stop = Stop()
    task = asyncio.ensure_future(
        serve(Settings(service=service, url=receiver.url, secret=SECRET), stop)
    )
    yield
    stop.set()
    await task


@pytest.fixture
async def bucket(connect: Connect) -> KeyValue:
    return KeyValue(await connect("risk"), alerts.BUCKET)


async def put(bucket: KeyValue, said: Alert) -> int:
    return await bucket.put(alerts.key_of(said.alert_id), alerts.encode(said))


async def is_all_acknowledged(bus: Bus) -> bool:
    found = await bus.api(CONSUMER)
    return bool(found["num_pending"] == found["num_ack_pending"] == 0)


async def test_an_alert_is_told_when_it_is_raised_handed_on_and_taken(
    notifier: Notifier, receiver: Receiver, bucket: KeyValue, capsys: pytest.CaptureFixture[str]
) -> None:
    notifier.start(receiver)
    name = secrets.token_hex(4)
    raised = alert(name)
    escalated = msgspec.structs.replace(raised, owner="supervisor", is_escalated=True)
    taken = msgspec.structs.replace(escalated, acknowledged_by="second", note="seen")
    expected: list[str] = []
    for said, event in ((raised, "open"), (escalated, "escalated"), (taken, "acknowledged")):
        await put(bucket, said)
        expected.append(event)
        await eventually(lambda: receiver.events(name) == expected, 20.0)
    took_ms = []
    for number in range(MEASURED):
        began_s = time.monotonic()
        await put(bucket, alert(f"{name}-{number}"))
        await eventually(partial(receiver.events, f"{name}-{number}"))
        took_ms.append((receiver.at_s[-1] - began_s) * 1000)
    with capsys.disabled():
        middle, worst = statistics.median(took_ms), max(took_ms)
        print(f"\n{MEASURED} alerts: told after {middle:.1f} ms p50, {worst:.1f} ms at worst")
    assert notifier.end() == 0, notifier.log()


async def test_nothing_is_lost_over_an_absent_receiver_and_kill_9_in_the_middle_of_a_call(
    notifier: Notifier, receiver: Receiver, bucket: KeyValue, connect: Connect
) -> None:
    name, admin = secrets.token_hex(4), await connect()
    receiver.is_hanging = True
    notifier.start(receiver)
    await put(bucket, alert(f"{name}-called"))
    await eventually(lambda: receiver.begun, 20.0)
    notifier.kill()
    await receiver.close()
    receiver.is_hanging = False
    for number in range(3):
        await put(bucket, alert(f"{name}-dead-{number}"))
    notifier.start(receiver)
    await eventually(lambda: "was not taken" in notifier.log(), 20.0)
    await put(bucket, alert(f"{name}-absent"))
    await receiver.open()
    expected = [f"{name}-{it}" for it in ("called", "dead-0", "dead-1", "dead-2", "absent")]
    await eventually(lambda: all(receiver.events(it) for it in expected), 30.0)
    await eventually(lambda: is_all_acknowledged(admin), 20.0)


async def test_what_cannot_be_read_or_is_refused_is_told_and_the_next_is_told_as_ever(
    serving: None, receiver: Receiver, bucket: KeyValue, connect: Connect
) -> None:
    name, admin = secrets.token_hex(4), await connect()
    unreadable = await bucket.put(alerts.key_of(f"{name}-bad"), b"1")
    await eventually(lambda: receiver.events(f"undeliverable-{unreadable}"), 20.0)
    receiver.statuses = [422]
    refused = await put(bucket, alert(f"{name}-refused"))
    await eventually(lambda: receiver.events(f"undeliverable-{refused}"))
    await put(bucket, alert(f"{name}-good"))
    await eventually(lambda: receiver.events(f"{name}-good"))
    details = {call["dedup_key"]: call["payload"]["custom_details"] for call in receiver.calls}
    assert details[f"undeliverable-{unreadable}"]["code"] == "ALERT_UNREADABLE"
    assert details[f"undeliverable-{refused}"]["code"] == "NOTICE_REFUSED"
    await eventually(lambda: is_all_acknowledged(admin))


async def test_a_change_that_the_next_one_overtook_is_not_told_any_more(
    serving: None, receiver: Receiver, bucket: KeyValue, connect: Connect
) -> None:
    name, admin = secrets.token_hex(4), await connect()
    raised = alert(name)
    receiver.statuses = [503]
    await put(bucket, raised)
    await eventually(lambda: receiver.begun)
    await put(bucket, msgspec.structs.replace(raised, acknowledged_by="second"))
    await eventually(lambda: receiver.events(name) == ["acknowledged"])
    await eventually(lambda: is_all_acknowledged(admin))
    assert receiver.events(name) == ["acknowledged"]


async def test_a_kill_and_the_end_of_a_process_are_told_once_each(
    serving: None, receiver: Receiver, bucket: KeyValue, connect: Connect
) -> None:
    name, gateway = secrets.token_hex(4), await connect("gateway")
    await put(bucket, alert(name))
    await eventually(lambda: receiver.events(name), 20.0)
    kill = Kill(scope="firm", kill_id=name, actor="kim", reason="a test")
    for _ in range(5):
        kills.say(gateway, kill)
    kills.say(gateway, msgspec.structs.replace(kill, is_cleared=True))
    orchestrator = await connect("orchestrator")
    orchestrator.tell(subjects.process_ended(), msgspec.json.encode(Holder(name, 4711)))
    await eventually(lambda: "cleared" in receiver.events(f"kill-firm-{name}"))
    await eventually(lambda: receiver.events(f"ended-{name}") == ["ended"])
    assert receiver.events(f"kill-firm-{name}") == ["killed", "cleared"]


class Failing(Teller):
    """Raises at the first attempt."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def tell_alert(self, key: str, revision: int, said: Alert | str) -> Outcome:
        self.heard.append(key)
        if self.heard.count(key) == 1:
            raise RuntimeError("a mistake in the code")
        return Outcome.TOLD


async def heard_by_a_failing_handler(
    cluster: LocalCluster, bucket: KeyValue, admin: Bus, count: int
) -> Hearing:
    """Until the alert was heard so often and the consumer has nothing left."""
    key, teller = alerts.key_of(secrets.token_hex(4)), Failing()
    it = Hearing(cluster.settings("notifier"), "test", teller)
    await it.start()
    try:
        await bucket.put(key, b"{}")
        subject = f"$KV.ALERTS.{key}"
        await eventually(lambda: teller.heard.count(subject) == count, 15.0)
        await eventually(lambda: is_all_acknowledged(admin), 15.0)
    finally:
        await it.stop()
    assert teller.heard.count(subject) == count
    return it


async def test_an_alert_at_which_a_handler_fails_comes_again(
    cluster: LocalCluster, bucket: KeyValue, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    it = await heard_by_a_failing_handler(cluster, bucket, await connect(), 2)
    assert it.errors == 1
    assert "NOTIFIER_ERROR" in caplog.text
    assert "a mistake in the code" in caplog.text


async def test_with_the_frameworks_own_policy_it_would_be_lost(
    cluster: LocalCluster, bucket: KeyValue, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "POLICY", AckPolicy.REJECT_ON_ERROR)
    await heard_by_a_failing_handler(cluster, bucket, await connect(), 1)


async def test_nothing_is_declared_and_a_consumer_that_is_missing_is_named(
    connect: Connect,
) -> None:
    admin, own = await connect(), await connect("notifier")
    place = (subjects.ALERTS_STREAM, subjects.ALERTS_READER)
    await streams.require_consumer(own, *place)
    with pytest.raises(SettingsError, match="KV_ALERTS has no consumer other") as missing:
        await streams.require_consumer(own, place[0], "other")
    assert missing.value.code == "CONSUMER_MISSING"
    granted = permissions.users(2)["notifier"].publish
    assert not [subject for subject in granted if "CREATE" in subject or "UPDATE" in subject]
    wanted = streams.CONSUMERS(2)[place]
    found = (await admin.api(CONSUMER))["config"]
    assert {name: found[name] for name in wanted} == wanted


async def test_a_connection_that_is_lost_is_made_again_and_so_may_be_the_consumer(
    cluster: LocalCluster, bucket: KeyValue, connect: Connect
) -> None:
    teller = Failing()
    it = Hearing(cluster.settings("notifier"), "test", teller)
    await it.start()
    try:
        client = await it.broker.connect()
        assert client.connected_url is not None
        client._transport.close()  # type: ignore[union-attr]
        await eventually(lambda: client.stats["reconnects"] and it.is_connected)
        await bucket.put("alert.test-1", b"{}")
        await eventually(lambda: "$KV.ALERTS.alert.test-1" in teller.heard)
        admin = await connect()
        await admin.api(CONSUMER.replace("INFO", "DELETE"), timeout_s=10)
        await streams.create_all(admin, 2)
        await bucket.put("alert.test-2", b"{}")
        await eventually(lambda: "$KV.ALERTS.alert.test-2" in teller.heard)
        assert isinstance(it._alerts.subscription, Paced)
    finally:
        await it.stop()
