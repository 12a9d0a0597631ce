# SPDX-License-Identifier: Apache-2.0
"""Sessions that outlive their connections, and their gateways."""

import asyncio

import msgspec
import pytest

from tests.integration.simvenue.fix_client import AT, FixClient
from tests.unit.gateway.conftest import NOW_NS, Harness, answer_all, report_for
from tradewind.common.errors import Refused
from tradewind.common.testing import eventually
from tradewind.core.commands import CancelOrder
from tradewind.fix.stamps import stamp
from tradewind.gateway.egress import Subscriber
from tradewind.gateway.errors import refusal
from tradewind.gateway.fix import history, scribe
from tradewind.gateway.fix.acceptor import Acceptor

from .conftest import RESET, Client, Guards, MemoryLog, MemoryResume
from .test_orders import order
from .test_sessions import refused

pytestmark = pytest.mark.anyio

S_NS = 1_000_000_000


def happens(harness: Harness, cl_ord_id: str, client: str = "tester") -> None:
    """Something becomes of an order of this client's."""
    command = CancelOrder(account="DEMO", cl_ord_id=cl_ord_id, orig_cl_ord_id="", client=client)
    shard = harness.journal.shard_of("DEMO")
    harness.output(shard, 1_000, report_for(command, client=client))


async def log_on_again(client: FixClient, seq: int, *more: tuple[int, str]) -> dict[int, str]:
    """Goes on with this number; the answer."""
    await client.log_on(*more, key="s3cret", seq=seq)
    return await client.hear()


async def test_numbers_go_on_and_what_was_missed_is_told_once(
    harness: Harness, dial: Client, acceptor: Acceptor
) -> None:
    answer_all(harness)
    async with dial() as client:
        await order(client)
        assert (await client.hear())[34] == "2"
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    happens(harness, "missed-1")
    happens(harness, "another's", client="else")
    happens(harness, "missed-2")
    async with dial(is_logged_on=False) as client:
        answer = await log_on_again(client, following)
        assert (answer[35], answer[34], answer.get(141)) == ("A", "3", None)
        told = [await client.hear() for _ in range(2)]
        assert [(each[34], each[11]) for each in told] == [("4", "missed-1"), ("5", "missed-2")]
        await order(client, t11="c-2")
        assert (await client.hear())[34] == "6"
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    async with dial(is_logged_on=False) as client:
        assert (await log_on_again(client, following))[34] == "7"
        await client.say("1", (112, "only this"))
        assert (await client.hear())[112] == "only this"


async def test_another_gateway_sends_again_what_it_has_not_sent(
    harness: Harness, dial: Client, acceptor: Acceptor
) -> None:
    answer_all(harness)
    async with dial() as client:
        first = []
        for number in range(3):
            await order(client, t11=f"c-{number}")
            first.append(await client.hear())
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, following)
        await client.say("2", (7, "3"), (16, "0"))
        for report in first[1:]:
            again = await client.hear()
            assert (again[43], again[122]) == ("Y", report[52])
            assert [again[tag] for tag in (34, 17, 11)] == [report[tag] for tag in (34, 17, 11)]
        fill = await client.hear()
        assert (fill[35], fill[34], fill[36]) == ("4", "5", "6")


async def test_what_comes_while_the_past_is_told_follows_it(
    harness: Harness, dial: Client, acceptor: Acceptor, past: MemoryResume
) -> None:
    async with dial() as client:
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    happens(harness, "old")
    past.may_go_on.clear()
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, following)
        happens(harness, "new")
        await client.say("1", (112, "not held up"))
        assert (await client.hear())[112] == "not held up"
        past.may_go_on.set()
        assert [(await client.hear())[11] for _ in range(2)] == ["old", "new"]


async def test_what_comes_with_the_logon_is_told_once(
    harness: Harness, dial: Client, acceptor: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dial() as client:
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    happens(harness, "old")
    subscribe = harness.egress.subscribe

    def subscribe_and_hear(subscriber: Subscriber) -> None:
        subscribe(subscriber)
        asyncio.get_running_loop().call_soon(happens, harness, "new")

    monkeypatch.setattr(harness.egress, "subscribe", subscribe_and_hear)
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, following)
        await eventually(lambda: "new" in str(harness.records))
        assert [(await client.hear())[11] for _ in range(2)] == ["old", "new"]
        await client.say("1", (112, "nothing else"))
        assert (await client.hear())[112] == "nothing else"


async def test_nothing_leaves_before_it_is_stored(
    harness: Harness, dial: Client, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "RETRY_S", 0.001)
    answer_all(harness)
    async with dial() as client:
        is_down = True

        def refuse(_body: bytes) -> None:
            if is_down:
                raise Refused("no leader")

        log.on_append = refuse
        await order(client)
        await eventually(lambda: harness.bus.published)
        hearing = asyncio.ensure_future(client.hear())
        done, _pending = await asyncio.wait({hearing}, timeout=0.1)
        assert not done
        is_down = False
        assert (await hearing)[11] == "c-1"


