# SPDX-License-Identifier: Apache-2.0
"""What the gateway answers, as it comes: numbers are decimals in strings, never floats."""

from typing import Any, Literal, TypedDict

Side = Literal["BUY", "SELL"]
OrdType = Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT"]
TimeInForce = Literal["DAY", "GTC", "IOC", "FOK", "GTD", "AT_OPEN", "AT_CLOSE"]
Outcome = Literal["accepted", "denied", "duplicate", "durable"]


class Report(TypedDict, total=False):
    """An order as it stands after something happened to it; FIX's names."""

    account: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    exec_type: str
    ord_status: str
    order_qty: str
    price: str | None
    stop_px: str | None
    cum_qty: str
    leaves_qty: str
    avg_px: str | None
    last_qty: str
    last_px: str | None
    reason: str
    text: str


class Answer(TypedDict, total=False):
    """What became of a request. `durable`: it is stored, and its report has not been seen yet.

    `duplicate`: the request was known already, and `report` says what became of it then.
    """

    outcome: Outcome
    cl_ord_id: str
    shard: int
    seq: int
    report: Report


class ReportMessage(TypedDict):
    """A report as it is streamed; `ordinal` is its number in its shard."""

    type: str
    shard: int
    seq: int
    ordinal: int
    report: Report


class Page(TypedDict):
    """Some of the orders, and what to ask for the next ones with; None at the end."""

    orders: list[dict[str, Any]]
    next_cursor: str | None
