# SPDX-License-Identifier: Apache-2.0
"""Kinds of difference and how long they stand: what follows."""

import pytest

from tradewind.risk.reconcile.grades import Difference, Grade, Kind, Patience, Standings

PATIENCE = Patience(alert_ms=5, reducing_ms=10, halted_ms=20, away_ms=60, tolerance=3)
N, A, R, H = Grade


def differs(kind: Kind, venue: int = 10, booked: int = 0, name: str = "x") -> Difference:
    return Difference(kind=kind, name=name, symbol="S", venue=venue, booked=booked, text="")


@pytest.mark.parametrize(
    ("difference", "grades"),
    [
        # at an age of                          0  4  5  9 10 19 20 59 60 ms
        (differs(Kind.EXECUTION), (N, N, A, A, R, R, H, H, H)),
        (differs(Kind.ORDER), (N, N, A, A, R, R, R, R, R)),
        (differs(Kind.POSITION), (N, N, A, A, R, R, H, H, H)),
        (differs(Kind.POSITION, 4), (N, N, A, A, R, R, H, H, H)),
        (differs(Kind.POSITION, 3), (N, N, A, A, A, A, A, A, A)),
        (differs(Kind.POSITION, 0, 3), (N, N, A, A, A, A, A, A, A)),
        (differs(Kind.AWAY), (A, A, A, A, A, A, A, A, R)),
    ],
)
def test_what_follows_depends_on_kind_and_age(
    difference: Difference, grades: tuple[Grade, ...]
) -> None:
    for age_ms, grade in zip((0, 4, 5, 9, 10, 19, 20, 59, 60), grades, strict=True):
        assert PATIENCE.grade(difference, age_ms) is grade, age_ms


def test_a_drop_copy_may_be_away_for_ever_if_people_say_so() -> None:
    patience = Patience(alert_ms=5, reducing_ms=10, halted_ms=20, away_ms=0, tolerance=0)
    assert patience.grade(differs(Kind.AWAY), 10**9) is Grade.ALERT


def test_a_difference_ages_from_the_first_look_and_is_forgotten_when_it_is_gone() -> None:
    standings = Standings(PATIENCE)
    one = differs(Kind.ORDER)
    assert [each.age_ms for each in standings.look([one], 100)] == [0]
    assert [each.age_ms for each in standings.look([one], 107)] == [7]
    assert standings.look([], 108) == []
    assert [each.age_ms for each in standings.look([one], 109)] == [0]


def test_what_changes_at_one_side_only_goes_on_ageing() -> None:
    standings = Standings(PATIENCE)
    standings.look([differs(Kind.ORDER, 10, 5)], 0)
    assert standings.look([differs(Kind.ORDER, 12, 5)], 9)[0].age_ms == 9
    assert standings.look([differs(Kind.ORDER, 14, 12)], 12)[0].age_ms == 0
    assert standings.look([differs(Kind.ORDER, 14, 13)], 20)[0].age_ms == 8
