# SPDX-License-Identifier: Apache-2.0
"""Inputs from venues' connectors; a part of `commands`."""

from tradewind.core.record import record
from tradewind.core.types import ExecType, Side

NOT_SAID = -1


@record
class ApplyVenueReport:
    """A venue's report about an order, as its connector understood it.

    `order_id` is the id Tradewind sent (`VenueRequest.order_id`); `request_id` is the id of the
    cancel or replace request that this answers, empty otherwise. `exec_id` is the venue's: a
    second report with the same one is ignored. `order_qty` and `price` are the order's terms at
    the venue after this report (used by REPLACED and RESTATED only). `exec_no` is the venue's
    own running number of executions in the session, 0 where it has none. `exec_ref_id` names the
    fill that a TRADE_CANCEL or TRADE_CORRECT is about. `fee_e8` is in 1e-8 of `fee_currency`,
    negative for a rebate. UNKNOWN is the connector's own word: sent, and no answer in time.

    With a `symbol` the report can stand alone: an order that nobody here asked for is adopted with
    it and `side`, and counted against `account`, which the connector was told for such orders.
    """

    venue: str
    order_id: str
    request_id: str
    venue_order_id: str
    exec_id: str
    exec_no: int
    exec_type: ExecType
    last_qty: int
    last_px: int
    order_qty: int
    price: int
    text: str
    exec_ref_id: str = ""
    fee_e8: int = 0
    fee_currency: str = ""
    account: str = ""
    symbol: str = ""
    side: Side = Side.BUY


@record
class TakeSession:
    """A connector announces that it now owns the session with `venue` for this shard.

    `owner` is unique to one life of one connector process.
    """

    venue: str
    owner: str


@record
class StatePosition:
    """What a venue says the session has: lots held, and lots that may still trade on each side.

    It is journaled after all reports that the venue made before it, so it must be what those add
    up to. `epoch` is the session's that it was said in. `exec_no` is the venue's last execution by
    then: with a later one in the journal, the statement came too late. `is_complete`: every report
    since the last settled statement was told again just before. A venue that does not say what is
    open at that very moment says NOT_SAID for both sides.
    """

    venue: str
    epoch: int
    symbol: str
    exec_no: int
    qty: int
    open_buy_qty: int
    open_sell_qty: int
    is_complete: bool
