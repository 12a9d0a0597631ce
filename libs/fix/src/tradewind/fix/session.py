# SPDX-License-Identifier: Apache-2.0
"""The session layer of FIX 4.4, for either end of a line. It reads no clock and has no socket.

FIX 4.4, volume 2. Bytes that cannot be trusted are passed over; a message that breaks a rule uses
its number up and is answered by a Reject; a hole is asked for again, and what came after it waits;
a number that is too low, and no possible duplicate, ends the connection. Where the two ends differ:

- The acceptor ends the connection for a Logon whose number is too low, and asks for what is missing
  before it. The initiator takes the Logon as it is: which messages it still needs, the journal
  knows (`ask_from`), and a venue that has lost its numbers is not to be argued with, because what
  a report is, its ExecID says.
- What is sent again is the store's choice. An initiator's sends nothing again: an order that comes
  late is another order. Its peer is told to fill the gap, up to the first message of the
  application on this connection if it begins before that: this and what follows is coming.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from tradewind.fix import tags
from tradewind.fix.message import (
    Body,
    Garbled,
    Malformed,
    Message,
    Sent,
    decode,
    encode,
    is_number,
)
from tradewind.fix.resends import RESENT_AT_ONCE, Resends
from tradewind.fix.stamps import stamp
from tradewind.fix.store import Store

QUEUE_MAX = 10_000
LOGON_TIMEOUT_S = 3.0
LOGOUT_TIMEOUT_S = 2.0
ASK_AGAIN_S = 5.0
TEST_AFTER = 1.2
GIVE_UP_AFTER = 2.4
INFINITY = frozenset({0, 999_999})
"""EndSeqNo for "all there are"; the second is how older versions of FIX said it."""


class State(Enum):
    """Of a connection."""

    LOGGING_ON = auto()
    UP = auto()
    LOGGING_OUT = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Ends:
    """Who talks to whom, and how often at least. `logon` are further fields of our own Logon."""

    me: str
    peer: str
    is_initiator: bool
    heartbeat_s: int
    logon: Body = ()


class Session:
    """One connection of one session."""

    def __init__(
        self,
        ends: Ends,
        store: Store,
        *,
        clock_ns: Callable[[], int],
        write: Callable[[bytes], None],
        deliver: Callable[[Message], None],
        close: Callable[[str], None],
        now_s: float,
    ) -> None:
        """`clock_ns` is for SendingTime only; every method is told the monotonic time.

        `deliver` takes messages of the application and Rejects, in their order; when it returns,
        their number is used up. `close` ends the connection once what was written has left.
        """
        self._ends = ends
        self._store = store
        self._clock_ns = clock_ns
        self._write = write
        self._deliver = deliver
        self._close = close
        self._queue: dict[int, Message] = {}
        self._resends = Resends(store, partial(self._encode, is_again=True), self._stamp)
        self._asked_until = 0
        self._asked_s = 0.0
        self._heard_s = self._sent_s = self._began_s = self._now_s = now_s
        self._is_tested = False
        self._has_asked_reset = False
        self._first_sent = 0
        self.heartbeat_s = ends.heartbeat_s
        self.state = State.LOGGING_ON
        self.garbled = 0

    def log_on(self, *, reset: bool = False) -> None:
        """The initiator's first message."""
        if reset:
            self._store.reset()
            self._has_asked_reset = True
        self._send_logon(is_reset=reset)

    def send(self, msg_type: str, body: Body, now_s: float) -> int:
        """Sends a message of the application; returns its number.

        Raises:
            OutOfNumbers: if none may be used.
        """
        self._now_s = now_s
        number = self._emit(msg_type, *body)
        self._first_sent = self._first_sent or number
        return number

    def reject(self, message: Message, reason: int, tag: int, text: str) -> None:
        """Says that a message breaks a rule; `deliver` may, of the message that it was given."""
        culprit = ((tags.REF_TAG_ID, str(tag)),) if tag else ()
        self._emit(
            tags.REJECT,
            (tags.REF_SEQ_NUM, str(message.seq)),
            *culprit,
            (tags.REF_MSG_TYPE, message.msg_type),
            (tags.SESSION_REJECT_REASON, str(reason)),
            (tags.TEXT, text),
        )

    def ask_from(self, number: int, now_s: float) -> None:
        """Has everything from this number on sent again, whether or not it was taken before."""
        self._now_s = now_s
        known = self._store.next_in - 1
        if number <= known:
            self._store.expect(number)
            self._ask_again(known)

    def log_out(self, text: str, now_s: float) -> None:
        """Says goodbye; the connection ends when the peer has too, or does not in time."""
        self._now_s = now_s
        if self.state is State.UP:
            self._say_logout(text)
            self.state, self._began_s = State.LOGGING_OUT, now_s

    def send_more(self, now_s: float) -> bool:
        """The next part of what was asked for again; whether there is more."""
        self._now_s = now_s
        for _ in range(RESENT_AT_ONCE):
            data = None if self.state is State.CLOSED else self._resends.next()
            if data is None:
                return False
            self._put(data)
        return True

    def cut(self, why: str) -> None:
        """Stops at once: nothing more is read or said, whatever has come already."""
        self._end(why)

    def tick(self, now_s: float) -> None:
        """Time has passed: heartbeats, doubts, deadlines."""
        self._now_s = now_s
        waited_s = now_s - self._began_s
        if self.state is State.LOGGING_ON and waited_s > LOGON_TIMEOUT_S:
            self._end("there was no logon in time")
        elif self.state is State.LOGGING_OUT and waited_s > LOGOUT_TIMEOUT_S:
            self._end("a logout was not answered")
        elif self.state is State.UP:
            self._beat()

    def receive(self, raw: bytes, now_s: float) -> None:
        """Takes one framed message."""
        if self.state is State.CLOSED:
            return
        self._now_s = self._heard_s = now_s
        self._is_tested = False
        try:
            message = decode(raw)
        except Garbled:
            self.garbled += 1
        except Malformed as error:
            self._refuse_malformed(error)
        else:
            self._take(message)

    def _take(self, message: Message) -> None:
        is_mine = message.get(tags.TARGET_COMP_ID) == self._ends.me
        if not is_mine or message.get(tags.SENDER_COMP_ID) != self._ends.peer:
            self._refuse_names(message)
        elif self.state is State.LOGGING_ON:
            self._first(message)
        elif message.msg_type == tags.SEQUENCE_RESET and message.get(tags.GAP_FILL_FLAG) != "Y":
            self._reset(message)
        elif message.seq == self._store.next_in:
            self._consume(message)
            self._drain()
        elif message.seq > self._store.next_in:
            self._hole(message)
        elif not message.is_poss_dup:
            self._too_low(message)

    def _first(self, message: Message) -> None:
        if message.msg_type == tags.LOGOUT:
            self._end(f"the logon was refused: {message.get(tags.TEXT)}")
        elif message.msg_type != tags.LOGON:
            self._end(f"the first message is a {message.msg_type}, not a Logon")
        else:
            self._logged_on(message)

    def _logged_on(self, logon: Message) -> None:
        heartbeat = logon.get(tags.HEART_BT_INT)
        if logon.get(tags.ENCRYPT_METHOD) != "0" or not is_number(heartbeat):
            self._say_logout("a Logon has EncryptMethod (98) 0 and HeartBtInt (108)")
            self._end("the Logon is incomplete")
            return
        is_reset = logon.get(tags.RESET_SEQ_NUM_FLAG) == "Y"
        if is_reset and not self._has_asked_reset:
            self._store.reset()
        if logon.seq < self._store.next_in and not self._ends.is_initiator:
            self._too_low(logon)
            return
        self.heartbeat_s = int(heartbeat)
        if not self._ends.is_initiator:
            self._send_logon(is_reset=is_reset)
        self.state = State.UP
        if self._ends.is_initiator or logon.seq == self._store.next_in:
            self._store.expect(logon.seq + 1)
        self._deliver(logon)
        if logon.seq > self._store.next_in:
            self._ask_again(logon.seq)

    def _consume(self, message: Message) -> None:
        """The next message: what it does to the session, or the application's."""
        if message.msg_type == tags.SEQUENCE_RESET:
            self._fill_gap(message)
            return
        match message.msg_type:
            case tags.TEST_REQUEST if message.get(tags.TEST_REQ_ID):
                self._emit(tags.HEARTBEAT, (tags.TEST_REQ_ID, message.get(tags.TEST_REQ_ID)))
            case tags.TEST_REQUEST:
                self.reject(message, 1, tags.TEST_REQ_ID, "required tag 112 is missing")
            case tags.RESEND_REQUEST:
                self._send_again(message)
            case tags.LOGOUT:
                self._logged_out(message)
            case tags.LOGON:
                self.reject(message, 99, tags.MSG_TYPE, "this session is logged on")
            case tags.HEARTBEAT:
                pass
            case _:
                self._deliver(message)
        self._store.expect(message.seq + 1)

    def _drain(self) -> None:
        while self._queue and self.state is State.UP:
            message = self._queue.pop(self._store.next_in, None)
            if message is None:
                break
            self._consume(message)
        if self._queue and self._store.next_in > self._asked_until:
            self._ask_again(max(self._queue))

    def _hole(self, message: Message) -> None:
        """Messages are missing. Two kinds do not wait for them, or both ends would wait."""
        if message.msg_type == tags.LOGOUT:
            self._logged_out(message)
            return
        if message.msg_type == tags.RESEND_REQUEST and message.seq not in self._queue:
            self._send_again(message)
            message = Message(tags.HEARTBEAT, message.seq, message.fields)
        if len(self._queue) < QUEUE_MAX:
            self._queue.setdefault(message.seq, message)
        if self._store.next_in > self._asked_until:
            self._ask_again(max(self._queue))

    def _ask_again(self, until: int) -> None:
        """Has all from the next message on sent again. Up to `until` there is no second request."""
        self._asked_until, self._asked_s = until, self._now_s
        begin = (tags.BEGIN_SEQ_NO, str(self._store.next_in))
        self._emit(tags.RESEND_REQUEST, begin, (tags.END_SEQ_NO, "0"))

    def _skip_to(self, number: int) -> None:
        """What waits below this is not waited for any more."""
        self._store.expect(number)
        for passed in [waiting for waiting in self._queue if waiting < number]:
            del self._queue[passed]

    def _fill_gap(self, message: Message) -> None:
        number = message.get(tags.NEW_SEQ_NO)
        if not is_number(number) or int(number) <= message.seq:
            self.reject(message, 5, tags.NEW_SEQ_NO, "NewSeqNo (36) must be above MsgSeqNum")
            self._store.expect(message.seq + 1)
        else:
            self._skip_to(int(number))

    def _reset(self, message: Message) -> None:
        """A SequenceReset that is no gap fill counts whatever its own number is."""
        number = message.get(tags.NEW_SEQ_NO)
        if not is_number(number) or int(number) < self._store.next_in:
            self.reject(message, 5, tags.NEW_SEQ_NO, "NewSeqNo (36) is below what is expected")
            return
        self._skip_to(int(number))
        self._drain()

    def _send_again(self, request: Message) -> None:
        asked = [request.get(tag) for tag in (tags.BEGIN_SEQ_NO, tags.END_SEQ_NO)]
        if not all(map(is_number, asked)):
            self.reject(request, 6, tags.BEGIN_SEQ_NO, "tags 7 and 16 must be numbers")
            return
        begin, end = map(int, asked)
        is_before = self._ends.is_initiator and begin < self._first_sent
        last = (self._first_sent if is_before else self._store.next_out) - 1
        end = last if end in INFINITY else min(end, last)
        if not 0 < begin <= end:
            self.reject(request, 5, tags.BEGIN_SEQ_NO, f"of {begin} to {end} nothing was sent")
            return
        if self._resends.ask(begin, end):
            self.send_more(self._now_s)

    def _logged_out(self, message: Message) -> None:
        if self.state is State.UP:
            self._say_logout("")
        text = message.get(tags.TEXT)
        self._end(f"the peer has logged out{': ' if text else ''}{text}")

    def _too_low(self, message: Message) -> None:
        text = f"MsgSeqNum too low, expecting {self._store.next_in} but received {message.seq}"
        self._say_logout(text)
        self._end(text)

    def _refuse_names(self, message: Message) -> None:
        if self.state is State.UP:
            self.reject(message, 9, tags.SENDER_COMP_ID, "CompID problem")
            self._say_logout("CompID problem")
        self._end("a message is from or for somebody else")

    def _refuse_malformed(self, error: Malformed) -> None:
        """It uses its number up only if it is the next one; one without a number ends the line."""
        if self.state is State.LOGGING_ON:
            self._end(f"the first message cannot be read: {error.text}")
        elif not error.seq:
            self._say_logout(error.text)
            self._end(error.text)
        elif error.seq == self._store.next_in:
            self.reject(Message(error.msg_type, error.seq, {}), error.reason, error.tag, error.text)
            self._store.expect(error.seq + 1)
            self._drain()

    def _beat(self) -> None:
        silent_s = self._now_s - self._heard_s
        if self._queue and self._now_s - self._asked_s > ASK_AGAIN_S:
            self._ask_again(max(self._queue))
        if not self.heartbeat_s:
            return
        if silent_s > GIVE_UP_AFTER * self.heartbeat_s:
            self._end("the peer is silent")
            return
        if silent_s > TEST_AFTER * self.heartbeat_s and not self._is_tested:
            self._is_tested = True
            self._emit(tags.TEST_REQUEST, (tags.TEST_REQ_ID, f"T{self._store.next_out}"))
        if self._now_s - self._sent_s >= self.heartbeat_s:
            self._emit(tags.HEARTBEAT)

    def _send_logon(self, *, is_reset: bool) -> None:
        reset = ((tags.RESET_SEQ_NUM_FLAG, "Y"),) if is_reset else ()
        heartbeat = (tags.HEART_BT_INT, str(self.heartbeat_s))
        body = ((tags.ENCRYPT_METHOD, "0"), heartbeat, *reset, *self._ends.logon)
        self._emit(tags.LOGON, *body)

    def _say_logout(self, text: str) -> None:
        self._emit(tags.LOGOUT, *(((tags.TEXT, text),) if text else ()))

    def _emit(self, msg_type: str, *body: tuple[int, str]) -> int:
        sent = Sent(self._store.next_out, msg_type, body, self._stamp())
        data = self._encode(sent, is_again=False)
        self._store.sent(sent)
        self._put(data)
        return sent.seq

    def _put(self, data: bytes) -> None:
        self._sent_s = self._now_s
        self._write(data)

    def _encode(self, sent: Sent, *, is_again: bool) -> bytes:
        return encode(
            sent,
            sender=self._ends.me,
            target=self._ends.peer,
            again_at=self._stamp() if is_again else "",
        )

    def _stamp(self) -> str:
        return stamp(self._clock_ns())

    def _end(self, why: str) -> None:
        self.state = State.CLOSED
        self._close(why)
