# SPDX-License-Identifier: Apache-2.0
"""Whatever rule the core lacks, or has too wide by a little, the second look notices."""

from types import ModuleType
from typing import Any

import pytest

from tests.unit.core.test_limits import governed
from tests.unit.risk.looks import said, said_of_days
from tests.unit.risk.random_days import LOT
from tradewind.core import (
    activity,
    commands,
    decide_account,
    decide_client,
    exposure,
    limits,
    parents,
    risk,
    stakes,
    terms,
)
from tradewind.core.terms import Rule
from tradewind.core.types import Reason, TradingState
from tradewind.risk.scope_checks import PARENT_CHECKS, SCOPE_CHECKS
from tradewind.risk.window_checks import WINDOW_CHECKS

OF_TERMS: dict[Rule, tuple[str, ...]] = {
    terms.attributed: ("C20 client, strategy",),
    terms.terms_sane: ("C05",),
    terms.instructions_sane: ("C05", "C30 expires"),
}
WITHOUT: list[tuple[Rule, str]] = [
    (limits.limits_complete, "C01 no scope bounds"),
    (limits.limits_complete, "C20 no limits for its strategy"),
    (limits.build_approved, "C34"),
    (limits.time_in_force_permitted, "C30 1 is more than the 0 of allows_gtc"),
    (limits.lots_within, "C01"),
    (limits.value_within, "C02"),
    (stakes.orders_within, "C10"),
    (stakes.position_in_scopes, "C11"),
    (stakes.exposure_in_scopes, "C12"),
    (stakes.credit_within, "C13"),
    (stakes.turnover_within, "C15"),
    (risk.quantity_within, "C01"),
    (risk.reference_fresh, "C21"),
    (risk.price_in_collar, "C03"),
    (risk.notional_within, "C02"),
    (risk.position_within, "C11"),
    (exposure.exposure_within, "C12"),
    (risk.trading_allowed, "C23"),
    (risk.trading_allowed, "C28"),
    (terms.in_time, "C32"),
    (terms.session_takes, "C24"),
    (limits.messages_within, "C08"),
    (limits.repeats_within, "C09"),
    (limits.content_not_repeated, "C07"),
    (limits.price_steady, "C04"),
    (limits.price_steady, "C22"),
    (limits.orders_to_trades, "C16"),
    (limits.no_self_match, "C18"),
    (limits.children_within, "C14"),
    (limits.parent_value_within, "C14"),
]
WITHOUT += [(rule, code) for rule, codes in OF_TERMS.items() for code in codes]


@pytest.mark.parametrize(("rule", "code"), WITHOUT, ids=[f"{r.__name__} {c}" for r, c in WITHOUT])
def test_a_core_that_lacks_a_rule_is_caught(
    rule: Rule, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RULES", "OWN_RULES", "PARENT_RULES"):
        monkeypatch.setattr(risk, name, tuple(r for r in getattr(risk, name) if r is not rule))
    assert any(text.startswith(code) for text in said_of_days())


YES_OR_NO = {"allows_gtc", "allows_self_match"}
AMOUNTS = [row[1] for row in (*SCOPE_CHECKS, *PARENT_CHECKS) if row[1] not in YES_OR_NO]


@pytest.mark.parametrize("bound", AMOUNTS)
def test_a_core_that_lets_a_little_too_much_pass_is_caught(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one order or lot, or by a little of value."""
    real = stakes.first_over

    def lenient(intent: Any, name: str, reason: Reason, seen: Any) -> Any:
        slack = 0 if name != bound else 2 * LOT if bound.endswith("_e8") else 1
        return real(intent, name, reason, lambda scope: (seen(scope) or 0) - slack)

    for module in (stakes, limits):
        monkeypatch.setattr(module, "first_over", lenient)
    assert any(f"of {bound} in" in text for text in said_of_days())


@pytest.mark.parametrize("row", WINDOW_CHECKS, ids=[row[1] for row in WINDOW_CHECKS])
@pytest.mark.parametrize(("more", "less_ms"), [(1, 0), (0, 1)], ids=["more", "sooner"])
def test_a_core_that_lets_it_happen_once_too_often_or_too_soon_is_caught(
    row: Any, more: int, less_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = activity.is_reached

    def lenient(times: list[int], limit: int, window_ms: int, now_ns: int) -> bool:
        return real(times, limit + more, window_ms - less_ms, now_ns)

    monkeypatch.setattr(activity, "is_reached", lenient)
    assert any(text.startswith(row[0]) and f"of {row[1]} in" in text for text in said_of_days())


@pytest.mark.parametrize("where", [decide_account, decide_client])
def test_a_core_that_forgets_request_ids_is_caught(
    where: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, "earlier_use", lambda _state, _command: None)
    assert any(text.startswith("C06 request id") for text in said_of_days())


@pytest.mark.parametrize(
    ("rule", "reason", "text"),
    [
        ("reason_against_child", Reason.UNKNOWN_PARENT, "C14 its parent is none"),
        ("reason_against_child", Reason.PARENT_NOT_WORKING, "C14 its parent is PENDING_CANCEL"),
        ("reason_against_child", Reason.PARENT_MISMATCH, "C14 its parent is in something else"),
        ("reason_against_child", Reason.PARENT_MISMATCH, "C14 a parent has no parent"),
        ("reason_against_child", Reason.PARENT_EXCEEDED, "lots of children are more than"),
        ("reason_against_replace", Reason.PARENT_EXCEEDED, "lots of children are more than"),
    ],
)
def test_a_core_that_lets_a_family_do_what_it_may_not_is_caught(
    rule: str, reason: Reason, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(parents, rule)

    def lenient(*words: Any) -> Reason | None:
        found: Reason | None = real(*words)
        return None if found is reason else found

    monkeypatch.setattr(parents, rule, lenient)
    assert any(text in found for found in said_of_days())


@pytest.mark.parametrize("lots", [1, 2])
def test_a_core_that_counts_a_family_one_lot_short_is_caught(
    lots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = parents._free
    monkeypatch.setattr(parents, "_free", lambda parent: real(parent) + lots)
    assert any("lots of children are more than" in text for text in said_of_days())


@pytest.mark.parametrize(
    ("allows", "what"),
    [
        (lambda state, _intent: _unless(state, "KILLED"), "C28"),
        (lambda state, _intent: _unless(state, "HALTED"), "C23 firm is halted"),
        (lambda state, _intent: _unless(state, "REDUCING"), "C23 20 lots more than closing"),
    ],
)
def test_a_core_that_does_not_know_a_state_is_caught(
    allows: Any, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = governed()
    desk.submit("before")
    name = what.partition(" ")[0]
    if name == "C28":
        desk.step(commands.KillScope(scope="firm", kill_id="k", actor="op", reason="drill"))
    else:
        desk.trading(TradingState.HALTED if "halted" in what else TradingState.REDUCING)
    assert list(said(desk.outputs)) == []
    rules = tuple(r for r in risk.RULES if r is not risk.trading_allowed)
    monkeypatch.setattr(risk, "RULES", (*rules, allows))
    desk.submit("after")
    assert any(text.startswith(what) for text in said(desk.outputs))


def _unless(state: Any, word: str) -> Reason | None:
    """A rule that forgets one word."""
    found = {"KILLED"} if state.kills and word != "HALTED" else set()
    found |= {each.state.value for each in state.trading_states.values()}
    return Reason.TRADING_HALTED if found - {word, "HALTED", "ACTIVE"} else None
