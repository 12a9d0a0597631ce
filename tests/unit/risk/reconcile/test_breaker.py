# SPDX-License-Identifier: Apache-2.0
"""From differences to trading states: what is journaled, when, and when not again."""

from tradewind.core.commands import SetTradingState
from tradewind.core.events import TradingStateSet
from tradewind.core.types import TradingState
from tradewind.risk.reconcile.breaker import ACTOR, AGAIN_MS, Breaker
from tradewind.risk.reconcile.grades import Difference, Grade, Kind, Standing

SCOPE = "symbol:S"
ACTIVE, REDUCING, HALTED = TradingState


def standing(grade: Grade, name: str = "o", symbol: str = "S") -> Standing:
    kind = Kind.ORDER if symbol else Kind.AWAY
    return Standing(
        Difference(kind=kind, name=name, symbol=symbol, venue=1, booked=0, text="why"), 0, grade
    )


def was_set(state: TradingState, actor: str = "kim", reason: str = "", scope: str = SCOPE):  # type: ignore[no-untyped-def]
    return TradingStateSet(scope=scope, state=state, actor=actor, reason=reason)


def journaled(breaker: Breaker, *found: Standing, now_ms: int = 0) -> list[tuple[int, str, str]]:
    orders = breaker.look(found, now_ms)
    return [(each.shard, each.command.scope, each.command.state.name) for each in orders]


def play(breaker: Breaker, *found: Standing, now_ms: int = 0) -> list[SetTradingState]:
    """What is journaled takes effect at once."""
    commands = []
    for order in breaker.look(found, now_ms):
        command = order.command
        commands.append(command)
        breaker.hear(
            order.shard, was_set(command.state, command.actor, command.reason, command.scope)
        )
    return commands


def test_a_state_is_set_in_every_shard_and_names_what_it_is_for() -> None:
    first = Breaker("SIM", 2).look([standing(Grade.REDUCING)], 0)
    assert [each.shard for each in first] == [0, 1]
    assert first[0].command == SetTradingState(
        scope=SCOPE, state=REDUCING, actor=ACTOR, reason="order:o why"
    )


def test_nothing_is_set_for_an_alert_and_once_only_for_many_differences() -> None:
    breaker = Breaker("SIM", 1)
    assert journaled(breaker, standing(Grade.ALERT), standing(Grade.NONE)) == []
    found = [standing(Grade.REDUCING, f"o{number}") for number in range(5)]
    assert journaled(breaker, *found, standing(Grade.HALTED, "p")) == [(0, SCOPE, "HALTED")]


def test_a_drop_copy_that_is_away_concerns_all_that_its_venue_trades() -> None:
    away = standing(Grade.REDUCING, "SIM", symbol="")
    assert journaled(Breaker("SIM", 1), away) == [(0, "venue:SIM", "REDUCING")]


def test_what_is_in_force_is_not_set_again_and_never_loosened() -> None:
    breaker = Breaker("SIM", 1)
    breaker.hear(0, was_set(HALTED, "core"))
    assert journaled(breaker, standing(Grade.REDUCING)) == []
    assert journaled(breaker, standing(Grade.HALTED)) == []


def test_what_was_not_stored_is_journaled_again_after_a_while() -> None:
    breaker = Breaker("SIM", 1)
    assert len(journaled(breaker, standing(Grade.REDUCING))) == 1
    assert journaled(breaker, standing(Grade.REDUCING), now_ms=AGAIN_MS - 1) == []
    assert len(journaled(breaker, standing(Grade.REDUCING), now_ms=AGAIN_MS)) == 1


def test_a_late_entry_of_another_process_that_loosens_is_put_right() -> None:
    breaker = Breaker("SIM", 1)
    assert len(play(breaker, standing(Grade.HALTED))) == 1
    breaker.hear(0, was_set(REDUCING, ACTOR, "order:o why"))
    assert journaled(breaker, standing(Grade.HALTED)) == [(0, SCOPE, "HALTED")]


def test_what_people_have_judged_is_not_acted_on_again_while_it_stands() -> None:
    breaker = Breaker("SIM", 1)
    play(breaker, standing(Grade.REDUCING), standing(Grade.ALERT, "other"))
    breaker.hear(0, was_set(ACTIVE))
    assert play(breaker, standing(Grade.HALTED), standing(Grade.HALTED, "other")) == []
    assert len(play(breaker, standing(Grade.HALTED), standing(Grade.REDUCING, "new"))) == 1


def test_what_went_and_came_back_is_another_difference() -> None:
    breaker = Breaker("SIM", 1)
    play(breaker, standing(Grade.REDUCING))
    breaker.hear(0, was_set(ACTIVE))
    assert play(breaker, standing(Grade.REDUCING)) == []
    assert play(breaker) == []
    assert len(play(breaker, standing(Grade.REDUCING))) == 1


def test_a_process_that_starts_later_knows_what_people_have_judged() -> None:
    breaker, later = Breaker("SIM", 1), Breaker("SIM", 1)
    found = [standing(Grade.REDUCING), standing(Grade.ALERT, "too"), standing(Grade.NONE, "not")]
    (command,) = play(breaker, *found)
    assert command.reason == "order:o,order:too why"
    later.hear(0, was_set(REDUCING, ACTOR, command.reason))
    later.hear(0, was_set(ACTIVE))
    assert journaled(later, standing(Grade.HALTED), standing(Grade.HALTED, "too")) == []
    other = standing(Grade.HALTED, "other")
    assert journaled(later, standing(Grade.HALTED), other) == [(0, SCOPE, "HALTED")]
