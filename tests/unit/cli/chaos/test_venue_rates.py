# SPDX-License-Identifier: Apache-2.0
"""A venue that misbehaves at rates: what it is told, and how what it played is counted."""

from pathlib import Path
from typing import Any

import msgspec

from tradewind.cli.chaos import coverage, judge
from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.nemesis import Fault
from tradewind.cli.chaos.scenarios import SCENARIOS, Action, Probe, is_at_rates
from tradewind.cli.chaos.venue_rates import CLASSES, LASTS_MS, LOST, RATES, REFUSED, by_class
from tradewind.cli.chaos.venue_side import VenueSide, read_venue
from tradewind.simvenue import admin
from tradewind.simvenue.faults import Kind

MS = 1_000_000
DEATH_NS = 100 * MS


def test_the_venue_understands_the_rates_and_what_its_people_do() -> None:
    rates = {"op": "faults", "rates": RATES, "seed": 1, "ms": LASTS_MS}
    for message in (rates, *LOST.messages, *REFUSED.messages):
        admin.decoder.decode(msgspec.json.encode(message))


def test_every_fault_is_drawn_that_people_do_not_do_and_the_protocol_has() -> None:
    by_its_people, of_others = {Kind.CUT}, {Kind.SEQUENCE_RESET, Kind.LATE_COPY}
    assert set(RATES) == set(Kind) - by_its_people - of_others


def test_a_class_counts_all_its_faults() -> None:
    played = {"drop_reply": 2, "ambiguous": 1, "cancelling_cut": 4, "rate_limit": 9}
    assert by_class(played) == {**dict.fromkeys(CLASSES, 0), "F1": 3, "F11": 4}


def test_only_its_own_scenarios_have_a_venue_that_misbehaves_all_the_time() -> None:
    assert {name for name in SCENARIOS if is_at_rates(name)} == {"venue-rates", "controls"}


def at_venue(kind: str, **facts: Any) -> dict[str, Any]:
    return {"kind": kind, "ts_ns": 5, **facts}


def reported(cl_id: str, exec_type: str, **facts: Any) -> dict[str, Any]:
    plain = {"cl_id": cl_id, "exec_type": exec_type, "side": "BUY", "last_qty": 0, "text": ""}
    return at_venue("report", report={**plain, "cum_qty": 0, "leaves_qty": 1, **facts})


def read(folder: Path, *lines: dict[str, Any]) -> VenueSide:
    log = folder / "venue.jsonl"
    log.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return read_venue(log)


def test_faults_deeds_and_fills_that_came_before_a_cancel_are_read_from_the_log(
    tmp_path: Path,
) -> None:
    side = read(
        tmp_path,
        reported("a", "NEW"),
        reported("a", "TRADE", last_qty=1),
        at_venue("fault", msg={"kind": "fill_after_cancel"}),
        reported("a", "TRADE", last_qty=1),
        at_venue("fault", msg={"kind": "fill_after_cancel"}),
        reported("a", "CANCELED", text="CANCEL_ON_DISCONNECT", leaves_qty=0),
        at_venue("admin", msg={"op": "cut", "is_cancelling": True}),
        at_venue("admin", msg={"op": "external_order", "cl_id": "theirs"}),
        at_venue("admin", msg={"op": "heal"}),
    )
    assert side.played == {"fill_after_cancel": 2, "cancelling_cut": 1, "external_order": 1}
    assert (side.late_fills, side.canceled_on_disconnect) == (1, 1)


def test_an_order_that_is_refused_as_a_second_one_of_its_name_lives_on(tmp_path: Path) -> None:
    refused = reported("a", "REJECTED", text="DUPLICATE_CL_ID", leaves_qty=0)
    side = read(
        tmp_path, reported("a", "NEW"), refused, reported("a", "CANCEL_REJECTED", side=None)
    )
    assert side.ends["a"].status == "NEW"
    assert [step.leaves_qty for step in side.steps] == [1]


def told(order: str, exec_type: str, at_ms: int, entry: int, **facts: Any) -> Line:
    plain = {"order_id": order, "exec_id": f"E{entry}", "exec_type": exec_type, "reason": ""}
    report = {**plain, "ord_status": "NEW", "text": "", **facts}
    return Line(t_ns=at_ms * MS, kind="report", account="A", cl_ord_id=order, report=report)


def asked(order: str) -> Line:
    return Line(t_ns=1, kind="invoke", op="submit", account="A", cl_ord_id=order)


def death() -> Fault:
    return Fault(
        t_ns=DEATH_NS,
        scenario="venue-rates",
        victim="venue-sim-0",
        pids={"venue-sim-0": 1},
        action=Action.KILL,
        probe=Probe.ACKNOWLEDGED,
    )


def counted(lines: list[Line], received_ms: dict[str, int]) -> dict[str, int]:
    ahead_ns = coverage._Moments({}).wall_ahead_ns
    venue = VenueSide(received_ns={o: ahead_ns + ms * MS for o, ms in received_ms.items()})
    return coverage.of_rates([death()], {"c": lines}, judge.orders_of(lines), venue)


def test_an_order_that_waited_while_its_connector_died_is_one_of_f2() -> None:
    lines = [asked("a"), told("a", "PENDING_NEW", 50, 1), told("a", "NEW", 300, 2)]
    found = counted(lines, {"a": 200})
    assert (found["F2"], found["F3"]) == (1, 0)


def test_an_order_whose_answer_was_in_a_dying_connectors_hands_is_one_of_f3() -> None:
    lines = [asked("a"), told("a", "PENDING_NEW", 50, 1), told("a", "NEW", 300, 2)]
    found = counted(lines, {"a": 60})
    assert (found["F2"], found["F3"]) == (0, 1)


def test_doubts_end_in_one_of_four_ways() -> None:
    lines: list[Line] = []
    for entry, (order, *after) in enumerate(
        [
            ("live", "NEW"),
            ("filled", "TRADE"),
            ("over", "CANCELED"),
            ("late", "EXPIRED"),
            ("sent", "NEW"),
        ]
    ):
        lines.append(asked(order))
        lines += [
            told(order, exec_type, 10 + place, entry * 10 + place)
            for place, exec_type in enumerate(["PENDING_NEW", "UNKNOWN"])
        ]
        text = "NOT_SENT_IN_TIME" if order == "late" else ""
        lines.append(told(order, after[0], 400, entry * 10 + 5, text=text))
    found = counted(lines, {"live": 5, "filled": 5, "over": 5, "sent": 200})
    assert found["unknown"] == 5
    assert {name: n for name, n in found.items() if name.startswith("doubt")} == {
        "doubt: found_live": 1,
        "doubt: found_filled": 1,
        "doubt: found_ended": 1,
        "doubt: not_found": 2,
    }


def test_a_kill_counts_as_in_flight_while_an_order_waits_for_its_first_answer() -> None:
    before = [asked("a"), told("a", "PENDING_NEW", 50, 1), told("a", "NEW", 90, 2)]
    across = [*before[:2], told("a", "NEW", 110, 2)]
    assert coverage.kills_in_flight([death()], {"c": before}) == 0
    assert coverage.kills_in_flight([death()], {"c": across}) == 1
