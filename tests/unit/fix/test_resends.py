# SPDX-License-Identifier: Apache-2.0
"""Long answers to a ResendRequest, which leave in parts."""

from tests.unit.fix.ends import order
from tests.unit.fix.test_session import REPORT, logged_on
from tradewind.fix import tags
from tradewind.fix.resends import RESENT_AT_ONCE


def test_much_is_sent_again_part_by_part_and_what_is_new_between() -> None:
    end = logged_on()
    for number in range(2, 2 * RESENT_AT_ONCE + 2):
        end.session.send(REPORT, order(number), 0)
    end.said()
    parts = [end.hear(tags.RESEND_REQUEST, 2, (7, "2"), (16, "0"))]
    assert end.hear(tags.RESEND_REQUEST, 3, (7, "2"), (16, "3")) == []
    end.session.send(REPORT, order(0), 0)
    while end.session.send_more(0):
        parts.append(end.said())
    parts.append(end.said())
    assert max(map(len, parts)) <= RESENT_AT_ONCE + 1
    numbers = [message.seq for part in parts for message in part]
    new = 2 * RESENT_AT_ONCE + 2
    assert numbers == [*range(2, RESENT_AT_ONCE + 2), new, *range(RESENT_AT_ONCE + 2, new), 2, 3]
