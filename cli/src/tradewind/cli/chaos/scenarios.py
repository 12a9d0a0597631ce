# SPDX-License-Identifier: Apache-2.0
"""What is broken in each scenario, and what counts as working again."""

from dataclasses import dataclass
from enum import StrEnum

from tradewind.cli.chaos.network import Cut

PAUSE_S = 3.0
"""Longer than every patience and lease in the suite."""


class Action(StrEnum):
    """What is done to a process."""

    KILL = "kill"
    PAUSE = "pause"
    ARM = "let die at a failpoint"
    MISBEHAVE = "have the venue misbehave"
    CUT = "cut off"
    FILL = "fill the disk of"
    SLOW = "slow every fsync of"
    FAIL = "fail every fsync of"
    POWER = "take the power from"
    FLIP = "flip a stored bit of, and kill,"
    AHEAD = "set an hour ahead the clock of"
    BACK = "set an hour back the clock of"
    MAINTAIN = "restart, as planned,"


STEPS = {Action.AHEAD, Action.BACK}


class Probe(StrEnum):
    """The first thing that shows the harmed function working again.

    ACCEPTED: a new order is accepted on the victim's shard (or any, where it has none).
    RECONNECTED: a new order is accepted for a client that was connected to the victim.
    ACKNOWLEDGED: a new order is acknowledged by the venue.
    ARCHIVED: a new order's row is in the warehouse.
    KILLED: a trading state is set and takes effect.
    UNBROKEN: new orders are decided on all the time; clocked is the longest time in which somebody
        waited and nothing was.
    """

    ACCEPTED = "accepted"
    RECONNECTED = "reconnected"
    ACKNOWLEDGED = "acknowledged"
    ARCHIVED = "archived"
    KILLED = "killed"
    UNBROKEN = "unbroken"


