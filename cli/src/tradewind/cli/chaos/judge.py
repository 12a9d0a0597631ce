# SPDX-License-Identifier: Apache-2.0
"""The verdict, from what clients and the venue wrote down. Shares no code with the services.

The checkers have the names of the list that the project publishes (K1 ...). Each counts the
violations of one sentence.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.venue_side import VenueSide

FINAL = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED"})
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
AFTER_THE_END = frozenset(
    {"TRADE", "TRADE_CANCEL", "TRADE_CORRECT", "CANCEL_REJECTED", "REPLACE_REJECTED", "DENIED"}
)
STATUS_OF = {
    "PENDING_NEW": {"PENDING_NEW"},
    "NEW": {"NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "PENDING_REPLACE"},
    "REJECTED": {"REJECTED"},
    "CANCELED": {"CANCELED"},
    "EXPIRED": {"EXPIRED"},
    "PENDING_CANCEL": {"PENDING_CANCEL"},
    "PENDING_REPLACE": {"PENDING_REPLACE"},
}
"""The statuses that may come with what happened; what is not here may come with any."""

Key = tuple[str, str]
Example = dict[str, Any]


@dataclass(slots=True)
class Order:
    """What clients were told of one order."""

    key: Key
    order_ids: set[str] = field(default_factory=set)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_accepted: bool = False
    is_durable: bool = False
    final: dict[str, Any] | None = None
    is_asked_after: bool = False

    @property
    def status(self) -> str:
        """The last word on it."""
        if self.final is not None:
            return str(self.final["ord_status"])
        return str(in_order(self)[-1]["ord_status"]) if self.reports else ""


@dataclass(slots=True)
class Verdict:
    """Violations by checker, with a few examples of each."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    examples: dict[str, list[Example]] = field(default_factory=lambda: defaultdict(list))
    coverage: dict[str, int] = field(default_factory=dict)

    def found(self, checker: str, **what: Any) -> None:
        """One violation."""
        self.counts[checker] += 1
        if len(self.examples[checker]) < 5:
            self.examples[checker].append(what)


def orders_of(lines: Iterable[Line]) -> dict[Key, Order]:
    """The clients' orders by account and the id that they submitted it with."""
    orders: dict[Key, Order] = {}
    owner: dict[str, Key] = {}
    durable: set[str] = set()
    late: list[Line] = []
    for line in lines:
        key = (line.account, line.cl_ord_id)
        if line.kind == "invoke" and line.op == "submit":
            orders[key] = Order(key)
        elif line.kind == "durable":
            durable.add(line.cl_ord_id)
        elif line.kind in ("report", "final"):
            late.append(line)
    for line in late:
        _take(orders, owner, line)
    for order in orders.values():
        order.is_durable = order.key[1] in durable
    return orders


def _take(orders: dict[Key, Order], owner: dict[str, Key], line: Line) -> None:
    key = (line.account, line.cl_ord_id)
    report = line.report
    if line.kind == "final":
        orders[key].final, orders[key].is_asked_after = report, True
        if report is not None and "order_id" in report:
            orders[key].order_ids.add(report["order_id"])
        return
    assert report is not None
    order_id = report["order_id"]
    if key in orders and order_id:
        owner.setdefault(order_id, key)
        orders[key].order_ids.add(order_id)
    order = orders.get(owner.get(order_id, key))
    if order is None:
        return
    order.reports[report["exec_id"]] = report
    order.is_accepted = order.is_accepted or report["exec_type"] == "PENDING_NEW"


def in_order(order: Order) -> list[dict[str, Any]]:
    """An order's reports in the order of the journal, whatever order they were told in."""
    return sorted(order.reports.values(), key=lambda report: _number(report["exec_id"]))


def _number(exec_id: str) -> tuple[int, int]:
    entry, _, part = exec_id.removeprefix("E").partition(".")
    return int(entry), int(part or 0)


def judge(orders: dict[Key, Order], venue: VenueSide) -> Verdict:
    """Checkers K1 to K4."""
    verdict = Verdict()
    known = {order_id for order in orders.values() for order_id in order.order_ids}
    for order in orders.values():
        _not_lost(order, venue, verdict)
        _not_doubled(order, venue, verdict)
        _legal(order, verdict)
    for cl_id in venue.received:
        if cl_id not in known:
            verdict.found("K3", venue_order=cl_id)
    for cl_id, sent in venue.received.items():
        taken = venue.accepted.get(cl_id, 0)
        if sent > 1 or taken > 1:
            verdict.found("K2", venue_order=cl_id, sent=sent, taken=taken)
    return verdict


