# SPDX-License-Identifier: Apache-2.0
"""What a run needs of services beyond their own code: bugs, failpoints, clocks, impatience."""

from collections.abc import Mapping

from tradewind.cli.chaos import clocks, failpoints, sabotage
from tradewind.cli.chaos.report import Plan
from tradewind.cli.chaos.scenarios import SCENARIOS, STEPS, Action, is_at_rates
from tradewind.cli.chaos.venue_faults import CONNECTOR_SETTINGS


def instead(plan: Plan) -> dict[str, list[str]]:
    """What is run in place of services: with a bug, a point at which to die, a clock to be set."""
    points = [each.failpoint for each in SCENARIOS[plan.scenario] if each.failpoint]
    others = failpoints.instead_of(points[0]) if points else {}
    if any(each.action in STEPS for each in SCENARIOS[plan.scenario]):
        others = clocks.instead_of()
    return sabotage.instead_of(plan.sabotage, others) if plan.sabotage else others


def connector_settings(plan: Plan) -> Mapping[str, str]:
    """What connectors are told besides."""
    actions = {each.action for each in SCENARIOS[plan.scenario]}
    is_strange = Action.MISBEHAVE in actions or is_at_rates(plan.scenario)
    return CONNECTOR_SETTINGS if is_strange else {}
