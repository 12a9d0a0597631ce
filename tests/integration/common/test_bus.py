# SPDX-License-Identifier: Apache-2.0
"""Publishing and appending: what is refused, what is unknown, what is atomic."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable

import pytest

from tests.integration.conftest import Connect, Scratch
from tradewind.common.errors import BusError, Refused, Unknown
from tradewind.common.jetstream import Bus, Message, StreamReader, read_last, stream_tail
from tradewind.common.settings import BusSettings
from tradewind.common.testing import LocalCluster, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

WRONG_LAST_SEQUENCE = 10071


def messages(stream: str, count: int, text: str = "m") -> list[Message]:
    return [
        Message(f"{stream.lower()}.x", f"{text}{number}".encode(), {"Tw-Index": str(number)})
        for number in range(count)
    ]


async def bodies(bus: Bus, stream: str) -> list[bytes]:
    reader = StreamReader(bus, stream, f"live.{stream.lower()}.>", 1)
    await reader.open()
    _first, last = await stream_tail(bus, stream)
    found: list[bytes] = []
    while len(found) < last:
        found += [record.body for record in await reader.next_batch()]
    await reader.close()
    return found


async def test_of_two_appenders_that_race_one_is_refused(
    connect: Connect, scratch: Scratch
) -> None:
    stream, first, second = await scratch(), await connect(), await connect()
    for round_number in range(20):
        tail = round_number * 3
        answers = await asyncio.gather(
            first.append_batch(messages(stream, 3, "a"), tail, 2000),
            second.append_batch(messages(stream, 3, "b"), tail, 2000),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert [answer.err_code for answer in refused] == [WRONG_LAST_SEQUENCE]
        assert await stream_tail(first, stream) == (1, tail + 3)
    found = [body[:1] for body in await bodies(first, stream)]
    assert all(found[at] == found[at + 1] == found[at + 2] for at in range(0, 60, 3))


async def test_a_batch_is_stored_whole_or_not_at_all(connect: Connect, scratch: Scratch) -> None:
    stream, bus = await scratch(), await connect()
    ack = await bus.append_batch(messages(stream, 500), 0, 5000)
    assert (ack.stream, ack.seq) == (stream, 500)
    with pytest.raises(Refused):
        await bus.append_batch([*messages(stream, 2), Message("elsewhere", b"")], 500, 2000)
    with pytest.raises(Refused):
        await bus.append_batch(messages(stream, 2), 499, 2000)
    assert await stream_tail(bus, stream) == (1, 500)
    last = await read_last(bus, stream)
    assert last is not None
    assert (last.body, last.headers) == (b"m499", {"Tw-Index": "499"})


async def test_one_message_is_appended_only_at_its_place(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    assert (await bus.append_batch(messages(stream, 1), 0, 2000)).seq == 1
    with pytest.raises(Refused) as refusal:
        await bus.append_batch(messages(stream, 1), 0, 2000)
    assert refusal.value.err_code == WRONG_LAST_SEQUENCE


async def test_a_batch_beyond_the_bounds_is_not_sent(connect: Connect) -> None:
    bus = await connect()
    with pytest.raises(ValueError, match="no batch"):
        await bus.append_batch(messages("T", 501), 0, 2000)
    with pytest.raises(ValueError, match="no batch"):
        await bus.append_batch([Message("t.x", bytes(300_000))] * 2, 0, 2000)


async def test_many_publishes_on_the_way_keep_their_order(
    connect: Connect, scratch: Scratch
) -> None:
    stream, bus = await scratch(), await connect()
    acks = [
        bus.publish_nowait(message.subject, message.body, expected_last_seq=place)
        for place, message in enumerate(messages(stream, 1000))
    ]
    assert [ack.seq for ack in await asyncio.gather(*acks)] == list(range(1, 1001))
    assert await bodies(bus, stream) == [message.body for message in messages(stream, 1000)]


async def test_where_no_stream_listens_it_is_refused(connect: Connect) -> None:
    bus = await connect()
    with pytest.raises(Refused):
        await bus.publish("nobody.listens", b"")
    with pytest.raises(Refused):
        await bus.request("nobody.answers", b"")


async def test_without_a_quorum_the_outcome_is_unknown(
    cluster: LocalCluster, connect: Connect, scratch: Scratch
) -> None:
    stream, admin = await scratch(), await connect()
    leader = (await admin.api(f"STREAM.INFO.{stream}"))["cluster"]["leader"]
    names = [node.name for node in cluster.config.nodes]
    bus = await connect(node=names.index(leader))
    followers = [name for name in names if name != leader]
    for name in followers:
        cluster.signal_node(name, signal.SIGSTOP)
    try:
        with pytest.raises(Unknown):
            await bus.publish(f"{stream.lower()}.x", b"?", timeout_ms=200)
    finally:
        for name in followers:
            cluster.signal_node(name, signal.SIGCONT)

    async def settled() -> bool:
        return (await stream_tail(admin, stream))[1] in (0, 1)

    await eventually(settled, 10)


async def test_a_wrong_password_is_named_at_once(cluster: LocalCluster) -> None:
    wrong = BusSettings(urls=cluster.urls, user="oms", password="wrong")
    with pytest.raises(BusError, match="password is wrong") as error:
        await Bus.connect(wrong, name="test")
    assert error.value.code == "BUS_UNAUTHORIZED"


async def test_a_bus_that_is_not_there_is_named() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"nats://127.0.0.1:{held.getsockname()[1]}"
    nowhere = BusSettings(urls=(url,), user="oms", password="x")
    with pytest.raises(BusError, match="see whether the nodes run") as error:
        await Bus.connect(nowhere, name="test", timeout_s=0.3)
    assert error.value.code == "BUS_UNREACHABLE"


async def test_a_failing_handler_ends_the_bus_for_its_owner(connect: Connect) -> None:
    bus, asker = await connect(), await connect()

    async def handler(_body: bytes) -> bytes:
        raise ZeroDivisionError

    await bus.serve("test.fails", handler)

    async def asked() -> bool:
        """Another node learns a moment later that somebody serves the subject."""
        try:
            await asker.request("test.fails", b"", timeout_ms=200)
        except Refused:
            return False
        return True

    with pytest.raises(Unknown):
        await eventually(asked)
    with pytest.raises(ZeroDivisionError):
        await bus.failed()
    with pytest.raises(ZeroDivisionError):
        await bus.publish("anything", b"")


async def test_a_question_is_answered_by_one_of_a_group_and_by_all_without_one(
    connect: Connect,
) -> None:
    asker = await connect()
    for name in (b"one", b"two"):
        bus = await connect()
        await bus.serve("test.group", _answering(name), queue="g")
        await bus.serve("test.all", _answering(name))

    async def both() -> bool:
        return len(await asker.request_all("test.all", b"", 300)) == 2

    await eventually(both)
    assert await asker.request("test.group", b"!") in (b"one!", b"two!")
    assert sorted(await asker.request_all("test.all", b"?", 300)) == [b"one?", b"two?"]
    assert await asker.request_all("nobody.answers", b"?", 300) == []


def _answering(name: bytes) -> Callable[[bytes], Awaitable[bytes]]:
    async def answer(body: bytes) -> bytes:
        return name + body

    return answer


async def test_what_is_heard_reaches_plain_and_coroutine_callbacks(connect: Connect) -> None:
    bus = await connect()
    heard: list[tuple[str, bytes, dict[str, str]]] = []

    async def slow(message: Message) -> None:
        heard.append((message.subject, message.body, dict(message.headers)))

    await bus.subscribe("test.heard", slow)
    await bus.subscribe(
        "test.heard", lambda it: heard.append((it.subject, it.body, dict(it.headers)))
    )
    bus.tell("test.heard", b"x", {"a": "b"})
    await eventually(lambda: len(heard) == 2)
    assert heard == [("test.heard", b"x", {"a": "b"})] * 2


async def test_a_line_break_in_a_header_or_subject_is_not_sent(connect: Connect) -> None:
    bus = await connect()
    with pytest.raises(ValueError, match="line break"):
        bus.tell("test.x", b"", {"a": "b\r\nc: d"})
    with pytest.raises(Refused):
        bus.tell("test.x 3\r\nPUB y", b"")