def judge_exposure(
    verdict: Verdict, orders: dict[Key, Order], venue: VenueSide, limits: dict[str, int]
) -> None:
    """Checker K6: at no moment could the fills of what is open have led beyond a limit, in lots."""
    account_of = {order_id: key[0] for key, order in orders.items() for order_id in order.order_ids}
    position: dict[str, int] = defaultdict(int)
    leaves: dict[str, int] = {}
    working: dict[tuple[str, int], int] = defaultdict(int)
    for step in venue.steps:
        account = account_of.get(step.cl_id)
        if account not in limits:
            continue
        position[account] += step.sign * step.traded
        working[account, step.sign] += step.leaves_qty - leaves.get(step.cl_id, 0)
        leaves[step.cl_id] = step.leaves_qty
        reach = step.sign * position[account] + working[account, step.sign]
        if reach > limits[account]:
            verdict.found("K6", account=account, reach=reach, limit=limits[account])


def _not_lost(order: Order, venue: VenueSide, verdict: Verdict) -> None:
    """What was acknowledged is at the venue, or its owner was told that it ended without it."""
    is_at_venue = any(
        order_id in venue.accepted or order_id in venue.rejected for order_id in order.order_ids
    )
    if not (order.is_accepted or order.is_durable) or is_at_venue:
        return
    if order.status in FINAL:
        return
    if order.is_asked_after and order.final is None:
        verdict.found("K1", order=order.key, status=order.status)
    else:
        verdict.found("unresolved", order=order.key, status=order.status)


def _not_doubled(order: Order, venue: VenueSide, verdict: Verdict) -> None:
    """One request became one order."""
    sent = [order_id for order_id in order.order_ids if order_id in venue.accepted]
    if len(sent) > 1:
        verdict.found("K2", order=order.key, venue_orders=sorted(sent))


def _legal(order: Order, verdict: Verdict) -> None:
    """Its reports are a life that an order can have."""
    has_ended = False
    cum_qty = Decimal(0)
    for report in in_order(order):
        exec_type, status = report["exec_type"], report["ord_status"]
        if exec_type in STATUS_OF and status not in STATUS_OF[exec_type]:
            verdict.found("K4", order=order.key, exec_type=exec_type, status=status)
        if has_ended and exec_type not in AFTER_THE_END:
            verdict.found("K4", order=order.key, after_the_end=exec_type)
        filled = Decimal(report["cum_qty"] or 0)
        if filled < cum_qty and exec_type not in ("TRADE_CANCEL", "TRADE_CORRECT", "DENIED"):
            verdict.found("K4", order=order.key, cum_qty=str(filled), before=str(cum_qty))
        cum_qty = max(cum_qty, filled)
        has_ended = has_ended or (status in FINAL and exec_type != "DENIED")


def fills_by_account(orders: dict[Key, Order], venue: VenueSide) -> dict[str, int]:
    """Lots that the venue traded for each account, buys positive."""
    account_of = {order_id: key[0] for key, order in orders.items() for order_id in order.order_ids}
    fills: dict[str, int] = defaultdict(int)
    for cl_id, lots in venue.traded.items():
        fills[account_of.get(cl_id, "?")] += lots
    return dict(fills)


def compare_positions(
    verdict: Verdict, fills: dict[str, int], positions: dict[str, dict[str, int]]
) -> None:
    """Checker K5: every service has the position that the venue's fills add up to."""
    for service, by_account in positions.items():
        for account in sorted(fills.keys() | by_account.keys()):
            has, should = by_account.get(account, 0), fills.get(account, 0)
            if has != should:
                verdict.found("K5", service=service, account=account, has=has, should=should)


def compare_ends(
    verdict: Verdict, venue: VenueSide, told: Mapping[str, tuple[str, int]], asked_ns: int
) -> None:
    """Checker T3: what is stored of each order last is what the venue has: status and lots traded.

    What the venue did after `asked_ns` (of the wall's clock) nobody could have told.
    """
    for order_id, true in venue.ends.items():
        status, cum_qty = told.get(order_id, ("", 0))
        should = OPEN if true.status == "NEW" else {true.status}
        is_so = status in should and cum_qty == true.cum_qty
        if not is_so and true.ts_ns < asked_ns:
            verdict.found(
                "T3",
                venue_order=order_id,
                has=(status, cum_qty),
                should=(true.status, true.cum_qty),
            )
