# SPDX-License-Identifier: Apache-2.0
"""The session layer, message by message, as FIX 4.4 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fix.ends import HEARTBEAT_S, End, Memory, order, types
from tradewind.fix import tags
from tradewind.fix.message import Garbled, Malformed, decode
from tradewind.fix.session import (
    ASK_AGAIN_S,
    LOGON_TIMEOUT_S,
    LOGOUT_TIMEOUT_S,
    State,
)

A, REPORT = tags.LOGON, tags.EXECUTION_REPORT


def acceptor(next_in: int = 1, next_out: int = 1) -> End:
    """An acceptor that nobody has logged on to."""
    end = End(is_initiator=False)
    end.store.next_in, end.store.next_out = next_in, next_out
    return end


def logged_on(next_out: int = 1) -> End:
    """An acceptor with a session; the peer's next number is 2."""
    end = acceptor(next_out=next_out)
    end.log_on()
    return end


def test_a_logon_is_answered_with_its_heartbeat() -> None:
    end = acceptor()
    [answer] = end.hear(A, 1, (98, "0"), (108, "7"))
    assert (answer.msg_type, answer.seq, answer.get(108)) == (A, 1, "7")
    assert (end.session.state, end.store.next_in) == (State.UP, 2)


@pytest.mark.parametrize("body", [((98, "1"), (108, "7")), ((98, "0"),), ((98, "0"), (108, "x"))])
def test_a_logon_that_is_incomplete_is_refused(body: tuple[tuple[int, str], ...]) -> None:
    end = acceptor()
    assert types(end.hear(A, 1, *body)) == [tags.LOGOUT]
    assert end.ended


def test_the_first_message_is_a_logon() -> None:
    end = acceptor()
    assert end.hear(tags.HEARTBEAT, 1) == []
    assert "not a Logon" in end.ended
    assert end.store.next_in == 1


def test_a_logon_with_a_number_that_was_used_is_refused() -> None:
    end = acceptor(next_in=5)
    [answer] = end.log_on(3)
    assert answer.msg_type == tags.LOGOUT
    assert answer.get(58) == "MsgSeqNum too low, expecting 5 but received 3"
    assert end.ended


def test_a_logon_that_skips_numbers_is_taken_and_they_are_asked_for() -> None:
    end = acceptor(next_in=5)
    logon, request = end.log_on(9)
    assert (logon.msg_type, request.msg_type) == (A, tags.RESEND_REQUEST)
    assert (request.get(7), request.get(16)) == ("5", "0")
    end.hear(tags.SEQUENCE_RESET, 5, (123, "Y"), (36, "10"), again=True)
    assert end.store.next_in == 10


def test_a_logon_may_begin_both_sides_again() -> None:
    end = acceptor(next_in=50, next_out=60)
    [answer] = end.log_on(1, (141, "Y"))
    assert (answer.seq, answer.get(141)) == (1, "Y")
    assert (end.store.next_in, end.store.next_out) == (2, 2)


def test_a_test_request_is_answered_with_its_name() -> None:
    end = logged_on()
    [answer] = end.hear(tags.TEST_REQUEST, 2, (112, "hello"))
    assert (answer.msg_type, answer.get(112)) == (tags.HEARTBEAT, "hello")


def test_a_message_for_somebody_else_ends_the_connection() -> None:
    end = logged_on()
    stranger = End(is_initiator=True)
    stranger.session.log_on()
    wrong = stranger.written[0].replace(b"49=CLIENT", b"49=STRANG")
    fixed = wrong[: wrong.rindex(b"10=")]
    end.session.receive(fixed + b"10=%03d\x01" % (sum(fixed) % 256), 0)
    assert types(end.said()) == [tags.REJECT, tags.LOGOUT]
    assert "somebody else" in end.ended


def test_a_hole_is_asked_for_once_and_what_waits_comes_in_its_order() -> None:
    end = logged_on()
    [request] = end.hear(REPORT, 4, *order(4))
    assert (request.msg_type, request.get(7)) == (tags.RESEND_REQUEST, "2")
    assert end.hear(REPORT, 5, *order(5)) == []
    assert end.applications() == []
    assert end.hear(REPORT, 2, *order(2), again=True) == []
    assert end.hear(tags.SEQUENCE_RESET, 3, (123, "Y"), (36, "4"), again=True) == []
    assert [message.seq for message in end.applications()] == [2, 4, 5]
    assert end.store.next_in == 6


