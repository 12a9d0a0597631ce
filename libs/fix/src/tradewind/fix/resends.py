# SPDX-License-Identifier: Apache-2.0
"""What is sent again on request, message by message: who asked for much gets it in parts."""

from collections import deque
from collections.abc import Callable, Iterator

from tradewind.fix import tags
from tradewind.fix.message import Sent
from tradewind.fix.store import Store

RESENT_AT_ONCE = 200
"""So many take some 10 ms, and there are other connections."""


class Resends:
    """The answers to all ResendRequests of a connection, one after the other."""

    def __init__(
        self, store: Store, encode: Callable[[Sent], bytes], stamp: Callable[[], str]
    ) -> None:
        """`encode` makes a possible duplicate of what was sent."""
        self._store = store
        self._encode = encode
        self._stamp = stamp
        self._asked: deque[Iterator[bytes]] = deque()

    def ask(self, begin: int, end: int) -> bool:
        """Has all from `begin` to `end` sent again; whether nothing is on its way before it."""
        self._asked.append(self._answer(begin, end))
        return len(self._asked) == 1

    def next(self) -> bytes | None:
        """The next message; None if all has been sent."""
        while self._asked:
            data = next(self._asked[0], None)
            if data is not None:
                return data
            self._asked.popleft()
        return None

    def _answer(self, begin: int, end: int) -> Iterator[bytes]:
        for sent in self._store.replay(begin, end):
            if begin < sent.seq:
                yield self._gap_fill(begin, sent.seq)
            yield self._encode(sent)
            begin = sent.seq + 1
        if begin <= end:
            yield self._gap_fill(begin, end + 1)

    def _gap_fill(self, begin: int, end: int) -> bytes:
        """Says that there is nothing from `begin` up to, but without, `end`."""
        body = ((tags.GAP_FILL_FLAG, "Y"), (tags.NEW_SEQ_NO, str(end)))
        return self._encode(Sent(begin, tags.SEQUENCE_RESET, body, self._stamp()))
