# SPDX-License-Identifier: Apache-2.0
"""A gap before a Logon is filled up to it; what came after it is not passed over."""

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