def test_a_copy_does_not_take_the_place_of_what_waits() -> None:
    end = logged_on()
    end.hear(REPORT, 3, *order(3))
    end.hear(REPORT, 3, *order(3), again=True)
    end.hear(REPORT, 2, *order(2), again=True)
    assert [message.is_poss_dup for message in end.applications()] == [True, False]


def test_a_second_hole_is_asked_for_when_the_first_is_filled() -> None:
    end = logged_on()
    end.hear(REPORT, 3, *order(3))
    assert end.hear(REPORT, 5, *order(5)) == []
    [request] = end.hear(REPORT, 2, *order(2), again=True)
    assert (request.msg_type, request.get(7)) == (tags.RESEND_REQUEST, "4")


def test_a_hole_that_stays_is_asked_for_again() -> None:
    end = logged_on()
    end.hear(REPORT, 4, *order(4))
    end.session.tick(ASK_AGAIN_S - 1)
    assert end.said() == []
    end.session.tick(ASK_AGAIN_S + 1)
    assert types(end.said()) == [tags.RESEND_REQUEST]


def test_possible_duplicates_of_what_was_taken_are_passed_over() -> None:
    end = logged_on()
    end.hear(REPORT, 2, *order(2))
    assert end.hear(REPORT, 2, *order(2), again=True) == []
    assert len(end.applications()) == 1


def test_a_number_that_was_used_ends_the_connection() -> None:
    end = logged_on()
    end.hear(REPORT, 2, *order(2))
    assert types(end.hear(REPORT, 2, *order(2))) == [tags.LOGOUT]
    assert "too low" in end.ended


def test_what_was_sent_is_sent_again_and_the_rest_is_filled() -> None:
    end = logged_on()
    for number in range(2, 5):
        end.session.send(REPORT, order(number), 0)
    end.session.tick(HEARTBEAT_S)
    end.session.send(REPORT, order(6), HEARTBEAT_S)
    end.said()
    answers = end.hear(tags.RESEND_REQUEST, 2, (7, "1"), (16, "0"))
    assert [(m.msg_type, m.seq, m.get(36)) for m in answers] == [
        (tags.SEQUENCE_RESET, 1, "2"),
        (REPORT, 2, ""),
        (REPORT, 3, ""),
        (REPORT, 4, ""),
        (tags.SEQUENCE_RESET, 5, "6"),
        (REPORT, 6, ""),
    ]
    assert all(message.is_poss_dup and message.get(122) for message in answers)
    assert end.store.next_out == 7


def test_an_initiator_sends_nothing_again() -> None:
    end = End(is_initiator=True)
    end.session.log_on()
    end.log_on()
    end.session.send(tags.NEW_ORDER_SINGLE, order(1), 0)
    end.said()
    for seq, (begin, end_no) in enumerate((("1", "2"), ("2", "3")), 2):
        [fill] = end.hear(tags.RESEND_REQUEST, seq, (7, begin), (16, "0"))
        assert (fill.msg_type, fill.seq) == (tags.SEQUENCE_RESET, int(begin))
        assert fill.get(36) == end_no


def test_a_resend_request_is_answered_though_something_is_missing() -> None:
    end = logged_on()
    end.session.send(REPORT, order(2), 0)
    end.said()
    answers = end.hear(tags.RESEND_REQUEST, 9, (7, "2"), (16, "0"))
    assert types(answers) == [REPORT, tags.RESEND_REQUEST]
    end.hear(tags.SEQUENCE_RESET, 2, (123, "Y"), (36, "9"), again=True)
    assert end.store.next_in == 10


@pytest.mark.parametrize(("begin", "end_no"), [("9", "0"), ("3", "2"), ("0", "0"), ("x", "0")])
def test_a_resend_request_for_nothing_is_rejected(begin: str, end_no: str) -> None:
    end = logged_on()
    [answer] = end.hear(tags.RESEND_REQUEST, 2, (7, begin), (16, end_no))
    assert (answer.msg_type, answer.get(45)) == (tags.REJECT, "2")
    assert end.store.next_in == 3


