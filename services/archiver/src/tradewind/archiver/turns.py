# SPDX-License-Identifier: Apache-2.0
"""Which of several archivers writes: the one that is heard writing.

The writer tells twenty times a second what is stored. Who hears nothing for a while writes itself,
with what it has read and kept meanwhile: no lease, no election, and a silent writer is found by the
very work that is missing; one whose process was seen to end is not waited for. Two that write for a
moment do no harm, since a row that is there twice is one row; the one whose name is lower goes on.
"""

import math
import time
from collections.abc import Callable

import msgspec

BEAT_S = 0.05
PATIENCE_S = 0.15
STUCK_S = 5.0


class Told(msgspec.Struct, frozen=True):
    """What a writer says: who it is, and what it knows to be stored of each stream and segment."""

    name: str
    archived: dict[str, tuple[str, int]]


class Turn:
    """One process's view of whose turn it is."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._heard_s = clock()
        self._writer = ""
        self._began_s: float | None = None
        self.is_mine = False

    @property
    def may_tell(self) -> bool:
        """This one writes, and is not stuck with it: a writer that is stuck is better silent."""
        began_s = self._began_s
        return self.is_mine and (began_s is None or self._clock() - began_s < STUCK_S)

    @property
    def silence_s(self) -> float:
        """How long nobody else was heard."""
        return self._clock() - self._heard_s

    def hear(self, name: str) -> None:
        """Another one writes."""
        if self.is_mine and self._name < name:
            return  # it hears this one too, and stops
        self._heard_s = self._clock()
        self._writer = name
        self.is_mine = False

    def hear_end(self, instance: str) -> None:
        """A process ended: if it is the one that writes, nobody will be heard."""
        if self._writer.rpartition(".")[0] == instance:
            self._heard_s = -math.inf

    def look(self) -> bool:
        """Whether it is this one's turn now; takes it if nobody is heard."""
        if not self.is_mine and self.silence_s >= PATIENCE_S:
            self.is_mine = True
        return self.is_mine

    def begin(self) -> None:
        """A write begins."""
        self._began_s = self._clock()

    def end(self) -> None:
        """It has ended well."""
        self._began_s = None
