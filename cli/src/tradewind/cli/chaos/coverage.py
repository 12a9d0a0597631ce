# SPDX-License-Identifier: Apache-2.0
"""Events without which a run shows nothing, counted from outside: each must have happened."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence

from tradewind.cli.chaos import venue_faults, venue_rates
from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.judge import Key, Order, in_order
from tradewind.cli.chaos.nemesis import Fault
from tradewind.cli.chaos.scenarios import Action
from tradewind.cli.chaos.venue_side import VenueSide

NS_PER_MS = 1_000_000
LOAD_WITHIN_NS = 500 * NS_PER_MS
ENDED = frozenset({"CANCELED", "EXPIRED", "REJECTED"})
NOT_SENT = "NOT_SENT_IN_TIME"
WAITING = frozenset({"PENDING_NEW", "UNKNOWN"})
"""What is told of a new order before the venue has said anything."""


def of_any_run(
    faults: Sequence[Fault], histories: Mapping[str, Sequence[Line]], damaged_copies: int
) -> dict[str, int]:
    """What every scenario must have seen, and what its own faults were."""
    lines = [line for of_client in histories.values() for line in of_client]
    asked = sorted(line.t_ns for line in lines if line.kind == "invoke")
    reports = [line.report for line in lines if line.kind == "report" and line.report]
    kinds = [report["exec_type"] for report in reports]
    has_flipped = any(fault.action is Action.FLIP for fault in faults)
    return {
        "faults_under_load": sum(
            bisect_left(asked, fault.t_ns) > bisect_left(asked, fault.t_ns - LOAD_WITHIN_NS)
            for fault in faults
        ),
        "reports": len(reports),
        "fills": kinds.count("TRADE"),
        "cancels": kinds.count("CANCELED"),
        "replaces": kinds.count("REPLACED"),
        "asked_twice": sum(line.kind == "again" for line in lines),
        "beyond_limits": sum(report["reason"] == "MAX_POSITION" for report in reports),
        **({"damaged_copies": damaged_copies} if has_flipped else {}),
        **Counter(f"cut off from {fault.cut}" for fault in faults if fault.cut),
        **venue_faults.coverage(((f.failure_class, f.played) for f in faults), kinds),
    }


def of_rates(
    faults: Sequence[Fault],
    histories: Mapping[str, Sequence[Line]],
    orders: Mapping[Key, Order],
    venue: VenueSide,
) -> dict[str, int]:
    """How often each failure class was played, and how doubts about orders ended.

    F2 are orders that were accepted before a connector's death and reached the venue after it; F3
    those that had reached it, and of which nobody was told before the death. F9 are fills that the
    venue told only after the cancel that they came before.
    """
    moments = _Moments(histories)
    deaths = [fault.t_ns for fault in faults if fault.pids]
    received = {
        cl_id: wall_ns - moments.wall_ahead_ns for cl_id, wall_ns in venue.received_ns.items()
    }
    accepted, told = moments.accepted_ns, moments.told_ns
    return {
        **venue_rates.by_class(venue.played),
        "F2": sum(
            accepted[cl_id] < death < at_ns
            for cl_id, at_ns in received.items()
            if cl_id in accepted
            for death in deaths
        ),
        "F3": sum(
            at_ns < death < told[cl_id]
            for cl_id, at_ns in received.items()
            if cl_id in told
            for death in deaths
        ),
        "F9": venue.late_fills,
        "orders_canceled_on_disconnect": venue.canceled_on_disconnect,
        **_doubts(orders, received, moments.unknown_ns),
    }


def kills_in_flight(faults: Sequence[Fault], histories: Mapping[str, Sequence[Line]]) -> int:
    """Kills while at least one new order had been asked and nothing final or of the venue's told.

    That is an order anywhere on its way: to the journal, to the venue, or back.
    """
    moments = _Moments(histories)
    spans = [
        (at_ns, moments.answered_ns.get(key, at_ns)) for key, at_ns in moments.asked_ns.items()
    ]
    kills = [fault.t_ns for fault in faults if fault.pids and fault.action in KILLS]
    return sum(any(first < kill < last for first, last in spans) for kill in kills)


KILLS = frozenset({Action.KILL, Action.ARM, Action.FLIP, Action.POWER})


class _Moments:
    """When what was first told of orders: asked and answered by the client's id, else by order."""

    def __init__(self, histories: Mapping[str, Sequence[Line]]) -> None:
        self.wall_ahead_ns = time.time_ns() - time.monotonic_ns()
        self.asked_ns: dict[Key, int] = {}
        self.answered_ns: dict[Key, int] = {}
        self.accepted_ns: dict[str, int] = {}
        self.told_ns: dict[str, int] = {}
        self.unknown_ns: dict[str, int] = {}
        for lines in histories.values():
            for line in lines:
                self._take(line)

    def _take(self, line: Line) -> None:
        key = (line.account, line.cl_ord_id)
        if line.kind == "invoke" and line.op == "submit":
            self.asked_ns[key] = line.t_ns
        if line.kind != "report" or line.report is None:
            return
        order_id, exec_type = line.report["order_id"], line.report["exec_type"]
        if exec_type == "PENDING_NEW":
            self.accepted_ns.setdefault(order_id, line.t_ns)
        elif exec_type == "UNKNOWN":
            self.unknown_ns.setdefault(order_id, line.t_ns)
        if exec_type not in WAITING:
            self.answered_ns.setdefault(key, line.t_ns)
            self.told_ns.setdefault(order_id, line.t_ns)


def _doubts(
    orders: Mapping[Key, Order], received: Mapping[str, int], unknown_ns: Mapping[str, int]
) -> dict[str, int]:
    """What came after each UNKNOWN: the order lives, has traded, is over, or never was there."""
    found = Counter({"unknown": 0, "found_live": 0, "found_filled": 0, "not_found": 0})
    for order in orders.values():
        reports = in_order(order)
        for place, report in enumerate(reports):
            if report["exec_type"] != "UNKNOWN":
                continue
            found["unknown"] += 1
            order_id = report["order_id"]
            after = [r for r in reports[place + 1 :] if r["exec_type"] not in WAITING][:1]
            if received.get(order_id, 0) > unknown_ns.get(order_id, 0) or _never_sent(after):
                found["not_found"] += 1
            elif any(r["exec_type"] == "TRADE" for r in after):
                found["found_filled"] += 1
            elif any(r["exec_type"] in ENDED for r in after):
                found["found_ended"] += 1
            else:
                found["found_live"] += bool(after)
    return {f"doubt: {name}" if name != "unknown" else name: n for name, n in found.items()}


def _never_sent(reports: list[dict[str, object]]) -> bool:
    return any(NOT_SENT in (report["text"], report["reason"]) for report in reports)