def test_a_sequence_reset_moves_forward_only() -> None:
    end = logged_on()
    assert end.hear(tags.SEQUENCE_RESET, 999, (36, "50")) == []
    assert end.store.next_in == 50
    [answer] = end.hear(tags.SEQUENCE_RESET, 1, (36, "10"))
    assert (answer.msg_type, answer.get(373)) == (tags.REJECT, "5")
    assert end.store.next_in == 50


def test_a_malformed_message_uses_its_number_up_and_is_rejected() -> None:
    end = logged_on()
    peer = End(is_initiator=True)
    peer.store.next_out = 2
    peer.session.state = State.UP
    peer.session.send(REPORT, ((58, "text"),), 0)
    broken = peer.written[0].replace(b"58=text", b"5x=text")
    head = broken[: broken.rindex(b"10=")]
    end.session.receive(head + b"10=%03d\x01" % (sum(head) % 256), 0)
    [answer] = end.said()
    assert (answer.msg_type, answer.get(45), answer.get(373)) == (tags.REJECT, "2", "0")
    assert end.store.next_in == 3


def test_a_garbled_message_changes_nothing() -> None:
    end = logged_on()
    end.session.receive(b"8=FIX.4.4\x019=5\x0135=0\x0110=000\x01", 0)
    assert (end.said(), end.store.next_in, end.session.garbled) == ([], 2, 1)


def test_a_logout_is_answered_and_ends_the_connection() -> None:
    end = logged_on()
    assert types(end.hear(tags.LOGOUT, 2, (58, "good night"))) == [tags.LOGOUT]
    assert end.ended == "the peer has logged out: good night"


def test_our_own_logout_waits_for_its_answer_and_not_for_ever() -> None:
    polite, rude = logged_on(), logged_on()
    for end in (polite, rude):
        end.session.log_out("", 1.0)
        assert types(end.said()) == [tags.LOGOUT]
    assert polite.hear(tags.LOGOUT, 2, now_s=1.5) == []
    assert polite.ended == "the peer has logged out"
    rude.session.tick(1.0 + LOGOUT_TIMEOUT_S + 1)
    assert "not answered" in rude.ended


def test_who_says_nothing_is_asked_and_then_given_up() -> None:
    end = logged_on()
    end.session.tick(HEARTBEAT_S)
    assert types(end.said()) == [tags.HEARTBEAT]
    end.session.tick(1.3 * HEARTBEAT_S)
    end.session.tick(1.4 * HEARTBEAT_S)
    assert types(end.said()) == [tags.TEST_REQUEST]
    end.session.tick(2.5 * HEARTBEAT_S)
    assert end.ended == "the peer is silent"


def test_a_logon_that_does_not_come_is_not_waited_for() -> None:
    end = acceptor()
    end.session.tick(LOGON_TIMEOUT_S + 1)
    assert "logon" in end.ended


def test_an_initiator_asks_for_what_it_needs_whatever_it_has_heard() -> None:
    end = End(is_initiator=True)
    end.session.log_on()
    end.log_on(100)
    end.hear(REPORT, 101, *order(101))
    end.said()
    end.session.ask_from(99, 0)
    [request] = end.said()
    assert (request.msg_type, request.get(7), request.get(16)) == (tags.RESEND_REQUEST, "99", "0")
    end.hear(REPORT, 99, *order(99), again=True)
    end.hear(tags.SEQUENCE_RESET, 100, (123, "Y"), (36, "101"), again=True)
    end.hear(REPORT, 101, *order(101), again=True)
    assert [message.seq for message in end.applications()] == [101, 99, 101]
    assert end.said() == []


def test_a_session_that_was_cut_reads_and_says_nothing_more() -> None:
    end = logged_on()
    end.said()
    end.session.cut("taken")
    assert end.hear(REPORT, 2, *order(2)) == []
    assert (end.applications(), end.store.next_in, end.ended) == ([], 2, "taken")


