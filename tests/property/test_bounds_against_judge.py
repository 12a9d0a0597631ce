# SPDX-License-Identifier: Apache-2.0
"""Bounds of scopes against the judge, in a few drawn ways; `python -m tests.property` has many."""

from typing import Any

import pytest
from hypothesis import Phase

from tests.property.__main__ import MODELS, play
from tests.property.bounds_rules import RULES, BoundsAgainstJudge
from tests.property.test_limits_hold import LOT
from tests.property.test_machine_against_model import MachineAgainstModel
from tradewind.core import limits, risk, stakes
from tradewind.core.types import Reason

ONLY_DRAWN = (Phase.generate,)


@pytest.mark.parametrize("model", MODELS)
def test_a_seed_is_played_for_as_many_steps_as_asked_for(model: Any) -> None:
    assert play(model, 1, 300) >= 300


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_bound_of_a_scope_that_lets_one_unit_too_much_pass_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stakes.first_over

    def lenient(intent: Any, bound: str, reason: Reason, seen: Any) -> Any:
        slack = 0 if bound != name else LOT if bound.endswith("_e8") else 1
        return real(intent, bound, reason, lambda scope: (seen(scope) or 0) - slack)

    for module in (stakes, limits):
        monkeypatch.setattr(module, "first_over", lenient)
    with pytest.raises(AssertionError):
        play(BoundsAgainstJudge, 1, 5_000, ONLY_DRAWN)


def test_a_machine_without_its_position_limit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tuple(rule for rule in risk.OWN_RULES if rule is not risk.position_within)
    monkeypatch.setattr(risk, "OWN_RULES", rules)
    with pytest.raises(AssertionError):
        play(MachineAgainstModel, 1, 5_000, ONLY_DRAWN)