async def test_a_request_that_was_not_stored_is_asked_for_again(
    harness: Harness, dial: Client, acceptor: Acceptor
) -> None:
    harness.bus.acks_at_once = False
    async with dial() as client:
        await order(client, t11="lost")
        await client.say("1", (112, "later"))
        await client.hear("0")
    await eventually(lambda: acceptor.count == 0)
    harness.bus.acks_at_once = True
    answer_all(harness)
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, 4)
        asked = await client.hear()
        assert (asked[35], asked[7]) == ("2", "2")
        client.seq = 2
        await order_again(client, "lost", stamp(NOW_NS))
        assert (await client.hear())[11] == "lost"


async def order_again(client: FixClient, cl_ord_id: str, sent_at: str) -> None:
    body = {11: cl_ord_id, 55: "BTC-USD", 54: "1", 60: AT, 38: "0.5", 40: "2", 44: "100.01"}
    first = ((122, sent_at),) if sent_at else ()
    await client.say("D", (43, "Y"), *first, *body.items(), (5005, "s1"))


async def test_an_order_that_is_sent_again_too_late_is_not_carried_out(
    harness: Harness, dial: Client
) -> None:
    answer_all(harness)
    async with dial() as client:
        await order_again(client, "old", stamp(NOW_NS - 6 * S_NS))
        told = await client.hear()
        assert (told[35], told[380]) == ("j", "0")
        assert told[58].startswith("RESENT_TOO_LATE")
        await order_again(client, "when?", "yesterday")
        told = await client.hear()
        assert (told[35], told[371], told[373]) == ("3", "122", "6")
        await order_again(client, "whenever", "")
        told = await client.hear()
        assert (told[35], told[371], told[373]) == ("3", "122", "1")
    assert harness.bus.published == []


@pytest.mark.parametrize("late_s", [6, -6])
async def test_an_order_that_was_on_its_way_for_long_is_not_carried_out(
    harness: Harness, dial: Client, late_s: int
) -> None:
    """It lay in the buffers of a gateway that hung; its client trades at another one by now."""
    answer_all(harness)
    async with dial() as client:
        client.clock = lambda: stamp(NOW_NS - late_s * S_NS)
        await order(client)
        told = await client.hear()
        assert (told[35], told[150], told[11]) == ("8", "8", "c-1")
        assert told[58].startswith("SENDING_TIME_OUT_OF_WINDOW")
        assert harness.bus.published == []
        await client.say(
            "F", (1, "DEMO"), (11, "x-1"), (41, "c-1"), (55, "BTC-USD"), (54, "1"), (60, AT)
        )
        await client.hear()
        assert len(harness.bus.published) == 1, "what ends risk is never too late"


async def test_a_reject_that_was_not_heard_is_told_again(dial: Client, acceptor: Acceptor) -> None:
    async with dial() as client:
        await client.say("D", (11, "half an order"))
        rejected = await client.hear("3")
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, following)
        await client.say("2", (7, "2"), (16, "2"))
        again = await client.hear()
        assert (again[35], again[43], again[45]) == ("3", "Y", rejected[45])


async def test_what_comes_after_our_goodbye_is_asked_for_by_whoever_comes_next(
    harness: Harness, dial: Client, acceptor: Acceptor, guards: Guards
) -> None:
    answer_all(harness)
    async with dial(is_logged_on=False) as client:
        await client.log_on(RESET, (5001, "Y"), key="s3cret")
        await client.hear()
        guards.give_up()
        await client.hear("5")
        await order(client, t11="crossed")
        await client.say("1", (112, "still there?"))
        await client.hear("0")
        await client.say("5")
        following = client.seq
        await client.until_closed()
    assert harness.bus.published == []
    await eventually(lambda: acceptor.count == 0)
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, following)
        asked = await client.hear("2")
        assert asked[7] == "2"


async def test_a_report_of_the_past_after_our_goodbye_is_told_at_the_next_logon(
    harness: Harness, dial: Client, acceptor: Acceptor, past: MemoryResume, guards: Guards
) -> None:
    async with dial() as client:
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    happens(harness, "old")
    past.may_go_on.clear()
    async with dial(is_logged_on=False) as client:
        await client.log_on((5001, "Y"), key="s3cret", seq=following)
        await client.hear("A")
        happens(harness, "new")
        guards.give_up()
        await client.hear("5")
        past.may_go_on.set()
        await asyncio.sleep(0.01)
        await client.say("1", (112, "still there?"))
        assert (await client.hear())[35] == "0"
        await client.say("5")
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, following)
        assert [(await client.hear("8"))[11] for _ in range(2)] == ["old", "new"]


