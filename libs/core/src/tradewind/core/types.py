# SPDX-License-Identifier: Apache-2.0
"""The words of the order machine: FIX 4.4 names, FIX values where FIX has one.

Prices are integer ticks and quantities integer lots of the instrument's grid; notionals are
ticks x lots. Times are integer nanoseconds since the epoch and come only from journal entries.
"""

from enum import StrEnum


class Side(StrEnum):
    """FIX Side (54)."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrdType(StrEnum):
    """FIX OrdType (40)."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    """Becomes a market order at the venue once the market trades at `stop_px`."""
    STOP_LIMIT = "STOP_LIMIT"
    """Becomes a limit order at `price` once the market trades at `stop_px`."""


class TimeInForce(StrEnum):
    """FIX TimeInForce (59)."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    """Until `expire_ns` (FIX ExpireTime, 126)."""
    AT_OPEN = "AT_OPEN"
    """FIX "at the opening": takes part in the opening of the venue's session only."""
    AT_CLOSE = "AT_CLOSE"


class OrdStatus(StrEnum):
    """FIX OrdStatus (39): the state of an order."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    UNKNOWN = "UNKNOWN"
    """Ours, not FIX's: sent, and the venue's answer is missing. Nothing is freed until its truth is
    proved."""
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_REPLACE = "PENDING_REPLACE"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    DENIED = "DENIED"
    """Ours, not FIX's: refused by Tradewind itself, so the venue never saw it."""


TERMINAL = frozenset(
    {
        OrdStatus.FILLED,
        OrdStatus.CANCELED,
        OrdStatus.REJECTED,
        OrdStatus.EXPIRED,
        OrdStatus.DENIED,
    }
)


class ExecType(StrEnum):
    """FIX ExecType (150): what has just happened to an order."""

    PENDING_NEW = "PENDING_NEW"
    """Accepted by Tradewind: journaled, checked, exposure reserved, on its way to the venue."""
    DENIED = "DENIED"
    """Refused by Tradewind."""
    NEW = "NEW"
    """Acknowledged by the venue."""
    REJECTED = "REJECTED"
    """Refused by the venue."""
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    PENDING_REPLACE = "PENDING_REPLACE"
    REPLACED = "REPLACED"
    TRADE = "TRADE"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"
    """Ours, not FIX's: a timeout is never a reject."""
    TRIGGERED = "TRIGGERED"
    """A stop order became active."""
    RESTATED = "RESTATED"
    """The venue changed the terms unasked."""
    TRADE_CANCEL = "TRADE_CANCEL"
    """A bust: the fill `exec_ref_id` never was."""
    TRADE_CORRECT = "TRADE_CORRECT"
    """The fill `exec_ref_id` was another one: `last_qty` at `last_px`."""
    ORDER_STATUS = "ORDER_STATUS"
    """The answer to a status request: nothing happened."""
    CANCEL_REJECTED = "CANCEL_REJECTED"
    """FIX OrderCancelReject (9) in answer to a cancel: the order stays as it was."""
    REPLACE_REJECTED = "REPLACE_REJECTED"
    """FIX OrderCancelReject (9) in answer to a replace: the order stays as it was."""


class VenueAction(StrEnum):
    """What a venue is asked to do."""

    NEW = "NEW"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"
    STATUS = "STATUS"


class TradSesStatus(StrEnum):
    """FIX TradSesStatus (340): what a venue's session takes now."""

    PRE_OPEN = "PRE_OPEN"
    OPEN = "OPEN"
    PRE_CLOSE = "PRE_CLOSE"
    CLOSED = "CLOSED"
    HALTED = "HALTED"


