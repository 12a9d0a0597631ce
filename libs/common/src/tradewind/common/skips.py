# SPDX-License-Identifier: Apache-2.0
"""Who has an entry that no replica can apply left out: two people, each by an entry of their own.

A shard stands still at such an entry, so its core cannot count the words. Whoever replays the
journal does, by what is journaled further on, and all come to the same decision: the first two
words of different people. Each person's name was put into theirs by the gateway that knew them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tradewind.common import codec, subjects
from tradewind.common.jetstream import Bus, Record, read_subject
from tradewind.core.commands import AskSkip, SkipEntry

WORDS = (AskSkip, SkipEntry)
_RECORDS_PER_READ = 100


@dataclass(slots=True)
class Skips:
    """What is decided, and what one person has asked for; by the sequence of the entry."""

    decided: dict[int, SkipEntry] = field(default_factory=dict)
    asked: dict[int, AskSkip] = field(default_factory=dict)

    def hear(self, seq: int, word: AskSkip | SkipEntry) -> None:
        """The word that the journal has at `seq`; in order. It is about an earlier entry."""
        if word.seq in self.decided or seq <= word.seq:
            return
        if isinstance(word, SkipEntry):
            self.decided[word.seq] = word
            return
        if not word.actor:
            return
        first = self.asked.setdefault(word.seq, word)
        if word.actor != first.actor:
            del self.asked[word.seq]
            self.decided[word.seq] = SkipEntry(
                seq=word.seq, actor=first.actor, second_actor=word.actor, reason=first.reason
            )


def skips_in(words: Iterable[tuple[int, bytes]]) -> Skips:
    """What follows from entries, each with its sequence.

    Raises:
        CodecError: if one of them is none.
    """
    found = Skips()
    for seq, body in sorted(words):
        command = codec.decode_command(body)
        if isinstance(command, WORDS):
            found.hear(seq, command)
    return found


async def read_skips(bus: Bus, shard: int, first: int = 1) -> Skips:
    """What the journal of a shard says from sequence `first` on, as one replica of it has it now.

    Raises:
        BusError, CodecError: if it cannot be read.
    """
    records: list[Record] = []
    for word in WORDS:
        records += await _all_on(bus, shard, subjects.journal_control(shard, word.__name__), first)
    return skips_in((record.seq, record.body) for record in records)


def is_word(subject: str) -> bool:
    """Whether an entry on this subject may say something about skipping."""
    return subject.rpartition(".")[2] in {word.__name__ for word in WORDS}


async def _all_on(bus: Bus, shard: int, subject: str, first: int) -> list[Record]:
    found: list[Record] = []
    stream = subjects.journal_stream(shard)
    while records := await read_subject(bus, stream, subject, first, _RECORDS_PER_READ):
        found += records
        first = records[-1].seq + 1
    return found
