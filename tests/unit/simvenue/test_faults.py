# SPDX-License-Identifier: Apache-2.0
"""Faults change what clients are told, as often as asked for, and never what is true."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.unit.simvenue.test_ledger import new, open_venue
from tradewind.common.testing import eventually
from tradewind.core.types import Side
from tradewind.simvenue import admin
from tradewind.simvenue.faults import Kind, Misanswered
from tradewind.simvenue.orders import Report
from tradewind.simvenue.requests import Cancel
from tradewind.simvenue.venue import BadAdministration, Venue

pytestmark = pytest.mark.anyio
UNTOLD = [Kind.DROP_REPLY, Kind.CUT, Kind.AMBIGUOUS]


@pytest.fixture
def told() -> list[Report]:
    return []


@pytest.fixture
def venue(tmp_path: Path, told: list[Report]) -> Iterator[Venue]:
    made = open_venue(tmp_path)
    made.receive("s", told.append, after=0, back=0)
    yield made
    made.close()


def arm(venue: Venue, kind: Kind, count: int = 1, ms: int = 0) -> None:
    venue.administer(admin.Fault(kind=kind, count=count, ms=ms))


def kinds(reports: list[Report]) -> list[str]:
    return [f"{report.cl_id} {report.exec_type}" for report in reports]


def true(venue: Venue, session: str = "s") -> list[str]:
    return kinds(list(venue.ledger.reports(session, 0, 0)))


@pytest.mark.parametrize("kind", UNTOLD)
async def test_an_order_is_taken_and_its_client_is_not_told(
    venue: Venue, told: list[Report], kind: Kind
) -> None:
    arm(venue, kind)
    with pytest.raises(Misanswered) as raised:
        venue.request("s", new("a"))
    assert raised.value.code == ("UNKNOWN_OUTCOME" if kind is Kind.AMBIGUOUS else "NO_ANSWER")
    venue.request("s", new("b"))
    assert (kinds(told), true(venue)) == (["b NEW"], ["a NEW", "b NEW"])


async def test_a_cut_breaks_the_connection_of_the_session_that_asked(venue: Venue) -> None:
    broken: list[str] = []
    venue.faults.cutters.append(broken.append)
    arm(venue, Kind.CUT)
    with pytest.raises(Misanswered):
        venue.request("s", new("a"))
    assert broken == ["s"]


async def test_a_request_beyond_the_rate_is_not_done(venue: Venue, told: list[Report]) -> None:
    arm(venue, Kind.RATE_LIMIT, ms=70)
    with pytest.raises(Misanswered) as raised:
        venue.request("s", new("a"))
    assert (raised.value.code, raised.value.retry_ms) == ("RATE_LIMITED", 70)
    assert (true(venue), told) == ([], [])
    venue.request("s", new("a"))
    assert kinds(told) == ["a NEW"]


async def test_an_order_trades_before_its_cancel_and_the_trade_is_told_after(
    venue: Venue, told: list[Report]
) -> None:
    venue.request("s", new("a"))
    arm(venue, Kind.FILL_AFTER_CANCEL, ms=1)
    venue.request("s", Cancel(cl_id="a", request_id="c"))
    assert kinds(told) == ["a NEW", "a CANCELED"]
    await eventually(lambda: len(told) == 3)
    assert told[2].last_qty == 5
    assert true(venue) == ["a NEW", "a TRADE", "a CANCELED"]


async def test_reports_are_lost_late_doubled_and_disordered(
    venue: Venue, told: list[Report]
) -> None:
    arm(venue, Kind.DROP_REPORT)
    venue.request("s", new("lost"))
    arm(venue, Kind.DUPLICATE_REPORT)
    venue.request("s", new("twice"))
    arm(venue, Kind.REORDER_REPORTS)
    venue.request("s", new("second"))
    venue.request("s", new("first"))
    assert kinds(told) == ["twice NEW", "twice NEW", "first NEW", "second NEW"]
    arm(venue, Kind.LATE_REPORT, ms=1)
    venue.request("s", new("late"))
    venue.request("s", new("next"))
    await eventually(lambda: len(told) == 6)
    assert kinds(told)[4:] == ["next NEW", "late NEW"]


async def test_a_lost_fill_is_only_a_fill(venue: Venue, told: list[Report]) -> None:
    arm(venue, Kind.DROP_FILL)
    venue.request("s", new("a"))
    venue.request("other", new("b", Side.SELL))
    assert kinds(told) == ["a NEW"]
    assert true(venue) == ["a NEW", "a TRADE"]


async def test_a_young_order_is_not_found_where_the_answer_is_old(venue: Venue) -> None:
    venue.request("s", new("a"))
    arm(venue, Kind.READ_LAG, count=2, ms=60_000)
    assert venue.status("s", "a") == ([], None)
    assert venue.open_orders("s") == []
    assert venue.status("s", "a")[1] is not None
    assert [order.cl_id for order in venue.open_orders("s")] == ["a"]


async def test_nothing_is_written_while_the_venue_hangs(venue: Venue) -> None:
    await venue.faults.until_answering()
    arm(venue, Kind.HANG, ms=60_000)
    venue.request("s", new("a"))
    waiting = asyncio.ensure_future(venue.faults.until_answering())
    await asyncio.sleep(0)
    assert not waiting.done()
    venue.administer(admin.Heal())
    await waiting


async def test_rates_are_drawn_from_a_seed_until_healed(tmp_path: Path) -> None:
    def drops(seed: int) -> list[bool]:
        venue = open_venue(tmp_path)
        venue.administer(admin.Rates(rates={Kind.SEQUENCE_RESET: 0.5}, seed=seed))
        drawn = [venue.faults.strikes(Kind.SEQUENCE_RESET) for _ in range(50)]
        venue.administer(admin.Heal())
        assert not venue.faults.strikes(Kind.SEQUENCE_RESET)
        venue.close()
        return drawn

    assert drops(7) == drops(7) != drops(8)


async def test_a_rollback_forgets_orders_and_the_ledger_does_not(
    venue: Venue, tmp_path: Path
) -> None:
    for cl_id in ("a", "b", "c"):
        venue.request("s", new(cl_id))
    venue.request("other", new("x", Side.SELL, qty=25))
    assert (venue.position("s"), venue.position("other")) == (25, -25)
    venue.administer(admin.Rollback(count=2))
    again = open_venue(tmp_path)
    for each in (venue, again):
        assert each.status("s", "b")[1] is not None
        assert each.status("s", "c") == each.status("other", "x") == ([], None)
        assert (each.position("s"), each.position("other")) == (20, 0)
        assert len(list(each.memory.reports("s", 0, 0))) == 4
        assert true(each)[-1] == "c TRADE"
    again.close()


async def test_a_position_follows_busts_and_drifts_until_healed(
    venue: Venue, told: list[Report]
) -> None:
    venue.request("s", new("a"))
    venue.request("other", new("b", Side.SELL, qty=4))
    venue.administer(admin.Correct(exec_no=told[-1].exec_no, qty=3, px=100))
    assert venue.position("s") == 3
    venue.administer(admin.Drift(session="s", qty=7))
    assert venue.position("s") == 10
    venue.administer(admin.Heal())
    assert venue.position("s") == 3


async def test_a_stranger_can_enter_an_order_in_a_sessions_name(
    venue: Venue, told: list[Report]
) -> None:
    order = admin.ExternalOrder(session="s", cl_id="theirs", side=Side.BUY, qty=5, price=90)
    venue.administer(order)
    assert kinds(told) == ["theirs NEW"]
    with pytest.raises(BadAdministration, match="works already"):
        venue.administer(order)


async def test_a_request_has_an_end_after_which_it_is_refused(
    venue: Venue, told: list[Report]
) -> None:
    venue.request("s", msgspec.structs.replace(new("a"), valid_until_ns=1))
    assert [(r.exec_type, r.text) for r in told] == [("REJECTED", "EXPIRED_REQUEST")]


async def test_what_is_played_is_in_the_ledger_and_a_restarted_venue_reads_past_it(
    venue: Venue, tmp_path: Path
) -> None:
    arm(venue, Kind.DROP_REPLY)
    with pytest.raises(Misanswered):
        venue.request("s", new("a"))
    lines = [msgspec.json.decode(raw) for raw in (tmp_path / "venue.jsonl").read_bytes().split()]
    assert [line["kind"] for line in lines] == ["admin", "fault", "in", "report"]
    assert lines[1]["msg"] == {"kind": "drop_reply"}
    again = open_venue(tmp_path)
    assert kinds(list(again.ledger.reports("s", 0, 0))) == ["a NEW"]
    again.close()


def test_a_second_order_of_an_id_is_refused_and_the_first_one_works_on(venue: Venue) -> None:
    venue.request("s", new("a"))
    assert venue.request("s", new("a")).text == "DUPLICATE_CL_ID"
    reports, state = venue.status("s", "a")
    assert [report.exec_type for report in reports] == ["NEW", "REJECTED"]
    assert state is not None
    assert (state.ord_status, state.leaves_qty) == ("NEW", 10)


def test_an_order_that_was_refused_is_known_as_refused(venue: Venue) -> None:
    venue.request("s", new("a", qty=0))
    _reports, state = venue.status("s", "a")
    assert state is not None
    assert (state.ord_status, state.leaves_qty) == ("REJECTED", 0)
