# SPDX-License-Identifier: Apache-2.0
"""The numbers of our messages: reserved on the bus, a block at once, never used twice.

Whoever takes the session over begins where the last reserved block ends. The venue sees a hole,
asks for it, and is told that there is nothing in it. So nothing that was sent has to be kept, and
no order can ever be sent again by the session layer.

What the venue has sent needs no memory here: the journal has it, and its running numbers with it.
"""

from collections.abc import Iterable
from typing import Protocol

from tradewind.fix.message import Sent
from tradewind.fix.store import OutOfNumbers

BLOCK = 10_000
LOW = BLOCK // 2


class Ceilings(Protocol):
    """The first number of each session that nobody has reserved."""

    async def raised(self, session: str, at_least: int, by: int) -> int:
        """Reserves `by` numbers; returns the first of them, which is no less than `at_least`.

        Raises:
            BusError: if it is not certain that they are reserved.
        """


class Numbers:
    """The store of one connection (see `tradewind.fix.store`)."""

    def __init__(self, ceilings: Ceilings, session: str) -> None:
        self._ceilings = ceilings
        self._session = session
        self._next_out = 1
        self._end = 1
        self.next_in = 1

    @property
    def next_out(self) -> int:
        """The number of the next message."""
        if self._next_out >= self._end:
            raise OutOfNumbers(f"no number of session {self._session} is reserved")
        return self._next_out

    @property
    def is_low(self) -> bool:
        """Whether more numbers should be reserved soon."""
        return self._end - self._next_out < LOW

    async def begin(self, at_least: int = 1) -> None:
        """Leaves to others what they have reserved. Raises BusError."""
        self._next_out = await self._ceilings.raised(self._session, at_least, BLOCK)
        self._end = self._next_out + BLOCK

    async def extend(self) -> None:
        """Reserves more: they follow, since nobody else has this session now. Raises BusError."""
        first = await self._ceilings.raised(self._session, self._end, BLOCK)
        if first == self._end:
            self._end = first + BLOCK

    def sent(self, sent: Sent) -> None:
        """A number is used up."""
        self._next_out = sent.seq + 1

    def expect(self, number: int) -> None:
        """What the venue's next message should have."""
        self.next_in = number

    def reset(self) -> None:
        """The venue begins both sides again: only what was reserved may be used even so."""
        self.next_in = 1

    def replay(self, begin: int, end: int) -> Iterable[Sent]:
        """Nothing is ever sent again."""
        return ()
