# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.mutation.checks`: every check of a control is left out in turn.

A check is a function; left out, it says that nothing is wrong. The control's own unit tests
(`core/controls.py`) have to notice. Ends with 1 if those of some check do not.
"""

import ast
import os
import sys
from dataclasses import dataclass

from tests.mutation import runner
from tradewind.core.controls import CONTROLS

TESTS_OF = {
    control.code: tuple(test for test in control.tests if test.startswith("tests/unit/"))
    for control in CONTROLS
}


@dataclass(frozen=True, slots=True)
class Check:
    """A function that checks; `instead` is the expression that it returns when it is left out."""

    code: str
    module: str
    function: str
    instead: str = "None"

    @property
    def name(self) -> str:
        """Of the module, for imports."""
        return f"tradewind.{self.module}"


CHECKS = (
    Check("C01", "core.risk", "limits_present"),
    Check("C01", "core.risk", "quantity_within"),
    Check("C01", "core.limits", "lots_within"),
    Check("C01", "core.limits", "limits_complete"),
    Check("C02", "core.risk", "notional_within"),
    Check("C02", "core.limits", "value_within"),
    Check("C03", "core.risk", "price_in_collar"),
    Check("C04", "core.limits", "price_steady"),
    Check("C05", "core.terms", "terms_sane"),
    Check("C05", "core.terms", "instructions_sane"),
    Check("C06", "core.identity", "earlier_use"),
    Check("C07", "core.limits", "content_not_repeated"),
    Check("C08", "core.limits", "messages_within"),
    Check("C09", "core.limits", "repeats_within"),
    Check("C10", "core.stakes", "orders_within"),
    Check("C11", "core.risk", "position_within"),
    Check("C11", "core.stakes", "position_in_scopes"),
    Check("C12", "core.exposure", "exposure_within"),
    Check("C12", "core.stakes", "exposure_in_scopes"),
    Check("C12", "core.shares", "part", "getattr(limits, bound)"),
    Check("C13", "core.stakes", "credit_within"),
    Check("C14", "core.parents", "reason_against_child"),
    Check("C14", "core.parents", "reason_against_replace"),
    Check("C14", "core.limits", "children_within"),
    Check("C14", "core.limits", "parent_value_within"),
    Check("C15", "core.stakes", "turnover_within"),
    Check("C16", "core.limits", "orders_to_trades"),
    Check("C18", "core.limits", "no_self_match"),
    Check("C19", "core.terms", "instrument_known"),
    Check("C20", "core.terms", "attributed"),
    Check("C20", "core.limits", "limits_complete"),
    Check("C20", "gateway.auth", "Key.may_use", "True"),
    Check("C21", "core.risk", "reference_fresh"),
    Check("C21", "risk.reference", "QuoteSeen.mid", "(self.bid_px + self.ask_px) // 2"),
    Check("C22", "core.limits", "price_steady"),
    Check("C23", "core.risk", "trading_allowed"),
    Check("C24", "core.terms", "session_takes"),
    Check("C25", "core.results", "reduced", "()"),
    Check("C26", "core.results", "reduced", "()"),
    Check("C27", "core.losses", "reduced", "()"),
    Check("C28", "core.risk", "trading_allowed"),
    Check("C28", "core.decide_kill", "_wanted", "[]"),
    Check("C28", "core.decide_kill", "is_killed", "False"),
    Check("C28", "venue.outbound", "Outbound._is_late", "False"),
    Check("C29", "gateway.disconnects", "Disconnects._cancel"),
    Check("C30", "core.terms", "instructions_sane"),
    Check("C30", "core.limits", "time_in_force_permitted"),
    Check("C32", "core.terms", "in_time"),
    Check("C32", "gateway.nonces", "Nonces.take"),
    Check("C33", "oms.replica", "Replica._compare"),
    Check("C33", "venue.session", "ShardSession._is_meant", "True"),
    Check("C34", "core.limits", "build_approved"),
    Check("C34", "oms.replica", "Replica.is_shadow", "False"),
    Check("C35", "core.decide_position", "_refusal", "Reason.NONE"),
    Check("C35", "core.decide_position", "_known", "_compared(state, command).difference"),
    Check("C35", "risk.reconcile.matching", "Matching.differences", "iter(())"),
    Check("C35", "risk.reconcile.grades", "Patience.grade", "Grade.NONE"),
    Check("C35", "risk.reconcile.breaker", "Breaker.look", "[]"),
    Check("C36", "risk.alerts", "Alerts.take"),
    Check("C36", "risk.alerts", "Alerts._hand_on"),
)


def source_of(check: Check) -> ast.Module:
    """Its module as it is."""
    return ast.parse(runner.path_of(check.name).read_text(encoding="utf-8"))


def without(check: Check) -> ast.Module:
    """Its module with the check left out.

    Raises:
        LookupError: if there is no such function.
    """
    tree = source_of(check)
    body: list[ast.stmt] = tree.body
    found: ast.stmt | None = None
    for part in check.function.split("."):
        found = next((item for item in body if getattr(item, "name", "") == part), None)
        body = found.body if isinstance(found, ast.ClassDef) else []
    if not isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
        raise LookupError(f"there is no {check.function} in {check.name}")
    found.body = ast.parse(f"return {check.instead}").body
    return ast.fix_missing_locations(tree)


def main() -> int:
    """Leaves out each check and prints what came of it."""
    os.nice(10)
    runner.warm_up()
    noticed = 0
    for check in CHECKS:
        tests = TESTS_OF[check.code]
        if not runner.passes(check.name, source_of(check), tests):
            sys.exit(f"{check.code}: the tests fail with every check in its place")
        found = not runner.passes(check.name, without(check), tests)
        noticed += found
        word = "noticed" if found else "not noticed"
        print(f"{check.code} {check.module}.{check.function}: {word}", flush=True)
    count = len({check.code for check in CHECKS})
    print(f"{noticed} of {len(CHECKS)} checks of {count} controls are missed when left out")
    return int(noticed < len(CHECKS))


if __name__ == "__main__":
    sys.exit(main())
