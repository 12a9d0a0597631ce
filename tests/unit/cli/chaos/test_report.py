# SPDX-License-Identifier: Apache-2.0
"""What was seen from the outside is counted under the checker that it speaks of."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradewind.cli.chaos import report
from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.report import NS_PER_MS, Ends, Observed, Plan, make_report
from tradewind.cli.chaos.venue_side import VenueSide

PLAN = Plan(scenario="oms-kill", faults=0, orders=1, seed=1, rate=1)
CLEAN = {"replicas_equal": True, "events_gap_free": True, "archive_equal": True}


def violations(**seen: Any) -> dict[str, int]:
    """Those of a run in which nothing else was seen."""
    nothing: dict[str, Any] = {
        "faults": [],
        "probed": {},
        "histories": {},
        "venue": VenueSide(),
        "positions": {},
        "ends": Ends(),
        "checked": {"holds": True, "shards": [CLEAN]},
        "holes": [],
        "moved_aside": 0,
        "stuck": [],
    }
    found: dict[str, int] = make_report(PLAN, 1, Observed(**nothing | seen))["violations"]
    return {checker: count for checker, count in found.items() if count}


def test_a_run_in_which_all_is_well_has_no_violation() -> None:
    assert violations() == {}


def test_a_log_that_lacks_records_or_ends_too_soon_is_a_gap() -> None:
    assert violations(holes=["JOURNAL_0 ends at 5, but entry 8 was seen"]) == {"K9": 1}


def test_what_verify_finds_is_counted_by_what_it_found() -> None:
    found = {
        "replicas_equal": {"K7": 1, "K8": 1},
        "events_gap_free": {"K9": 1, "K8": 1},
        "archive_equal": {"K9": 1, "K8": 1},
    }
    for name, counts in found.items():
        shard = CLEAN | {name: False}
        assert violations(checked={"holds": False, "shards": [shard]}) == counts


def test_what_never_came_back_is_counted() -> None:
    assert violations(stuck=["oms-0-0 is not in step"]) == {"K14": 1}


@pytest.mark.parametrize(("waited_ms", "count"), [(4_999, 1), (5_000, 0)])
def test_only_an_order_that_did_not_wait_was_called_late_by_a_clock(
    waited_ms: int, count: int
) -> None:
    told = {"reason": "TOO_LATE", "text": ""}
    lines = [
        Line(t_ns=0, kind="invoke", op="submit", account="A", cl_ord_id="c1"),
        Line(t_ns=1, kind="invoke", op="submit", account="A", cl_ord_id="c2"),
        Line(t_ns=waited_ms * NS_PER_MS, kind="report", account="A", cl_ord_id="c1", report=told),
    ]
    seen = cast(Observed, SimpleNamespace(histories={"c": lines}))
    assert len(report._too_late(seen)) == count
