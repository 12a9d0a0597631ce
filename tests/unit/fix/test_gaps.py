# SPDX-License-Identifier: Apache-2.0
"""A gap before a Logon is filled; an order that came after it is not passed over with it."""

from tests.unit.fix.ends import End, order
from tradewind.fix import tags


def test_an_order_that_left_before_the_gap_was_asked_for_is_done_once() -> None:
    client, venue = End(is_initiator=True), End(is_initiator=False)
    client.store.next_out = 1_000
    client.session.log_on()
    venue.session.receive(client.written.pop(), 0)
    logon, request = venue.written
    client.session.receive(logon, 0)
    client.session.send(tags.NEW_ORDER_SINGLE, order(1), 0)
    client.session.receive(request, 0)
    for data in client.written:
        venue.session.receive(data, 0)
    assert [message.get(tags.CL_ORD_ID) for message in venue.applications()] == ["o-1"]
    assert venue.store.next_in == client.store.next_out == 1_002


def test_what_the_session_layer_said_before_the_first_order_is_filled_too() -> None:
    """QuickFIX answers a ResendRequest that is early, but does not count it."""
    client = End(is_initiator=True)
    client.session.log_on()
    client.log_on(100)
    client.session.ask_from(99, 0)
    client.said()
    [fill] = client.hear(tags.RESEND_REQUEST, 101, (7, "1"), (16, "0"))
    assert fill.get(tags.NEW_SEQ_NO) == "3"
    client.session.send(tags.NEW_ORDER_SINGLE, order(1), 0)
    client.said()
    [fill] = client.hear(tags.RESEND_REQUEST, 102, (7, "1"), (16, "0"))
    assert fill.get(tags.NEW_SEQ_NO) == "3"