class Line:
    """A session over many connections; a connection takes bytes with it when it breaks."""

    def __init__(self, client: Memory, venue: Memory) -> None:
        self.stores = (client, venue)
        self.taken: list[str] = []
        self.orders: list[str] = []
        self._numbers = 0
        self.connect()

    def connect(self) -> None:
        """Another connection; the client begins beyond all numbers that it may have used."""
        client, venue = self.stores
        known, client.next_out = client.next_in, client.next_out + 1_000
        self.client = End(is_initiator=True, store=client)
        self.venue = End(is_initiator=False, store=venue)
        self.client.session.log_on()
        self.deliver(True, 100)
        self.deliver(False, 100)
        self.client.session.ask_from(known, 0)

    def speak(self, is_client: bool) -> None:
        """One end sends a message of the application."""
        end = self.client if is_client else self.venue
        if end.session.state is State.UP:
            self._numbers += 1
            end.session.send("D" if is_client else REPORT, order(self._numbers), 0)

    def deliver(self, is_client: bool, count: int) -> None:
        """The first messages that one end has written arrive; what they say is noted."""
        source, target = (self.client, self.venue) if is_client else (self.venue, self.client)
        arriving, source.written[:] = source.written[:count], source.written[count:]
        before = len(target.told)
        for data in arriving:
            target.session.receive(data, 0)
        names = [m.get(tags.CL_ORD_ID) for m in target.told[before:] if m.msg_type != A]
        (self.orders if is_client else self.taken).extend(names)

    def settle(self) -> None:
        """Everything arrives."""
        while self.client.written or self.venue.written:
            self.deliver(True, 1_000)
            self.deliver(False, 1_000)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), st.booleans(), st.just(0)),
        st.tuples(st.just("deliver"), st.booleans(), st.integers(1, 5)),
        st.tuples(st.just("break"), st.booleans(), st.just(0)),
    ),
    max_size=60,
)


def ran(steps: list[tuple[str, bool, int]], *, replays: bool = False) -> tuple[Line, list[str]]:
    """A line after these steps, and what the venue has said in all."""
    venue = Memory(replays=True)
    line = Line(Memory(replays=replays), venue)
    for what, is_client, count in [*steps, ("break", True, 0)]:
        match what:
            case "speak":
                line.speak(is_client)
            case "deliver":
                line.deliver(is_client, count)
            case _:
                line.connect()
    line.settle()
    said = [sent.body[0][1] for sent in venue._sent.values() if sent.msg_type == REPORT]
    return line, said


@given(STEPS)
def test_nothing_that_a_venue_says_is_lost_and_nothing_of_ours_is_done_twice(
    steps: list[tuple[str, bool, int]],
) -> None:
    line, said = ran(steps)
    assert list(dict.fromkeys(line.taken)) == said
    assert len(line.orders) == len(set(line.orders))


def test_control_a_client_that_sends_again_is_late() -> None:
    """An order that was lost with its connection is done much later, when nobody wants it."""
    steps = [("speak", True, 0), ("break", True, 0)]
    assert ran(steps)[0].orders == []
    assert ran(steps, replays=True)[0].orders == ["o-1"]


@given(
    st.lists(st.tuples(st.sampled_from("A012345D8jz"), st.integers(0, 9)), max_size=20), st.data()
)
def test_no_sequence_of_messages_makes_a_session_fail(
    messages: list[tuple[str, int]], data: st.DataObject
) -> None:
    end = End(is_initiator=data.draw(st.booleans()))
    if data.draw(st.booleans()):
        end.log_on()
    tags_used = st.sampled_from([7, 16, 36, 43, 98, 108, 112, 123, 141])
    bodies = st.dictionaries(tags_used, st.sampled_from(["0", "1", "5", "Y", "N", "x"]))
    for msg_type, seq in messages:
        end.hear(msg_type, seq, *data.draw(bodies).items(), again=False)
        end.session.tick(data.draw(st.floats(0, 60)))
    for written in end.written:
        try:
            decode(written)
        except (Garbled, Malformed) as error:
            raise AssertionError("it writes what cannot be read") from error
