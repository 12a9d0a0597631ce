# SPDX-License-Identifier: Apache-2.0
"""Sessions page by page: who may add one, and what becomes of a write that nobody answers."""

import asyncio

import pytest

from tradewind.common.errors import CorruptionError, Refused, Unknown
from tradewind.fix.message import Sent
from tradewind.gateway.fix import history
from tradewind.gateway.fix.history import History, SessionTaken

from .conftest import MemoryLog

pytestmark = pytest.mark.anyio

TAILS = {0: 10, 1: 20}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> MemoryLog:
    monkeypatch.setattr(history, "RETRY_S", 0.001)
    return MemoryLog()


def report(seq: int) -> Sent:
    return Sent(seq, "8", ((11, f"c-{seq}"),), "20260302-10:00:00.000")


async def test_a_session_begins_with_one_where_the_outputs_end(log: MemoryLog) -> None:
    standing = await History(log, "k1").open(TAILS, is_new=False)
    assert (standing.next_out, standing.next_in, standing.heard) == (1, 1, TAILS)
    assert standing.sent == ()


async def test_another_gateway_goes_on_where_the_last_page_ends(log: MemoryLog) -> None:
    first = History(log, "k1")
    await first.open(TAILS, is_new=False)
    await first.add(3, 2, {0: 11, 1: 20}, (report(2),))
    await first.add(5, 4, {0: 12, 1: 20}, (report(4),))
    standing = await History(log, "k1").open({0: 50, 1: 60, 2: 70}, is_new=False)
    assert (standing.next_out, standing.next_in) == (5, 4)
    assert standing.heard == {0: 12, 1: 20, 2: 70}
    assert standing.sent == (report(2), report(4))


async def test_a_session_that_begins_anew_forgets_what_was_before(log: MemoryLog) -> None:
    first = History(log, "k1")
    await first.open(TAILS, is_new=False)
    await first.add(3, 2, TAILS, (report(2),))
    await History(log, "k1").open({0: 50, 1: 60}, is_new=True)
    standing = await History(log, "k1").open({0: 90, 1: 90}, is_new=False)
    assert (standing.next_out, standing.heard, standing.sent) == (1, {0: 50, 1: 60}, ())


async def test_whose_session_was_taken_can_add_nothing(log: MemoryLog) -> None:
    first = History(log, "k1")
    await first.open(TAILS, is_new=False)
    await History(log, "k1").open(TAILS, is_new=False)
    with pytest.raises(SessionTaken):
        await first.add(2, 2, TAILS, ())
    assert len(log.stored["k1"]) == 2


async def test_a_page_that_was_stored_without_a_word_is_not_stored_again(log: MemoryLog) -> None:
    session = History(log, "k1")
    await session.open(TAILS, is_new=False)

    def lose(_body: bytes) -> None:
        log.on_stored = lambda _body: None
        raise Unknown("no answer")

    log.on_stored = lose
    await session.add(2, 2, TAILS, (report(1),))
    await session.add(3, 2, TAILS, (report(2),))
    assert len(log.stored["k1"]) == 3
    assert (await History(log, "k1").open(TAILS, is_new=False)).sent == (report(1), report(2))


async def test_a_page_is_tried_until_it_is_stored(log: MemoryLog) -> None:
    session = History(log, "k1")
    await session.open(TAILS, is_new=False)
    left = [1, 2, 3]

    def refuse(_body: bytes) -> None:
        if left:
            left.pop()
            raise Refused("no leader")

    log.on_append = refuse
    await session.add(2, 2, TAILS, (report(1),))
    assert (left, len(log.stored["k1"])) == ([], 2)


async def test_a_page_that_cannot_be_stored_is_given_up(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ADD_TIMEOUT_S", 0.01)
    monkeypatch.setattr(history, "OPEN_TIMEOUT_S", 0.01)
    session = History(log, "k1")
    await session.open(TAILS, is_new=False)

    def refuse(_body: bytes) -> None:
        raise Refused("the disk is full")

    log.on_append = refuse
    with pytest.raises(Refused):
        await session.add(2, 2, TAILS, ())
    with pytest.raises(Refused):
        await History(log, "k1").open(TAILS, is_new=False)


async def test_of_many_that_open_a_session_one_has_it(log: MemoryLog) -> None:
    sessions = [History(log, "k1") for _ in range(5)]
    await asyncio.gather(*(session.open(TAILS, is_new=False) for session in sessions))
    added = await asyncio.gather(
        *(session.add(2, 1, TAILS, (report(1),)) for session in sessions), return_exceptions=True
    )
    assert [type(result) for result in added].count(SessionTaken) == 4
    assert len(log.stored["k1"]) == 6


async def test_a_missing_page_is_seen_but_for_the_oldest(log: MemoryLog) -> None:
    session = History(log, "k1")
    await session.open(TAILS, is_new=False)
    for seq in range(1, 5):
        await session.add(seq + 1, 1, TAILS, (report(seq),))
    pages = log.stored["k1"]
    log.stored["k1"] = pages[2:]
    assert len((await History(log, "k1").open(TAILS, is_new=False)).sent) == 3
    log.stored["k1"] = pages[:2] + pages[3:]
    with pytest.raises(CorruptionError, match="are missing"):
        await History(log, "k1").open(TAILS, is_new=False)
    log.stored["k1"] = [(1, b'{"number":"x"}')]
    with pytest.raises(CorruptionError, match="cannot be read"):
        await History(log, "k1").open(TAILS, is_new=False)
    await History(log, "k1").open(TAILS, is_new=True)


async def test_pages_that_go_while_they_are_read_are_read_again(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is written at another gateway, and the stream lets the oldest pages go."""
    other = History(log, "k1")
    await other.open(TAILS, is_new=False)
    await other.add(2, 2, TAILS, ())
    first, _second = await log.pages("k1")
    await other.add(3, 3, TAILS, ())
    third = await log.last("k1")
    assert third is not None
    await other.add(4, 4, TAILS, ())
    reads = iter([[first, third]])
    read = log.pages

    async def pages(name: str) -> list[tuple[int, bytes]]:
        return next(reads, None) or await read(name)

    monkeypatch.setattr(log, "pages", pages)
    standing = await History(log, "k1").open(TAILS, is_new=False)
    assert (standing.next_out, standing.next_in) == (4, 4)
