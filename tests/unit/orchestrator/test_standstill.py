# SPDX-License-Identifier: Apache-2.0
"""Which copies stay behind without progress, and which are only slow, or cut off."""

from collections.abc import Iterable

from tradewind.orchestrator.copies import Copy
from tradewind.orchestrator.standstill import STANDS_STILL_S, Standstill

LOOKS = range(int(STANDS_STILL_S) + 1)


def copy(node: str, last_seq: int, leader: str = "n1") -> Copy:
    return Copy(
        node=node,
        stream="JOURNAL_0",
        leader=leader,
        first_seq=1,
        last_seq=last_seq,
        records=last_seq,
        folders=(),
    )


def found(looks: Iterable[list[Copy]]) -> list[str]:
    """The nodes found at the last of many looks, one in a second."""
    standstill = Standstill()
    names: list[str] = []
    for second, copies in enumerate(looks):
        names = [each.node for each in standstill.found(copies, float(second))]
    return names


def test_a_copy_that_got_nothing_for_a_while_stands_still() -> None:
    looks = [[copy("n1", 100 + second), copy("n2", 60)] for second in LOOKS]
    assert found(looks) == ["n2"]
    assert found(looks[:-1]) == []


def test_a_log_that_nobody_writes_to_may_lack_records_in_a_copy_too() -> None:
    assert found([[copy("n1", 100), copy("n2", 60)] for _ in LOOKS]) == ["n2"]


def test_a_copy_that_catches_up_however_slowly_is_left_alone() -> None:
    assert found([copy("n1", 10_000), copy("n2", 60 + second // 5)] for second in range(60)) == []


def test_a_copy_that_follows_is_left_alone_though_it_is_never_quite_there() -> None:
    assert found([copy("n1", 101 + second), copy("n2", 100 + second)] for second in LOOKS) == []


def test_a_log_at_rest_stands_still_nowhere() -> None:
    assert found([copy("n1", 100), copy("n2", 100)] for _ in range(60)) == []


def test_a_node_that_is_cut_off_is_not_restarted_for_that() -> None:
    looks = [[copy("n1", 100), copy("n2", 60, leader="")] for _ in range(60)]
    assert found(looks) == []
    assert found(looks + [[copy("n1", 100), copy("n2", 60)]] * 2) == []


def test_a_node_that_was_silent_meanwhile_has_its_full_time_again() -> None:
    stuck = [copy("n1", 100), copy("n2", 60)]
    assert found([stuck] * 9 + [[copy("n1", 100)]] + [stuck] * 9) == []


def test_a_copy_with_a_record_that_another_one_lacks_is_kept() -> None:
    assert found([[copy("n1", 100), copy("n2", 60), copy("n3", 50)] for _ in LOOKS]) == ["n3"]
    assert found([[copy("n1", 100), copy("n2", 60), copy("n3", 60)] for _ in LOOKS]) == []
