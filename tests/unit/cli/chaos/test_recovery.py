# SPDX-License-Identifier: Apache-2.0
"""Recovery is clocked from the injection to the first new order of those who were harmed."""

from typing import Any

from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.nemesis import Fault
from tradewind.cli.chaos.recovery import Answered, summary
from tradewind.cli.chaos.scenarios import Action, Probe

SHARD_OF = {"A": 0, "B": 1}


def fault(probe: Probe, **facts: Any) -> Fault:
    known: dict[str, Any] = {
        "t_ns": 100,
        "scenario": "s",
        "victim": "v",
        "pids": {},
        "action": Action.KILL,
    }
    return Fault(**(known | {"probe": probe} | facts))


def order(name: str, account: str, asked: int, reason: str = "", **told: int) -> list[Line]:
    asked_line = Line(t_ns=asked, kind="invoke", op="submit", account=account, cl_ord_id=name)
    answers = [
        Line(
            t_ns=t_ns,
            kind="report",
            account=account,
            cl_ord_id=name,
            report={"exec_type": exec_type, "reason": reason if exec_type == "DENIED" else ""},
        )
        for exec_type, t_ns in told.items()
    ]
    return [asked_line, *answers]


def test_an_order_asked_before_the_injection_does_not_count() -> None:
    lines = [*order("c1", "A", 99, PENDING_NEW=120), *order("c2", "A", 101, PENDING_NEW=180)]
    assert Answered({"c": lines}, SHARD_OF).recovery_ns(fault(Probe.ACCEPTED)) == 80


def test_only_the_harmed_shard_counts() -> None:
    lines = [*order("c1", "B", 101, PENDING_NEW=110), *order("c2", "A", 102, PENDING_NEW=170)]
    assert Answered({"c": lines}, SHARD_OF).recovery_ns(fault(Probe.ACCEPTED, shard=0)) == 70


def test_a_venue_must_acknowledge_where_a_connector_was_harmed() -> None:
    lines = order("c1", "A", 101, PENDING_NEW=110, NEW=400)
    assert Answered({"c": lines}, SHARD_OF).recovery_ns(fault(Probe.ACKNOWLEDGED)) == 300


def test_only_clients_of_the_killed_gateway_count() -> None:
    here = [Line(t_ns=1, kind="connected", gateway="g0"), *order("c1", "A", 101, PENDING_NEW=150)]
    there = [Line(t_ns=1, kind="connected", gateway="g1"), *order("d1", "A", 101, PENDING_NEW=105)]
    answered = Answered({"c": here, "d": there}, SHARD_OF)
    assert answered.recovery_ns(fault(Probe.RECONNECTED, victim="g0")) == 50


def test_a_gateway_without_clients_harms_nobody_so_anybody_counts() -> None:
    there = [Line(t_ns=1, kind="connected", gateway="g1"), *order("d1", "A", 101, PENDING_NEW=105)]
    assert Answered({"d": there}, SHARD_OF).recovery_ns(fault(Probe.RECONNECTED, victim="g0")) == 5


def test_the_longest_gap_elsewhere_is_between_orders_of_the_other_shards() -> None:
    lines = [*order("c1", "B", 90, PENDING_NEW=110), *order("c2", "B", 111, PENDING_NEW=170)]
    lines += [*order("c3", "A", 112, PENDING_NEW=140), *order("c4", "B", 171, PENDING_NEW=400)]
    answered = Answered({"c": lines}, SHARD_OF)
    assert answered.gap_elsewhere_ns(fault(Probe.ACCEPTED, shard=0), 200) == 59
    assert answered.gap_elsewhere_ns(fault(Probe.ACCEPTED, shard=0), 300) == 129
    assert answered.gap_elsewhere_ns(fault(Probe.ACCEPTED), 200) is None


def test_a_gap_lasts_while_somebody_waits_and_nothing_is_decided() -> None:
    waits = [*order("c1", "A", 110, PENDING_NEW=190), *order("c2", "A", 150, PENDING_NEW=160)]
    answered = Answered({"c": [*waits, *order("c3", "B", 195, PENDING_NEW=199)]}, SHARD_OF)
    assert answered.longest_gap_ns(fault(Probe.UNBROKEN, healed_ns=200)) == 50


def told(kind: str, t_ns: int, name: str, account: str = "") -> Line:
    return Line(t_ns=t_ns, kind=kind, account=account, cl_ord_id=name)


def test_who_was_told_an_error_waits_no_more_until_it_asks_again() -> None:
    lost = [told("error", 125, "c1"), told("again", 180, "c1", "A")]
    lines = [*order("c1", "A", 110), *order("c2", "A", 120, PENDING_NEW=128), *lost]
    lines += [*order("c1", "A", 110, PENDING_NEW=190)[1:]]
    answered = Answered({"c": lines}, SHARD_OF)
    assert answered.gap_elsewhere_ns(fault(Probe.ACCEPTED, shard=1), 200) == 128 - 110


def test_a_gap_in_which_all_are_told_errors_lasts_from_the_first_of_them() -> None:
    lines = order("c1", "A", 105, PENDING_NEW=109)
    for number, asked in enumerate((115, 135, 155)):
        lines += [*order(f"r{number}", "A", asked), told("error", asked + 2, f"r{number}")]
    lines += order("c2", "A", 160, PENDING_NEW=170)
    answered = Answered({"c": lines}, SHARD_OF)
    assert answered.gap_elsewhere_ns(fault(Probe.ACCEPTED, shard=1), 200) == 170 - 115


def test_refusals_that_the_load_wants_end_a_gap_and_no_others_do() -> None:
    first, last = order("c1", "A", 105, PENDING_NEW=109), order("c3", "A", 185, PENDING_NEW=190)
    for reason, longest in (
        ("MAX_POSITION", 140 - 120),
        ("DUPLICATE_CL_ORD_ID", 140 - 120),
        ("STALE_REFERENCE", 190 - 120),
    ):
        answered = Answered(
            {"c": [*first, *order("c2", "A", 120, reason, DENIED=140), *last]}, SHARD_OF
        )
        assert answered.gap_elsewhere_ns(fault(Probe.ACCEPTED, shard=1), 200) == longest


def test_the_longest_gap_of_a_planned_restart_is_the_worst_shards() -> None:
    lines = [*order("c1", "A", 90, PENDING_NEW=110), *order("c2", "B", 120, PENDING_NEW=180)]
    answered = Answered({"c": lines}, SHARD_OF)
    assert answered.longest_gap_ns(fault(Probe.UNBROKEN, healed_ns=200)) == 60


def test_what_never_recovered_has_no_time() -> None:
    lines = order("c1", "A", 101)
    assert Answered({"c": lines}, SHARD_OF).recovery_ns(fault(Probe.ACCEPTED)) is None


def test_percentiles_are_samples_that_happened() -> None:
    assert summary([5.0, 1.0, 3.0]) == {"n": 3, "p50": 3.0, "p90": 5.0, "p99": 5.0, "max": 5.0}
    assert summary([])["n"] == 0
