# SPDX-License-Identifier: Apache-2.0
"""What the venue's own log says: the truth about orders, and what it played with them."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

ENDS = frozenset({"CANCELED", "EXPIRED", "REJECTED"})
REFUSALS = frozenset({"CANCEL_REJECTED", "REPLACE_REJECTED"})
BEFORE_A_CANCEL = "fill_after_cancel"
ON_DISCONNECT = "CANCEL_ON_DISCONNECT"

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One change of what is open or done at the venue: signed lots, and what still may trade."""

    cl_id: str
    sign: int
    traded: int
    leaves_qty: int


@dataclass(frozen=True, slots=True)
class End:
    """What an order is at the venue, and since when; NEW is any that may trade."""

    status: str
    cum_qty: int
    ts_ns: int


@dataclass(slots=True)
class VenueSide:
    """What the venue was sent, took, refused and traded, by its client id.

    `received_ns` is when it had an order first, of the wall's clock; `played` how often each fault
    was; `late_fills` counts fills that it told only after the cancel that they came before.
    """

    received: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    received_ns: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rejected: set[str] = field(default_factory=set)
    traded: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    steps: list[Step] = field(default_factory=list)
    ends: dict[str, End] = field(default_factory=dict)
    played: Counter[str] = field(default_factory=Counter)
    late_fills: int = 0
    canceled_on_disconnect: int = 0


def read_venue(path: Path) -> VenueSide:
    """Reads the venue's log."""
    side = VenueSide()
    before = ""
    with path.open("rb") as file:
        for raw in file:
            line = msgspec.json.decode(raw)
            message, report = line.get("msg") or {}, line.get("report") or {}
            match line["kind"]:
                case "in" if message.get("op") == "new":
                    side.received[message["cl_id"]] += 1
                    side.received_ns.setdefault(message["cl_id"], line["ts_ns"])
                case "fault":
                    side.played[message["kind"]] += 1
                case "admin":
                    _take_administration(side, message)
                case "report":
                    is_late = before == BEFORE_A_CANCEL and report["exec_type"] == "TRADE"
                    side.late_fills += is_late
                    _take_report(side, report, line["ts_ns"])
            before = message.get("kind", "")
    return side


def _take_administration(side: VenueSide, message: Message) -> None:
    match message["op"]:
        case "cut":
            side.played["cancelling_cut" if message["is_cancelling"] else "cut"] += 1
        case "external_order" | "rollback" | "drift" as op:
            side.played[op] += 1


def _take_report(side: VenueSide, report: Message, ts_ns: int) -> None:
    if report["exec_type"] in REFUSALS:
        return
    cl_id, lots = report["cl_id"], report["last_qty"]
    sign = 1 if report["side"] == "BUY" else -1
    match report["exec_type"]:
        case "NEW":
            side.accepted[cl_id] += 1
        case "REJECTED":
            side.rejected.add(cl_id)
            if cl_id in side.accepted:
                return  # the second one of that name; the first lives on
        case "TRADE":
            side.traded[cl_id] += sign * lots
        case "CANCELED":
            side.canceled_on_disconnect += report["text"] == ON_DISCONNECT
    side.steps.append(Step(cl_id, sign, lots, report["leaves_qty"]))
    side.ends[cl_id] = End(_status(report), report["cum_qty"], ts_ns)


def _status(report: Message) -> str:
    if report["exec_type"] in ENDS:
        return str(report["exec_type"])
    return "NEW" if report["leaves_qty"] else "FILLED"
