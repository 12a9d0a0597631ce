# SPDX-License-Identifier: Apache-2.0
"""Each control that is on has a check that can be left out, and tests that are asked."""

import ast

import pytest

from tests.mutation.checks import CHECKS, TESTS_OF, Check, source_of, without
from tradewind.core.control import Standing
from tradewind.core.controls import CONTROLS


def test_every_control_that_is_on_has_a_check() -> None:
    is_on = {control.code for control in CONTROLS if control.standing is Standing.ON}
    assert {check.code for check in CHECKS} == is_on
    assert len(set(CHECKS)) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.code} {check.function}")
def test_a_check_is_there_to_be_left_out_and_has_tests(check: Check) -> None:
    assert ast.unparse(without(check)) != ast.unparse(source_of(check))
    assert TESTS_OF[check.code]


def test_a_check_that_is_not_there_is_no_check() -> None:
    with pytest.raises(LookupError):
        without(Check("C01", "core.risk", "nothing_such"))
