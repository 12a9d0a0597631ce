# SPDX-License-Identifier: Apache-2.0
"""When a process is restarted, with given times."""

from tradewind.orchestrator.policy import EXIT_CORRUPTION, RestartPolicy


def policy() -> RestartPolicy:
    return RestartPolicy(restarts_max=3, window_ms=1_000, backoff_ms=100)


def test_the_first_restart_comes_at_once_and_the_next_ones_wait_longer() -> None:
    under_test = policy()
    assert [under_test.delay_ms(now_ms, -9) for now_ms in (0, 1, 2)] == [0, 100, 200]


def test_one_more_end_than_allowed_within_the_window_is_given_up() -> None:
    under_test = policy()
    for now_ms in (0, 300, 600):
        assert under_test.delay_ms(now_ms, 1) is not None
    assert under_test.delay_ms(900, 1) is None


def test_ends_that_are_further_apart_than_the_window_are_restarted_for_ever() -> None:
    under_test = policy()
    delays = [under_test.delay_ms(now_ms, 1) for now_ms in range(0, 20_000, 1_001)]
    assert set(delays) == {0}


def test_the_window_slides_with_time() -> None:
    under_test = policy()
    for now_ms in (0, 900, 950):
        under_test.delay_ms(now_ms, 1)
    assert under_test.delay_ms(1_001, 1) == 200, "the first end has left the window"
    assert under_test.delay_ms(1_002, 1) is None


def test_corruption_is_never_restarted() -> None:
    assert policy().delay_ms(0, EXIT_CORRUPTION) is None


def test_an_end_of_unknown_code_counts_like_any_other() -> None:
    under_test = policy()
    assert [under_test.delay_ms(0, None) for _ in range(4)] == [0, 100, 200, None]
