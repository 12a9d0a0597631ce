# SPDX-License-Identifier: Apache-2.0
"""The pre-trade truth table: exact decision and reason code in every cell, on new and replace.

And the table has teeth: with any one rule removed, some cell changes.
"""

import pytest

from tests.unit.core.risk_cases import MARKET, NEW_CASES, REPLACE_CASES, Case
from tests.unit.core.terms_cases import TERMS_CASES
from tradewind.core import commands, risk
from tradewind.core.invariants import violations
from tradewind.core.terms import Rule
from tradewind.core.testing import ACCOUNT, LIMITS, MILLISECOND_NS, NEVER_NS, SYMBOL, VENUE, Desk
from tradewind.core.types import ExecType, Reason, TradingState

CASES = NEW_CASES + TERMS_CASES + REPLACE_CASES


def decided(case: Case) -> Reason:
    """What the machine says to a case."""
    desk = Desk.opened()
    case.setup(desk)
    if case.is_replace:
        return desk.replace("r", "w", **case.terms).reason
    report = desk.submit("n", **case.terms)
    assert (report.exec_type is ExecType.DENIED) == (report.reason is not Reason.NONE)
    assert violations(desk.machine.state) == []
    return report.reason


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_decision_is_the_one_in_the_table(case: Case) -> None:
    assert decided(case) is case.reason


def test_every_reason_of_the_rules_is_in_the_table() -> None:
    from_rules = {
        Reason.TOO_LATE,
        Reason.UNKNOWN_INSTRUMENT,
        Reason.INVALID_QUANTITY,
        Reason.INVALID_PRICE,
        Reason.TRADING_HALTED,
        Reason.REDUCE_ONLY,
        Reason.LIMIT_MISSING,
        Reason.MAX_ORDER_QTY,
        Reason.NO_REFERENCE_PRICE,
        Reason.STALE_REFERENCE_PRICE,
        Reason.PRICE_COLLAR,
        Reason.MAX_NOTIONAL,
        Reason.MAX_POSITION,
        Reason.MAX_EXPOSURE,
        Reason.NO_FX_RATE,
        Reason.STALE_FX_RATE,
        Reason.ATTRIBUTION_MISSING,
        Reason.INVALID_STOP_PRICE,
        Reason.INVALID_DISPLAY_QUANTITY,
        Reason.INVALID_POST_ONLY,
        Reason.INVALID_EXPIRE_TIME,
        Reason.NOT_IN_THIS_SESSION,
        Reason.VENUE_CLOSED,
        Reason.VENUE_HALTED,
    }
    assert from_rules == {case.reason for case in CASES} - {Reason.NONE}


@pytest.mark.parametrize("rule", risk.OWN_RULES, ids=lambda rule: rule.__name__)
def test_without_any_one_rule_the_table_fails(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tuple(each for each in risk.OWN_RULES if each is not rule)
    monkeypatch.setattr(risk, "OWN_RULES", rules)

    def differs(case: Case) -> bool:
        try:
            return decided(case) is not case.reason
        except (KeyError, AssertionError):
            return True  # a later rule or the request itself needed what this one had checked

    assert any(differs(case) for case in CASES)


@pytest.mark.parametrize("state", list(TradingState))
@pytest.mark.parametrize("scope", ["firm", f"account:{ACCOUNT}", f"symbol:{SYMBOL}"])
def test_a_cancel_passes_in_every_trading_state(state: TradingState, scope: str) -> None:
    desk = Desk.opened()
    desk.submit()
    desk.trading(state, scope)
    assert desk.cancel().exec_type is ExecType.PENDING_CANCEL


def test_a_cancel_passes_without_limits_or_a_fresh_reference() -> None:
    desk = Desk.opened()
    desk.submit()
    desk.limits(max_order_qty=0, max_notional=0, max_position=0, collar_bps=0)
    desk.now_ns += 3_600_000 * MILLISECOND_NS
    assert desk.cancel().exec_type is ExecType.PENDING_CANCEL


def test_no_reference_was_ever_set() -> None:
    desk = Desk()
    desk.step(
        commands.DefineInstrument(
            symbol=SYMBOL, venue=VENUE, tick_size="0.01", lot_size="0.001", currency="USD"
        )
    )
    desk.step(LIMITS)
    assert desk.submit(void_after_ns=NEVER_NS).reason is Reason.NO_REFERENCE_PRICE


def test_many_small_orders_stop_at_the_position_limit() -> None:
    desk = Desk.opened()
    reasons = [desk.submit(f"c{n}", order_qty=7).reason for n in range(40)]
    assert reasons.count(Reason.NONE) == 200 // 7
    assert desk.position.buy_working <= 200


@pytest.mark.parametrize(("reference", "worst"), [(1_000, 1_100), (999, 1_099), (1, 2)])
def test_the_collars_worst_price_is_rounded_up(reference: int, worst: int) -> None:
    for value, reason in ((worst, Reason.NONE), (worst - 1, Reason.MAX_NOTIONAL)):
        desk = Desk.opened()
        desk.limits(max_notional=value)
        desk.reference(reference)
        assert desk.submit(order_qty=1, **MARKET).reason is reason


def test_a_reference_price_is_too_old_by_one_nanosecond() -> None:
    for extra_ns, reason in ((0, Reason.NONE), (1, Reason.STALE_REFERENCE_PRICE)):
        desk = Desk.opened()
        desk.reference(1_000)
        desk.now_ns += (LIMITS.max_reference_age_ms - 1) * MILLISECOND_NS + extra_ns
        assert desk.submit().reason is reason
