# SPDX-License-Identifier: Apache-2.0
"""The table of controls is whole, its tests exist, and the document is what the table says."""

from collections import Counter
from pathlib import Path

import pytest

from tests.unit.core.risk_controls import DOCUMENT, document
from tradewind.core.control import Control, Standing
from tradewind.core.controls import CONTROL_OF, CONTROLS
from tradewind.core.types import Reason

ADVICE = "docs/risk-controls.md is another one: python -m tests.unit.core.risk_controls"
ROOT = Path(__file__).parents[3]
IN_FORCE = [c for c in CONTROLS if c.standing in (Standing.ON, Standing.PARTLY)]
OF_NO_CONTROL = {
    Reason.NONE,
    Reason.UNKNOWN_ORDER,
    Reason.ORDER_IS_FINAL,
    Reason.REQUEST_PENDING,
    Reason.TOO_MANY_PENDING,
    Reason.NOTHING_TO_FLATTEN,
    Reason.BY_VENUE,
    Reason.INSTRUMENT_IN_USE,
    Reason.INVALID_INSTRUMENT,
    Reason.INVALID_RATE,
    Reason.INVALID_DATE,
    Reason.STALE_VERSION,
    Reason.NOT_KILLED,
    Reason.INVALID_SCOPE,
    Reason.ROOT_CAUSE_MISSING,
    Reason.INVALID_LIMIT,
    Reason.SECOND_PERSON_NEEDED,
    Reason.NOT_PROPOSED,
    Reason.SHARE_NOT_NEXT,
    Reason.NOTHING_TO_SHARE,
    Reason.INTERNAL,
}
"""What is wrong with a request or an operator's entry, not with an order's risk."""


def test_there_are_36_controls_in_order() -> None:
    assert [control.code for control in CONTROLS] == [f"C{n:02}" for n in range(1, 37)]


def test_every_reason_code_belongs_to_one_control_or_to_none() -> None:
    counts = Counter(reason for control in CONTROLS for reason in control.reasons)
    assert set(counts.values()) == {1}
    assert set(CONTROL_OF) | OF_NO_CONTROL == set(Reason)
    assert not set(CONTROL_OF) & OF_NO_CONTROL


@pytest.mark.parametrize("control", IN_FORCE, ids=lambda control: control.code)
def test_what_is_in_force_has_a_setting_and_tests_that_exist(control: Control) -> None:
    assert control.setting
    assert control.tests
    assert [path for path in control.tests if not (ROOT / path).is_file()] == []


def test_only_market_impact_and_regulatory_marks_are_optional() -> None:
    assert [c.code for c in CONTROLS if c.standing is Standing.OFF] == ["C17", "C31"]


def test_the_document_is_drawn_from_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), ADVICE
