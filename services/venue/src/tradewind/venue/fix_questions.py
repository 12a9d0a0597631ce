# SPDX-License-Identifier: Apache-2.0
"""What a connection asks its venue, as messages. No question has a name that another one had.

Answers are sent again with everything else after a hole. One that met a question of the same name
would be taken for the truth of today.
"""

import secrets
from itertools import count

from tradewind.core.types import ExecType, Side
from tradewind.fix import tags
from tradewind.fix.message import Body, Message
from tradewind.fix.stamps import stamp
from tradewind.fix.values import EXEC_TYPES, SIDE

Question = tuple[str, Body]
"""Message type and fields."""

ALL_ORDERS = "7"
MATCHED_TRADES = "1"
POSITIONS = "0"
ANSWERS = frozenset(
    {
        tags.BUSINESS_MESSAGE_REJECT,
        tags.REJECT,
        tags.POSITION_REPORT,
        tags.TRADE_CAPTURE_REPORT_REQUEST_ACK,
    }
)


def is_answer(message: Message) -> bool:
    """Whether it answers something, and tells nothing that has happened."""
    kind = EXEC_TYPES.get(message.get(tags.EXEC_TYPE))
    return message.msg_type in ANSWERS or kind is ExecType.ORDER_STATUS


class Questions:
    """Of one connection."""

    def __init__(self) -> None:
        self._life = secrets.token_hex(4)
        self._numbers = count(1)

    def name(self) -> str:
        """A new question's."""
        return f"Q{self._life}-{next(self._numbers)}"

    def status(self, order_id: str, symbol: str, side: Side, name: str) -> Question:
        """What became of an order."""
        return tags.ORDER_STATUS_REQUEST, (
            (tags.CL_ORD_ID, order_id),
            (tags.SYMBOL, symbol),
            (tags.SIDE, SIDE[side]),
            (tags.ORD_STATUS_REQ_ID, name),
        )

    def orders(self) -> Question:
        """All orders that work."""
        return tags.ORDER_MASS_STATUS_REQUEST, (
            (tags.MASS_STATUS_REQ_ID, self.name()),
            (tags.MASS_STATUS_REQ_TYPE, ALL_ORDERS),
        )

    def trades(self, order_id: str = "", since_ns: int = 0) -> Question:
        """The trades of an order, or all of them, from the first on or since a time."""
        of_order = ((tags.CL_ORD_ID, order_id),) if order_id else ()
        since = ((tags.TRANSACT_TIME, stamp(since_ns)),) if since_ns else ()
        return tags.TRADE_CAPTURE_REPORT_REQUEST, (
            (tags.TRADE_REQUEST_ID, self.name()),
            (tags.TRADE_REQUEST_TYPE, MATCHED_TRADES),
            *of_order,
            *since,
        )

    def positions(self, name: str, now_ns: int) -> Question:
        """What the session has."""
        return tags.REQUEST_FOR_POSITIONS, (
            (tags.POS_REQ_ID, name),
            (tags.POS_REQ_TYPE, POSITIONS),
            (tags.CLEARING_BUSINESS_DATE, stamp(now_ns)[:8]),
            (tags.TRANSACT_TIME, stamp(now_ns)),
        )
