# SPDX-License-Identifier: Apache-2.0
"""FIX's values of what the order machine has names for. FIX 4.4, volume 6."""

from tradewind.core.types import ExecType, OrdStatus, OrdType, Side, TimeInForce, TradSesStatus

SIDE = {Side.BUY: "1", Side.SELL: "2"}
ORD_TYPE = {
    OrdType.MARKET: "1",
    OrdType.LIMIT: "2",
    OrdType.STOP: "3",
    OrdType.STOP_LIMIT: "4",
}
TIME_IN_FORCE = {
    TimeInForce.DAY: "0",
    TimeInForce.GTC: "1",
    TimeInForce.AT_OPEN: "2",
    TimeInForce.IOC: "3",
    TimeInForce.FOK: "4",
    TimeInForce.GTD: "6",
    TimeInForce.AT_CLOSE: "7",
}
ORD_STATUS = {
    OrdStatus.NEW: "0",
    OrdStatus.PARTIALLY_FILLED: "1",
    OrdStatus.FILLED: "2",
    OrdStatus.CANCELED: "4",
    OrdStatus.REJECTED: "8",
    OrdStatus.EXPIRED: "C",
}
EXEC_TYPE = {
    ExecType.NEW: "0",
    ExecType.CANCELED: "4",
    ExecType.REPLACED: "5",
    ExecType.REJECTED: "8",
    ExecType.EXPIRED: "C",
    ExecType.RESTATED: "D",
    ExecType.TRADE: "F",
    ExecType.TRADE_CORRECT: "G",
    ExecType.TRADE_CANCEL: "H",
    ExecType.ORDER_STATUS: "I",
    ExecType.TRIGGERED: "L",
}
"""L (triggered) is FIX 5.0's; 4.4 has no word for it."""
TRAD_SES_STATUS = {
    TradSesStatus.HALTED: "1",
    TradSesStatus.OPEN: "2",
    TradSesStatus.CLOSED: "3",
    TradSesStatus.PRE_OPEN: "4",
    TradSesStatus.PRE_CLOSE: "5",
}
POST_ONLY = "6"
"""ExecInst "participate, don't initiate"."""
ABSOLUTE = "3"
"""CommType: an amount of money."""
CANCEL_ANSWERED, REPLACE_ANSWERED = "1", "2"
"""CxlRejResponseTo: which kind of request is refused."""
TRY_LATER, OTHER = "4", "0"
"""BusinessRejectReason: the application is not available; anything else."""

SIDES = {value: name for name, value in SIDE.items()}
ORD_TYPES = {value: name for name, value in ORD_TYPE.items()}
TIMES_IN_FORCE = {value: name for name, value in TIME_IN_FORCE.items()}
ORD_STATUSES = {value: name for name, value in ORD_STATUS.items()}
EXEC_TYPES = {value: name for name, value in EXEC_TYPE.items()}
TRAD_SES_STATUSES = {value: name for name, value in TRAD_SES_STATUS.items()}
