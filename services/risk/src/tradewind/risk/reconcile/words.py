# SPDX-License-Identifier: Apache-2.0
"""What a drop copy is asked, and what it says, in lots. FIX 4.4, volumes 4 and 5."""

import logging
from collections.abc import Mapping

from tradewind.common.grid import Grid
from tradewind.core.types import ExecType
from tradewind.fix import tags
from tradewind.fix.message import Body, Message
from tradewind.fix.stamps import stamp
from tradewind.fix.values import EXEC_TYPES, SIDES
from tradewind.risk.reconcile.matching import Told

log = logging.getLogger(__name__)

ALL_ORDERS, POSITIONS = "7", "0"
NO_ORDER = "NONE"
Question = tuple[str, Body]


def ask_orders(name: str) -> Question:
    """Which orders work?"""
    return tags.ORDER_MASS_STATUS_REQUEST, (
        (tags.MASS_STATUS_REQ_ID, name),
        (tags.MASS_STATUS_REQ_TYPE, ALL_ORDERS),
    )


def ask_position(name: str, now_ns: int) -> Question:
    """What is held?"""
    return tags.REQUEST_FOR_POSITIONS, (
        (tags.POS_REQ_ID, name),
        (tags.POS_REQ_TYPE, POSITIONS),
        (tags.CLEARING_BUSINESS_DATE, stamp(now_ns)[:8]),
        (tags.TRANSACT_TIME, stamp(now_ns)),
    )


def told_of(message: Message, grids: Mapping[str, Grid]) -> Told | None:
    """An ExecutionReport; None if it changes nothing.

    In an instrument that nobody here has defined there are no lots: it is told with none.
    """
    exec_type = EXEC_TYPES.get(message.get(tags.EXEC_TYPE))
    side = SIDES.get(message.get(tags.SIDE))
    if exec_type is None or side is None or message.get(tags.ORDER_ID, NO_ORDER) == NO_ORDER:
        return None
    symbol = message.get(tags.SYMBOL)
    last_qty = _lots(message, tags.LAST_QTY, grids) if exec_type is ExecType.TRADE else 0
    return Told(
        order_id=message.get(tags.SECONDARY_CL_ORD_ID) or message.get(tags.CL_ORD_ID),
        session=message.get(tags.PARTY_ID),
        symbol=symbol,
        exec_id=message.get(tags.EXEC_ID),
        exec_type=exec_type,
        last_qty=side.sign * last_qty,
        order_qty=_lots(message, tags.ORDER_QTY, grids),
        leaves_qty=_lots(message, tags.LEAVES_QTY, grids),
    )


def held_of(message: Message, grids: Mapping[str, Grid]) -> int:
    """A PositionReport's lots, signed."""
    return _lots(message, tags.LONG_QTY, grids) - _lots(message, tags.SHORT_QTY, grids)


def _lots(message: Message, tag: int, grids: Mapping[str, Grid]) -> int:
    text, grid = message.get(tag), grids.get(message.get(tags.SYMBOL))
    if grid is None:
        log.error("a drop copy tells of %s, which nobody has defined", message.get(tags.SYMBOL))
        return 0
    return grid.qty_to_lots(text) if text.strip("0.") else 0
