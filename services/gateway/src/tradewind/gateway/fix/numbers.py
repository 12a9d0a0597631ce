# SPDX-License-Identifier: Apache-2.0
"""The numbers of one connection. Both sides begin with 1 at each Logon."""

from collections import deque
from collections.abc import Iterator

from tradewind.fix import tags
from tradewind.fix.message import Sent

REMEMBERED = 10_000
"""As many of the last reports may be sent again; in place of older ones the gap is filled."""


class Numbers:
    """A store of the session layer that lasts as long as its connection."""

    def __init__(self) -> None:
        self.next_out = 1
        self.next_in = 1
        self._sent: deque[Sent] = deque(maxlen=REMEMBERED)

    def sent(self, sent: Sent) -> None:
        """Remembers what leaves, but for messages of the session itself."""
        self.next_out = sent.seq + 1
        if sent.msg_type not in tags.ADMIN:
            self._sent.append(sent)

    def expect(self, number: int) -> None:
        """`next_in` is this from now on."""
        self.next_in = number

    def reset(self) -> None:
        """Both sides begin with 1."""
        self.next_out = self.next_in = 1
        self._sent.clear()

    def replay(self, begin: int, end: int) -> Iterator[Sent]:
        """The reports among these, as they were sent."""
        return (sent for sent in tuple(self._sent) if begin <= sent.seq <= end)
