# SPDX-License-Identifier: Apache-2.0
"""What a session has to remember beyond its connection. Where it is kept is not said here."""

from collections.abc import Iterable
from typing import Protocol

from tradewind.fix.message import Sent


class OutOfNumbers(Exception):
    """No number may be used now: the session must not send."""


class Store(Protocol):
    """The numbers of one session, and what may be sent again."""

    @property
    def next_out(self) -> int:
        """The number of the next message to the peer.

        Raises:
            OutOfNumbers: if it may not be used.
        """

    @property
    def next_in(self) -> int:
        """The number that the peer's next message should have."""

    def sent(self, sent: Sent) -> None:
        """This one leaves now, with the number `next_out`, which is one more from now on."""

    def expect(self, number: int) -> None:
        """`next_in` is this from now on."""

    def reset(self) -> None:
        """Both sides begin with 1 again, as both have said."""

    def replay(self, begin: int, end: int) -> Iterable[Sent]:
        """What was sent with these numbers and is to be sent again; the rest is gap-filled."""
