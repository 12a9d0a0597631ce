# SPDX-License-Identifier: Apache-2.0
"""The ledger gives back what was written, and cuts off what was not finished."""

from pathlib import Path

import pytest

from tradewind.common.errors import CorruptionError
from tradewind.core.types import OrdType, Side, TimeInForce
from tradewind.simvenue.flow import FlowAction, FlowEvent
from tradewind.simvenue.matching import Exchange
from tradewind.simvenue.orders import Report
from tradewind.simvenue.requests import Cancel, New, Replace
from tradewind.simvenue.venue import Venue


def open_venue(folder: Path) -> Venue:
    return Venue(Exchange("BTC-USD"), folder / "venue.jsonl")


def new(cl_id: str, side: Side = Side.BUY, qty: int = 10) -> New:
    return New(
        cl_id=cl_id,
        symbol="BTC-USD",
        side=side,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.GTC,
        qty=qty,
        price=100,
    )


def busy_venue(folder: Path) -> Venue:
    venue = open_venue(folder)
    venue.take_session("s")
    venue.request("s", new("a"))
    venue.request("s", new("b"))
    venue.background(FlowEvent(0, "x", FlowAction.CREATED, Side.SELL, 100, 4))
    venue.request("s", Replace(cl_id="b", request_id="r1", qty=20, price=99))
    venue.request("s", new("c"))
    venue.request("s", Cancel(cl_id="c", request_id="r2"))
    return venue


def test_a_killed_venue_is_the_same_again(tmp_path: Path) -> None:
    before = busy_venue(tmp_path).exchange
    after = open_venue(tmp_path)
    assert after.exchange.records.working == before.records.working
    assert after.exchange.records.ended == before.records.ended
    assert after.exchange.records.answered == before.records.answered
    assert after.exchange.records.last_exec_no == before.records.last_exec_no
    assert after.exchange.book.depth(Side.BUY, 9) == before.book.depth(Side.BUY, 9)
    assert after.take_session("s") == 2
    after.request("s", new("d"))
    assert after.exchange.records.last_exec_no == before.records.last_exec_no + 1


def test_a_torn_tail_is_cut_back_to_whole_requests(tmp_path: Path) -> None:
    busy_venue(tmp_path)
    path = tmp_path / "venue.jsonl"
    whole = path.read_bytes()
    venue = open_venue(tmp_path)
    venue.request("s", new("sell", Side.SELL, 6))
    torn = path.read_bytes()
    for end in range(len(whole) + 1, len(torn)):
        path.write_bytes(torn[:end])
        repaired = open_venue(tmp_path)
        assert repaired.ledger.repaired_bytes == end - len(whole)
        assert path.read_bytes() == whole
        repaired.close()


def test_damage_before_the_end_stops_the_venue(tmp_path: Path) -> None:
    busy_venue(tmp_path)
    path = tmp_path / "venue.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"', b"'", 5)
    path.write_bytes(b"".join(lines))
    with pytest.raises(CorruptionError, match="line 4"):
        open_venue(tmp_path)


def test_a_missing_execution_stops_the_venue(tmp_path: Path) -> None:
    busy_venue(tmp_path)
    path = tmp_path / "venue.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(CorruptionError, match="is due"):
        open_venue(tmp_path)


def test_reports_are_replayed_per_session_after_a_number_and_some_before_it(
    tmp_path: Path,
) -> None:
    venue = busy_venue(tmp_path)
    venue.request("other", new("a"))
    heard: list[Report] = []
    last = venue.receive("s", heard.append, after=3, back=1)
    assert [report.exec_no for report in heard] == [3, 4, 5, 6]
    assert last == 7
    heard.clear()
    venue.request("other", new("b"))
    venue.request("s", new("e"))
    assert [report.exec_no for report in heard] == [9]


def test_an_answered_request_is_answered_again_with_the_same_execution(tmp_path: Path) -> None:
    venue = busy_venue(tmp_path)
    venue = open_venue(tmp_path)
    heard: list[Report] = []
    last = venue.receive("s", heard.append, after=venue.exchange.records.last_exec_no, back=0)
    venue.request("s", Cancel(cl_id="c", request_id="r2"))
    assert [(report.exec_id, report.request_id) for report in heard] == [("S6", "r2")]
    assert venue.exchange.records.last_exec_no == last


def test_a_status_tells_of_working_and_ended_orders(tmp_path: Path) -> None:
    venue = busy_venue(tmp_path)
    working, ended = venue.status("s", "a")[1], venue.status("s", "c")[1]
    assert working is not None
    assert (working.ord_status, working.cum_qty, working.leaves_qty) == ("PARTIALLY_FILLED", 4, 6)
    assert ended is not None
    assert ended.ord_status == "CANCELED"
    assert venue.status("s", "never") == ([], None)