class TradingState(StrEnum):
    """What may be done in a scope; the strictest of all scopes that cover an order wins (C23)."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Reason(StrEnum):
    """Stable reason codes of refusals by Tradewind. Codes are never renamed or reused."""

    NONE = ""
    DUPLICATE_CL_ORD_ID = "DUPLICATE_CL_ORD_ID"
    CL_ORD_ID_REUSED = "CL_ORD_ID_REUSED"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    ORDER_IS_FINAL = "ORDER_IS_FINAL"
    REQUEST_PENDING = "REQUEST_PENDING"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    INVALID_PRICE = "INVALID_PRICE"
    LIMIT_MISSING = "LIMIT_MISSING"
    MAX_ORDER_QTY = "MAX_ORDER_QTY"
    MAX_NOTIONAL = "MAX_NOTIONAL"
    NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"
    STALE_REFERENCE_PRICE = "STALE_REFERENCE_PRICE"
    PRICE_COLLAR = "PRICE_COLLAR"
    MAX_POSITION = "MAX_POSITION"
    TRADING_HALTED = "TRADING_HALTED"
    REDUCE_ONLY = "REDUCE_ONLY"
    TOO_LATE = "TOO_LATE"
    NOT_SENT_IN_TIME = "NOT_SENT_IN_TIME"
    BY_VENUE = "BY_VENUE"
    INVALID_STOP_PRICE = "INVALID_STOP_PRICE"
    INVALID_DISPLAY_QUANTITY = "INVALID_DISPLAY_QUANTITY"
    INVALID_POST_ONLY = "INVALID_POST_ONLY"
    INVALID_EXPIRE_TIME = "INVALID_EXPIRE_TIME"
    ATTRIBUTION_MISSING = "ATTRIBUTION_MISSING"
    VENUE_CLOSED = "VENUE_CLOSED"
    VENUE_HALTED = "VENUE_HALTED"
    NOT_IN_THIS_SESSION = "NOT_IN_THIS_SESSION"
    TOO_MANY_PENDING = "TOO_MANY_PENDING"
    NOTHING_TO_FLATTEN = "NOTHING_TO_FLATTEN"
    UNKNOWN_PARENT = "UNKNOWN_PARENT"
    PARENT_NOT_WORKING = "PARENT_NOT_WORKING"
    PARENT_MISMATCH = "PARENT_MISMATCH"
    PARENT_EXCEEDED = "PARENT_EXCEEDED"
    INSTRUMENT_IN_USE = "INSTRUMENT_IN_USE"
    INVALID_INSTRUMENT = "INVALID_INSTRUMENT"
    INVALID_RATE = "INVALID_RATE"
    INVALID_DATE = "INVALID_DATE"
    MAX_EXPOSURE = "MAX_EXPOSURE"
    NO_FX_RATE = "NO_FX_RATE"
    STALE_FX_RATE = "STALE_FX_RATE"
    MESSAGE_RATE = "MESSAGE_RATE"
    MESSAGE_FLOOD = "MESSAGE_FLOOD"
    REPEATED_EXECUTION = "REPEATED_EXECUTION"
    DUPLICATE_CONTENT = "DUPLICATE_CONTENT"
    PRICE_MOVED = "PRICE_MOVED"
    MARKET_UNSTABLE = "MARKET_UNSTABLE"
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS"
    MAX_OPEN_VALUE = "MAX_OPEN_VALUE"
    CREDIT_EXCEEDED = "CREDIT_EXCEEDED"
    MAX_TURNOVER = "MAX_TURNOVER"
    ORDER_TO_TRADE_RATIO = "ORDER_TO_TRADE_RATIO"
    SELF_MATCH = "SELF_MATCH"
    TOO_MANY_CHILDREN = "TOO_MANY_CHILDREN"
    PARENT_VALUE = "PARENT_VALUE"
    NOT_PERMITTED = "NOT_PERMITTED"
    BUILD_NOT_APPROVED = "BUILD_NOT_APPROVED"
    TIME_IN_FORCE_NOT_PERMITTED = "TIME_IN_FORCE_NOT_PERMITTED"
    KILLED = "KILLED"
    NOT_KILLED = "NOT_KILLED"
    INVALID_SCOPE = "INVALID_SCOPE"
    ROOT_CAUSE_MISSING = "ROOT_CAUSE_MISSING"
    STALE_VERSION = "STALE_VERSION"
    INVALID_LIMIT = "INVALID_LIMIT"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"
    NOT_PROPOSED = "NOT_PROPOSED"
    SHARE_NOT_NEXT = "SHARE_NOT_NEXT"
    NOTHING_TO_SHARE = "NOTHING_TO_SHARE"
    INTERNAL = "INTERNAL"
    """The core failed on this request: it was not applied, and its account is halted."""
