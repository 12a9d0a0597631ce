# SPDX-License-Identifier: Apache-2.0
"""What happened counts inside its window, and as far back as the bounds looked at the time."""

from tradewind.risk.recent import MILLISECOND_NS, Recent


def test_the_window_is_open_at_its_far_end() -> None:
    recent = Recent()
    for ms in (0, 1, 5):
        recent.add(ms * MILLISECOND_NS, 9)
    counts = [recent.count(window_ms, 5 * MILLISECOND_NS) for window_ms in (1, 4, 5, 6)]
    assert counts == [1, 1, 2, 3]


def test_what_happened_under_a_narrow_bound_is_not_held_against_a_wider_one() -> None:
    recent = Recent()
    for now_ns, keep in enumerate((9, 9, 9, 2, 9)):
        recent.add(now_ns, keep)
    assert recent.times == [2, 3, 4]


def test_where_no_bound_looks_nothing_is_remembered() -> None:
    recent = Recent()
    recent.add(1, 9)
    recent.add(2, -1)
    assert recent.times == []
    recent.add(3, 0)
    assert recent.count(1, 3) == 1
    recent.forget()
    assert recent.times == []
