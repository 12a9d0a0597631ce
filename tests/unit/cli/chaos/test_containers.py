# SPDX-License-Identifier: Apache-2.0
"""The driver of containers, as far as it can be checked without an engine."""

from dataclasses import replace

import pytest

from tradewind.cli.chaos.containers import MEANS, OWN, playable
from tradewind.cli.chaos.driver import Driver
from tradewind.cli.chaos.network import Cut
from tradewind.cli.chaos.report import Plan
from tradewind.cli.chaos.scenarios import SCENARIOS, Action
from tradewind.cli.suite.facts import Protocol, SuiteError

PLAN = Plan(scenario="oms-kill", faults=1, orders=1, seed=1, rate=1.0, driver=Driver.DOCKER)
PLAYABLE = (
    *(f"{service}-kill" for service in ("oms", "gateway", "connector", "risk", "archiver", "nats")),
    *(f"{service}-pause" for service in ("oms", "gateway", "connector", "nats", "venue")),
    *("nats-partition", "zone-loss", "service-kill", "venue-unknown", "everything"),
)


@pytest.mark.parametrize("scenario", PLAYABLE)
def test_containers_play_a_scenario_of_kills_pauses_and_full_cuts(scenario: str) -> None:
    found = playable(replace(PLAN, scenario=scenario))
    assert {each.action for each in found} <= {*MEANS, Action.MISBEHAVE}
    assert {each.cut for each in found} <= {None, Cut.EVERYTHING}


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, scenario="disk-full"),
        replace(PLAN, scenario="die-after-send"),
        replace(PLAN, sabotage="lazy-fsync"),
        replace(PLAN, protocol=Protocol.FIX),
    ],
    ids=lambda plan: plan.scenario,
)
def test_what_containers_cannot_play_is_refused(plan: Plan) -> None:
    with pytest.raises(SuiteError) as refused:
        playable(plan)
    assert refused.value.code == "DRIVER_CANNOT"


def test_the_refusal_of_a_scenario_names_those_that_can_be_played() -> None:
    with pytest.raises(SuiteError, match="cannot play bit-flip: they can play oms-kill") as refused:
        playable(replace(PLAN, scenario="bit-flip"))
    named = refused.value.text.partition("play oms-kill")[2].removeprefix(", ").split(", ")
    assert set(PLAYABLE) - {"oms-kill"} <= set(named)
    assert "disk-full" not in named
    assert set(named) < set(SCENARIOS)


def test_only_stacks_of_runs_are_known_as_such() -> None:
    assert OWN.fullmatch("twc4711")
    assert not OWN.fullmatch("tradewind")
    assert not OWN.fullmatch("twc4711-other")
