# SPDX-License-Identifier: Apache-2.0
"""Two people decide that an entry never counted, each by an entry of their own; nobody alone."""

from tradewind.common import codec
from tradewind.common.skips import Skips, is_word, skips_in
from tradewind.common.subjects import journal_subject
from tradewind.core.commands import AdvanceTime, AskSkip, Command, SkipEntry

POISON = 5


def word(actor: str, seq: int = POISON, reason: str = "unreadable") -> AskSkip:
    return AskSkip(seq=seq, actor=actor, reason=reason)


def heard(*commands: Command, first: int = POISON + 1) -> Skips:
    """As further entries of a journal, told out of order."""
    entries = [(first + place, codec.encode(command)) for place, command in enumerate(commands)]
    return skips_in(reversed(entries))


def test_two_peoples_words_are_the_decision_in_the_name_of_both() -> None:
    found = heard(word("ann", reason="first"), word("bob", reason="agreed"))
    decision = SkipEntry(seq=POISON, actor="ann", second_actor="bob", reason="first")
    assert (found.decided, found.asked) == ({POISON: decision}, {})


def test_one_person_alone_decides_nothing_however_often() -> None:
    found = heard(word("ann"), word("ann"), word("ann"))
    assert (found.decided, found.asked) == ({}, {POISON: word("ann")})


def test_words_without_a_name_count_for_nobody() -> None:
    assert heard(word("ann"), word("")).decided == {}
    assert heard(word(""), word("ann")).decided == {}


def test_words_about_different_entries_do_not_add_up() -> None:
    found = heard(word("ann"), word("bob", seq=4))
    assert (found.decided, set(found.asked)) == ({}, {POISON, 4})


def test_nobody_decides_about_what_is_yet_to_come() -> None:
    """Else two words said beforehand would leave out whatever came to stand there."""
    found = heard(word("ann"), word("bob"), first=POISON - 1)
    assert (found.decided, found.asked) == ({}, {})


def test_the_first_decision_stands() -> None:
    found = heard(word("ann"), word("bob"), word("cid"), word("dee"))
    skip = found.decided[POISON]
    assert (skip.actor, skip.second_actor, found.asked) == ("ann", "bob", {})


def test_a_decision_from_before_each_had_a_word_of_their_own_still_holds() -> None:
    old = SkipEntry(seq=POISON, actor="ann", second_actor="bob", reason="unreadable")
    assert heard(old, word("cid")).decided == {POISON: old}


def test_other_entries_say_nothing_about_it() -> None:
    assert heard(AdvanceTime(source="oms")) == Skips()
    assert is_word(journal_subject(0, word("ann")))
    assert not is_word(journal_subject(0, AdvanceTime(source="oms")))