async def test_a_question_that_was_not_answered_is_asked_for_again(
    harness: Harness, dial: Client, acceptor: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def hang(*_asked: object, **_more: object) -> None:
        await never.wait()

    monkeypatch.setattr(harness.api.queries, "orders", hang)
    async with dial() as client:
        await client.say("AF", (584, "all"), (585, "7"))
        await client.say("1", (112, "later"))
        await client.hear("0")
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, following)
        asked = await client.hear()
        assert (asked[35], asked[7]) == ("2", "2")


async def test_nobody_logs_on_before_this_gateway_knows_instruments(
    harness: Harness, dial: Client
) -> None:
    """A report would be told without its numbers, and under its number for good."""
    harness.is_ready = False
    async with dial(is_logged_on=False) as client:
        await client.log_on(key="s3cret")
        assert await refused(client) == "NOT_READY"


async def test_a_gateway_that_is_behind_does_not_take_back_what_was_told(
    harness: Harness, dial: Client, log: MemoryLog, past: MemoryResume
) -> None:
    """It has missed something in one shard, and another gateway was further in the other one."""
    ahead = history.History(log, "k1")
    await ahead.open({0: 0, 1: 0}, is_new=True)
    mine = harness.journal.shard_of("DEMO")
    other = 1 - mine
    await ahead.add(2, 2, {mine: 0, other: 5}, ())
    happens(harness, "missed")
    past.may_go_on.clear()
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, 2)
        happens(harness, "new")
        past.may_go_on.set()
        assert [(await client.hear())[11] for _ in range(2)] == ["missed", "new"]
    pages = [msgspec.json.decode(body, type=history.Page) for _at, body in log.stored["k1"]]
    assert [page.heard[other] for page in pages[1:]] == [5] * (len(pages) - 1)


async def test_who_asks_for_much_again_and_again_is_served_as_fast_as_it_reads(
    harness: Harness, dial: Client, acceptor: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All at once it would be more than may be unread, and nobody else's turn for long."""
    monkeypatch.setattr(scribe, "PAST_BYTES", 10_000)
    monkeypatch.setattr(scribe, "UNREAD_BYTES_MAX", 200_000)
    async with dial() as client:
        for number in range(500):
            happens(harness, f"c-{number}")
        for _ in range(5):
            await client.say("2", (7, "2"), (16, "0"))
        again = 0
        while again < 5 * 500:
            again += (await client.hear()).get(43) == "Y"


async def test_a_session_that_another_gateway_takes_is_cut_off(
    harness: Harness, dial: Client, log: MemoryLog, acceptor: Acceptor
) -> None:
    async with dial() as client:
        await history.History(log, "k1").open({0: 0, 1: 0}, is_new=False)
        happens(harness, "whose?")
        assert await client.until_closed() == []
    await eventually(lambda: acceptor.count == 0)


async def test_a_session_that_cannot_go_on_is_told_why(
    harness: Harness, dial: Client, acceptor: Acceptor, past: MemoryResume, log: MemoryLog
) -> None:
    async with dial() as client:
        following = client.seq
    await eventually(lambda: acceptor.count == 0)
    happens(harness, "long ago")
    past.gone = refusal("RESUME_GONE")
    async with dial(is_logged_on=False) as client:
        await client.log_on(key="s3cret", seq=following)
        assert await refused(client) == "RESUME_GONE"
    log.stored["k1"] = [(1, b"?")]
    async with dial(is_logged_on=False) as client:
        await client.log_on(key="s3cret", seq=following)
        assert await refused(client) == "FIX_SESSION_DAMAGED"
    async with dial() as client:
        await client.say("1", (112, "begun anew"))
        assert (await client.hear())[112] == "begun anew"


async def test_numbers_cannot_begin_anew_in_the_middle(dial: Client) -> None:
    async with dial(is_logged_on=False) as client:
        await client.log_on((141, "Y"), key="s3cret", seq=4)
        assert await refused(client) == "INVALID_FIELD"


async def test_a_gateway_that_is_behind_tells_nothing_twice(
    harness: Harness, dial: Client, log: MemoryLog
) -> None:
    ahead = history.History(log, "k1")
    await ahead.open({0: 0, 1: 0}, is_new=True)
    shard = harness.journal.shard_of("DEMO")
    await ahead.add(2, 2, {0: 0, 1: 0} | {shard: 1}, ())
    async with dial(is_logged_on=False) as client:
        await log_on_again(client, 2)
        happens(harness, "told by another")
        happens(harness, "new")
        assert (await client.hear())[11] == "new"
