# SPDX-License-Identifier: Apache-2.0
"""The numbers of one session while a connection has it."""

from collections import deque
from collections.abc import Iterator

from tradewind.fix import tags
from tradewind.fix.message import Sent
from tradewind.gateway.fix.history import Standing

REMEMBERED = 10_000
"""As many of the last reports may be sent again; in place of older ones the gap is filled."""


class Numbers:
    """The session layer's store (see `tradewind.fix.store`); what is new in it waits for a page."""

    def __init__(self) -> None:
        self.next_out = 1
        self.next_in = 1
        self._sent: deque[Sent] = deque(maxlen=REMEMBERED)
        self._unsaved: deque[Sent] = deque()

    def begin(self, standing: Standing) -> None:
        """Goes on where another connection ended."""
        self.next_out, self.next_in = standing.next_out, standing.next_in
        self._sent.extend(standing.sent)

    def sent(self, sent: Sent) -> None:
        """Remembers what leaves; of the session's own messages only a Reject: it is an answer."""
        self.next_out = sent.seq + 1
        if sent.msg_type not in tags.ADMIN or sent.msg_type == tags.REJECT:
            self._sent.append(sent)
            self._unsaved.append(sent)

    def unsaved(self, until: int) -> tuple[Sent, ...]:
        """What has left with a number below `until` and is on no page yet; it is taken."""
        found = []
        while self._unsaved and self._unsaved[0].seq < until:
            found.append(self._unsaved.popleft())
        return tuple(found)

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
