# SPDX-License-Identifier: Apache-2.0
"""Two ends of a session, joined in memory: bytes move when a test moves them."""

from collections.abc import Iterable

from tradewind.fix import tags
from tradewind.fix.message import Body, Message, Sent, decode, encode
from tradewind.fix.session import Ends, Session

HEARTBEAT_S = 10
NAMES = ("CLIENT", "VENUE")


class Memory:
    """A store that forgets nothing. `replays`: whether what was sent is sent again."""

    def __init__(self, *, replays: bool) -> None:
        self.next_out = 1
        self.next_in = 1
        self._replays = replays
        self._sent: dict[int, Sent] = {}

    def sent(self, sent: Sent) -> None:
        self._sent[sent.seq] = sent
        self.next_out = sent.seq + 1

    def expect(self, number: int) -> None:
        self.next_in = number

    def reset(self) -> None:
        self.next_out = self.next_in = 1
        self._sent.clear()

    def replay(self, begin: int, end: int) -> Iterable[Sent]:
        if not self._replays:
            return []
        numbers = range(begin, end + 1)
        found = [self._sent[number] for number in numbers if number in self._sent]
        return [sent for sent in found if sent.msg_type not in tags.ADMIN]


class End:
    """One side: what it writes, what it was told, and why it ended."""

    def __init__(self, *, is_initiator: bool, store: Memory | None = None) -> None:
        me, peer = NAMES if is_initiator else NAMES[::-1]
        self.store = store or Memory(replays=not is_initiator)
        self.written: list[bytes] = []
        self.told: list[Message] = []
        self.ended = ""
        self.session = Session(
            Ends(me, peer, is_initiator, HEARTBEAT_S),
            self.store,
            clock_ns=lambda: 1_700_000_000_000_000_000,
            write=self.written.append,
            deliver=self.told.append,
            close=self._close,
            now_s=0.0,
        )
        self._names = {"sender": peer, "target": me}

    def _close(self, why: str) -> None:
        self.ended = self.ended or why

    def hear(
        self, msg_type: str, seq: int, *body: tuple[int, str], again: bool = False, now_s: float = 0
    ) -> list[Message]:
        """Receives a message from its peer; what it answers."""
        sent = Sent(seq, msg_type, tuple(body), "20231114-22:13:20.000")
        again_at = sent.sending_time if again else ""
        self.session.receive(encode(sent, **self._names, again_at=again_at), now_s)
        return self.said()

    def said(self) -> list[Message]:
        """What it has written since the last time."""
        written = [decode(data) for data in self.written]
        self.written.clear()
        return written

    def log_on(self, seq: int = 1, *more: tuple[int, str]) -> list[Message]:
        """The peer's Logon."""
        return self.hear(tags.LOGON, seq, (98, "0"), (108, str(HEARTBEAT_S)), *more)

    def applications(self) -> list[Message]:
        """What the application was told, without the Logon."""
        return [message for message in self.told if message.msg_type != tags.LOGON]


def types(messages: Iterable[Message]) -> list[str]:
    """Their message types."""
    return [message.msg_type for message in messages]


def order(number: int) -> Body:
    """A message of the application."""
    return ((tags.CL_ORD_ID, f"o-{number}"),)
