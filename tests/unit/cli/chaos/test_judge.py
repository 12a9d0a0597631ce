# SPDX-License-Identifier: Apache-2.0
"""The judge: a clean run has no violations, and each kind of harm is called by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradewind.cli.chaos import judge
from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.venue_side import read_venue

ACCOUNT = "A"


def report(entry: int, exec_type: str, status: str, **facts: Any) -> dict[str, Any]:
    plain = {
        "account": ACCOUNT,
        "order_id": "s-0-1",
        "cl_ord_id": "c1",
        "exec_id": f"E{entry}",
        "exec_type": exec_type,
        "ord_status": status,
        "cum_qty": "0",
    }
    return plain | facts


def told(plain: dict[str, Any]) -> Line:
    return Line(t_ns=3, kind="report", account=ACCOUNT, cl_ord_id=plain["cl_ord_id"], report=plain)


def venue_line(kind: str, cl_id: str, exec_type: str = "", **facts: Any) -> dict[str, Any]:
    if kind == "in":
        return {"kind": "in", "ts_ns": 1, "msg": {"op": "new", "cl_id": cl_id}}
    plain = {"cl_id": cl_id, "exec_type": exec_type, "side": "BUY", "last_qty": 0}
    rest = {"cum_qty": 0, "leaves_qty": 0, "text": ""}
    return {"kind": "report", "ts_ns": 2, "report": plain | rest | facts}


class Run:
    """One order that was accepted, acknowledged and filled; tests then break something."""

    def __init__(self) -> None:
        self.lines = [
            Line(t_ns=1, kind="invoke", op="submit", account=ACCOUNT, cl_ord_id="c1"),
            Line(t_ns=2, kind="durable", cl_ord_id="c1"),
            told(report(5, "PENDING_NEW", "PENDING_NEW")),
            told(report(6, "NEW", "NEW")),
            told(report(7, "TRADE", "FILLED", cum_qty="2")),
        ]
        self.venue = [
            venue_line("in", "s-0-1"),
            venue_line("report", "s-0-1", "NEW", leaves_qty=2),
            venue_line("report", "s-0-1", "TRADE", last_qty=2, cum_qty=2),
        ]
        self.ends = {"s-0-1": ("FILLED", 2)}
        self.positions = {"oms": {ACCOUNT: 2}}

    def judged(self, folder: Path) -> dict[str, int]:
        log = folder / "venue.jsonl"
        log.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in self.venue))
        orders = judge.orders_of(self.lines)
        venue = read_venue(log)
        verdict = judge.judge(orders, venue)
        judge.compare_positions(verdict, judge.fills_by_account(orders, venue), self.positions)
        judge.judge_exposure(verdict, orders, venue, {ACCOUNT: 2})
        judge.compare_ends(verdict, venue, self.ends, asked_ns=3)
        return {name: count for name, count in verdict.counts.items() if count}


def lose_it(run: Run) -> None:
    run.venue.clear()
    run.positions = {"oms": {}}
    run.lines = [*run.lines[:3], Line(t_ns=9, kind="final", account=ACCOUNT, cl_ord_id="c1")]


def leave_it_open(run: Run) -> None:
    run.venue.clear()
    run.positions = {"oms": {}}
    run.lines = run.lines[:3]


def take_it_twice(run: Run) -> None:
    run.venue.insert(2, venue_line("report", "s-0-1", "NEW"))


def make_two_of_it(run: Run) -> None:
    run.lines.append(told(report(4, "PENDING_NEW", "PENDING_NEW", order_id="s-0-9")))
    run.venue += [venue_line("in", "s-0-9"), venue_line("report", "s-0-9", "NEW")]
    run.ends["s-0-9"] = ("FILLED", 0)


def send_what_nobody_asked_for(run: Run) -> None:
    run.venue.append(venue_line("in", "s-0-77"))


def go_on_after_the_end(run: Run) -> None:
    run.lines.append(told(report(8, "NEW", "NEW", cum_qty="2")))


def unfill_it(run: Run) -> None:
    run.lines.append(told(report(8, "TRADE", "FILLED", cum_qty="1")))


def drop_the_fill(run: Run) -> None:
    run.positions = {"oms": {ACCOUNT: 0}}


def send_it_twice(run: Run) -> None:
    run.venue.insert(0, venue_line("in", "s-0-1"))


def enlarge_it(run: Run) -> None:
    run.venue.insert(2, venue_line("report", "s-0-1", "REPLACED", leaves_qty=3))


def leave_more_open_than_allowed(run: Run) -> None:
    run.lines += [
        Line(t_ns=8, kind="invoke", op="submit", account=ACCOUNT, cl_ord_id="c2"),
        told(report(9, "PENDING_NEW", "PENDING_NEW", order_id="s-0-9", cl_ord_id="c2")),
    ]
    run.venue += [venue_line("in", "s-0-9"), venue_line("report", "s-0-9", "NEW", leaves_qty=1)]
    run.ends["s-0-9"] = ("NEW", 0)


def forget_how_it_ended(run: Run) -> None:
    run.ends.clear()


def leave_it_unknown(run: Run) -> None:
    run.ends["s-0-1"] = ("UNKNOWN", 2)


def store_too_little_traded(run: Run) -> None:
    run.ends["s-0-1"] = ("FILLED", 1)


@pytest.mark.parametrize(
    ("harm", "checker"),
    [
        (lose_it, "K1"),
        (leave_it_open, "unresolved"),
        (take_it_twice, "K2"),
        (make_two_of_it, "K2"),
        (send_what_nobody_asked_for, "K3"),
        (go_on_after_the_end, "K4"),
        (unfill_it, "K4"),
        (drop_the_fill, "K5"),
        (send_it_twice, "K2"),
        (enlarge_it, "K6"),
        (leave_more_open_than_allowed, "K6"),
        (forget_how_it_ended, "T3"),
        (leave_it_unknown, "T3"),
        (store_too_little_traded, "T3"),
    ],
)
def test_each_harm_is_found_and_nothing_else(
    harm: Callable[[Run], None], checker: str, tmp_path: Path
) -> None:
    run = Run()
    harm(run)
    assert run.judged(tmp_path).keys() == {checker}


def test_a_clean_run_has_no_violations(tmp_path: Path) -> None:
    assert Run().judged(tmp_path) == {}


def test_an_order_that_ended_before_it_was_sent_is_not_lost(tmp_path: Path) -> None:
    run = Run()
    run.venue.clear()
    run.positions = {"oms": {}}
    run.lines = [*run.lines[:3], told(report(6, "EXPIRED", "EXPIRED"))]
    assert run.judged(tmp_path) == {}


def test_reports_are_judged_in_the_journals_order_not_in_that_of_arrival(tmp_path: Path) -> None:
    run = Run()
    run.lines[3], run.lines[4] = run.lines[4], run.lines[3]
    assert run.judged(tmp_path) == {}