class Victim(StrEnum):
    """Which process is hit, by what it does at that moment."""

    SHARD_LEADER = "the replica that leads a shard"
    GATEWAY = "a gateway that has clients"
    CONNECTOR = "a venue connector"
    RISK = "a risk service"
    ARCHIVER = "the archiver that writes"
    VENUE = "the venue itself"
    JOURNAL_LEADER = "the node that leads a journal"
    NODE = "any node"
    NODES = "all nodes at once"
    COPY = "a node with its copy of a shard's logs, and a replica that reads them anew"
    ZONE = "a zone: a node, its replicas, its gateway and its connector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kind of fault. A scenario with several has each as often as any other.

    The venue misbehaves in every way that there is, or in those of one class; `at_rates`: all the
    time, whatever the fault is.
    """

    victim: Victim
    action: Action
    probe: Probe
    failpoint: str = ""
    cut: Cut | None = None
    failure_class: str = ""
    at_rates: bool = False


SCENARIOS: dict[str, tuple[Scenario, ...]] = {
    "oms-kill": (Scenario(victim=Victim.SHARD_LEADER, action=Action.KILL, probe=Probe.ACCEPTED),),
    "oms-pause": (Scenario(victim=Victim.SHARD_LEADER, action=Action.PAUSE, probe=Probe.ACCEPTED),),
    "gateway-kill": (Scenario(victim=Victim.GATEWAY, action=Action.KILL, probe=Probe.RECONNECTED),),
    "gateway-pause": (
        Scenario(victim=Victim.GATEWAY, action=Action.PAUSE, probe=Probe.RECONNECTED),
    ),
    "connector-kill": (
        Scenario(victim=Victim.CONNECTOR, action=Action.KILL, probe=Probe.ACKNOWLEDGED),
    ),
    "connector-pause": (
        Scenario(victim=Victim.CONNECTOR, action=Action.PAUSE, probe=Probe.ACKNOWLEDGED),
    ),
    "risk-kill": (Scenario(victim=Victim.RISK, action=Action.KILL, probe=Probe.KILLED),),
    "risk-pause": (Scenario(victim=Victim.RISK, action=Action.PAUSE, probe=Probe.KILLED),),
    "archiver-kill": (Scenario(victim=Victim.ARCHIVER, action=Action.KILL, probe=Probe.ARCHIVED),),
    "archiver-pause": (
        Scenario(victim=Victim.ARCHIVER, action=Action.PAUSE, probe=Probe.ARCHIVED),
    ),
    "nats-kill": (
        Scenario(victim=Victim.JOURNAL_LEADER, action=Action.KILL, probe=Probe.ACCEPTED),
        Scenario(victim=Victim.NODE, action=Action.KILL, probe=Probe.ACCEPTED),
    ),
    "node-maintenance": (
        Scenario(victim=Victim.NODE, action=Action.MAINTAIN, probe=Probe.UNBROKEN),
    ),
    "zone-loss": (Scenario(victim=Victim.ZONE, action=Action.KILL, probe=Probe.ACCEPTED),),
    "venue-pause": (Scenario(victim=Victim.VENUE, action=Action.PAUSE, probe=Probe.ACKNOWLEDGED),),
    "venue-unknown": (
        Scenario(victim=Victim.VENUE, action=Action.MISBEHAVE, probe=Probe.ACKNOWLEDGED),
    ),
    "venue-read-lag": (
        Scenario(
            victim=Victim.VENUE,
            action=Action.MISBEHAVE,
            probe=Probe.ACKNOWLEDGED,
            failure_class="F7",
        ),
    ),
    "venue-rates": (
        Scenario(
            victim=Victim.CONNECTOR, action=Action.KILL, probe=Probe.ACKNOWLEDGED, at_rates=True
        ),
    ),
    "nats-pause": (Scenario(victim=Victim.NODE, action=Action.PAUSE, probe=Probe.ACCEPTED),),
}
SCENARIOS |= {
    f"die-{name}": (Scenario(victim=victim, action=Action.ARM, probe=probe, failpoint=name),)
    for name, victim, probe in (
        ("before-journal", Victim.GATEWAY, Probe.RECONNECTED),
        ("after-journal", Victim.GATEWAY, Probe.RECONNECTED),
        ("before-append", Victim.SHARD_LEADER, Probe.ACCEPTED),
        ("after-append", Victim.SHARD_LEADER, Probe.ACCEPTED),
        ("before-send", Victim.CONNECTOR, Probe.ACKNOWLEDGED),
        ("after-send", Victim.CONNECTOR, Probe.ACKNOWLEDGED),
    )
}
SCENARIOS["nats-partition"] = tuple(
    Scenario(victim=victim, action=Action.CUT, probe=Probe.ACCEPTED, cut=cut)
    for victim in (Victim.JOURNAL_LEADER, Victim.NODE)
    for cut in Cut
)
SCENARIOS |= {
    name: (
        Scenario(victim=Victim.JOURNAL_LEADER, action=action, probe=Probe.ACCEPTED),
        Scenario(victim=Victim.NODE, action=action, probe=Probe.ACCEPTED),
    )
    for name, action in (
        ("disk-full", Action.FILL),
        ("slow-fsync", Action.SLOW),
        ("fsync-error", Action.FAIL),
    )
}
SCENARIOS["bit-flip"] = (Scenario(victim=Victim.COPY, action=Action.FLIP, probe=Probe.ACCEPTED),)
SCENARIOS["power-loss"] = (
    Scenario(victim=Victim.NODES, action=Action.POWER, probe=Probe.ACCEPTED),
)
SCENARIOS["clock-step"] = tuple(
    Scenario(victim=victim, action=action, probe=probe)
    for victim, probe in (
        (Victim.SHARD_LEADER, Probe.ACCEPTED),
        (Victim.GATEWAY, Probe.RECONNECTED),
        (Victim.CONNECTOR, Probe.ACKNOWLEDGED),
        (Victim.RISK, Probe.KILLED),
        (Victim.ARCHIVER, Probe.ARCHIVED),
    )
    for action in (Action.AHEAD, Action.BACK)
)
SCENARIOS["service-kill"] = tuple(
    scenario
    for service in ("oms", "gateway", "connector", "risk", "archiver")
    for scenario in SCENARIOS[f"{service}-kill"]
)
SCENARIOS["controls"] = (
    *SCENARIOS["oms-pause"],
    SCENARIOS["nats-kill"][0],
    *SCENARIOS["venue-rates"],
)
"""What most planted bugs need to show: one run without any of them is the twin of all."""
SCENARIOS["everything"] = tuple(
    scenario
    for name in sorted(SCENARIOS)
    for scenario in SCENARIOS[name]
    if not (scenario.failpoint or scenario.at_rates) and name not in ("service-kill", "controls")
)


def is_at_rates(name: str) -> bool:
    """Whether the venue misbehaves all through the runs of this scenario."""
    return any(each.at_rates for each in SCENARIOS[name])


def has_deeds(name: str) -> bool:
    """Whether the venue's people add to that what rates do not give: if nothing else is broken."""
    return all(each.at_rates for each in SCENARIOS[name])
