# SPDX-License-Identifier: Apache-2.0
"""How long it took: from the injection to the first new order that shows it working again."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tradewind.cli.chaos.history import Line
from tradewind.cli.chaos.nemesis import Fault
from tradewind.cli.chaos.scenarios import Probe

ACCEPTED = "PENDING_NEW"
DECISIONS = frozenset({"MAX_POSITION", "DUPLICATE_CL_ORD_ID"})
"""Refusals that the load brings about on purpose: a shard that gives these works."""
NEVER_NS = 2**63
ANSWERS = {
    Probe.ACCEPTED: ACCEPTED,
    Probe.RECONNECTED: ACCEPTED,
    Probe.ACKNOWLEDGED: "NEW",
}


class Attempt:
    """One time that an order was asked for; over once there was an answer, if only an error."""

    __slots__ = ("account", "asked_ns", "is_decided", "over_ns")

    def __init__(self, account: str, asked_ns: int) -> None:
        self.account = account
        self.asked_ns = asked_ns
        self.over_ns = NEVER_NS
        self.is_decided = False


class Answered:
    """New orders of the clients, with when they were asked and when the answer came."""

    def __init__(
        self, histories: Mapping[str, Sequence[Line]], shard_of: Mapping[str, int]
    ) -> None:
        self._orders: list[tuple[int, str, str, dict[str, int]]] = []
        self._attempts: list[Attempt] = []
        self._connected: dict[str, list[tuple[int, str]]] = {}
        self._shard_of = shard_of
        for client, lines in histories.items():
            self._read(client, lines)
        self._orders.sort(key=lambda order: order[0])
        self._asked = [order[0] for order in self._orders]

    def recovery_ns(self, fault: Fault) -> int | None:
        """From the injection to the answer, None if there never was one."""
        answer = ANSWERS[fault.probe]
        harmed = self._harmed(fault)
        shards = set(self._shard_of.values()) if fault.shard is None else {fault.shard}
        times = [
            told[answer] - fault.t_ns
            for _asked, client, account, told in self._orders[
                bisect_right(self._asked, fault.t_ns) :
            ]
            if answer in told and client in harmed and self._shard_of[account] in shards
        ]
        return min(times, default=None)

    def longest_gap_ns(self, fault: Fault) -> int:
        """The longest time in which somebody waited and nothing was decided, on the worst shard."""
        return max(
            self._gap_ns({shard}, fault.t_ns, fault.healed_ns)
            for shard in set(self._shard_of.values())
        )

    def gap_elsewhere_ns(self, fault: Fault, until_ns: int) -> int | None:
        """The same on the shards that were not harmed.

        None if every shard was.
        """
        if fault.shard is None or len(set(self._shard_of.values())) == 1:
            return None
        return self._gap_ns(set(self._shard_of.values()) - {fault.shard}, fault.t_ns, until_ns)

    def _gap_ns(self, shards: set[int], from_ns: int, until_ns: int) -> int:
        """Who was told an error waits no more until it asks again; but that decided nothing."""
        attempts = [
            each
            for each in self._attempts
            if self._shard_of[each.account] in shards
            and each.asked_ns < until_ns
            and each.over_ns > from_ns
        ]
        decided = sorted(min(each.over_ns, until_ns) for each in attempts if each.is_decided)
        longest_ns = 0 if decided else until_ns - from_ns
        for before_ns, told_ns in pairwise([from_ns, *decided]):
            waits_since_ns = min(
                (
                    max(each.asked_ns, before_ns)
                    for each in attempts
                    if each.over_ns > before_ns and each.asked_ns < told_ns
                ),
                default=told_ns,
            )
            longest_ns = max(longest_ns, told_ns - waits_since_ns)
        return longest_ns

    def _harmed(self, fault: Fault) -> set[str]:
        """The clients that were connected to the victim; all, if it is no gateway or had none."""
        if fault.probe is not Probe.RECONNECTED:
            return set(self._connected)
        last = {
            client: [name for t_ns, name in connections if t_ns < fault.t_ns][-1:]
            for client, connections in self._connected.items()
        }
        return {client for client, names in last.items() if names == [fault.victim]} or set(last)

    def _read(self, client: str, lines: Sequence[Line]) -> None:
        asked: dict[tuple[str, str], dict[str, int]] = {}
        under_way: dict[str, list[Attempt]] = {}
        connections = self._connected.setdefault(client, [])
        for line in lines:
            key = (line.account, line.cl_ord_id)
            if line.kind == "connected":
                connections.append((line.t_ns, line.gateway))
            elif line.kind == "invoke" and line.op == "submit":
                asked[key] = {}
                self._orders.append((line.t_ns, client, line.account, asked[key]))
            elif line.kind == "report" and key in asked and line.report is not None:
                asked[key].setdefault(line.report["exec_type"], line.t_ns)
            if line.kind in ("invoke", "again") and key in asked:
                attempt = Attempt(line.account, line.t_ns)
                self._attempts.append(attempt)
                under_way.setdefault(line.cl_ord_id, []).append(attempt)
            elif line.kind in ("report", "error"):
                for attempt in under_way.pop(line.cl_ord_id, ()):
                    attempt.over_ns = line.t_ns
                    attempt.is_decided = is_decision(line.report)


def is_decision(report: Mapping[str, Any] | None) -> bool:
    """Whether the core decided on the order: accepted it, or refused it as the load wants it to."""
    return report is not None and (report["exec_type"] == ACCEPTED or report["reason"] in DECISIONS)


def summary(samples_ms: Sequence[float]) -> dict[str, Any]:
    """Percentiles of the samples, nearest rank."""
    ordered = sorted(samples_ms)
    if not ordered:
        return {"n": 0, "p50": None, "p90": None, "p99": None, "max": None}

    def at(share: float) -> float:
        rank = max(1, -(-len(ordered) * share // 1))
        return round(ordered[int(rank) - 1], 1)

    return {
        "n": len(ordered),
        "p50": at(0.50),
        "p90": at(0.90),
        "p99": at(0.99),
        "max": round(ordered[-1], 1),
    }
