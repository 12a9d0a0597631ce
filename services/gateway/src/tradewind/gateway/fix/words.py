# SPDX-License-Identifier: Apache-2.0
"""FIX's fields and the gateway's own: requests as every side sends them, reports as all are told.

Numbers are decimals in text on both sides, so none of them passes through here as a number.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tradewind.core.types import ExecType, OrdStatus, TimeInForce
from tradewind.fix import tags
from tradewind.fix.message import Body, Message
from tradewind.fix.stamps import stamp, time_ns
from tradewind.fix.values import (
    ABSOLUTE,
    CANCEL_ANSWERED,
    EXEC_TYPE,
    ORD_STATUS,
    ORD_TYPE,
    ORD_TYPES,
    POST_ONLY,
    REPLACE_ANSWERED,
    SIDE,
    SIDES,
    TIME_IN_FORCE,
    TIMES_IN_FORCE,
)
from tradewind.gateway.errors import Refusal

View = Mapping[str, Any]
Fields = dict[str, Any]
NO_TAG, NO_VALUE, WRONG_VALUE, WRONG_FORMAT, WRONG_TIME = 1, 4, 5, 6, 10
"""SessionRejectReason."""
UNSUPPORTED, UNAVAILABLE, OTHER = "3", "4", "0"
"""BusinessRejectReason."""
BY_THE_VENUE = "8"
"""ExecRestatementReason "market (exchange) option"."""
STATUS = "I"
REJECTED = "8"
OWN_CODE, CLIENT_ID = "D", "3"
"""PartyIDSource "proprietary code", PartyRole "client id"."""
REQUIRED = {
    tags.NEW_ORDER_SINGLE: (11, 55, 54, 60, 38, 40),
    tags.ORDER_CANCEL_REQUEST: (41, 11, 55, 54, 60),
    tags.ORDER_CANCEL_REPLACE_REQUEST: (41, 11, 55, 54, 60, 38, 40),
    tags.ORDER_STATUS_REQUEST: (11, 55, 54),
    tags.ORDER_MASS_STATUS_REQUEST: (584, 585),
    tags.ORDER_MASS_CANCEL_REQUEST: (11, 530, 60),
}
OF_SECURITY, OF_ALL, NOTHING = "1", "7", "0"
"""MassCancelRequestType, and MassCancelResponse: which orders are asked to end."""
REFUSED = {
    ExecType.CANCEL_REJECTED: CANCEL_ANSWERED,
    ExecType.REPLACE_REJECTED: REPLACE_ANSWERED,
}
EXEC_TYPES = EXEC_TYPE | {
    ExecType.PENDING_NEW: "A",
    ExecType.PENDING_CANCEL: "6",
    ExecType.PENDING_REPLACE: "E",
    ExecType.DENIED: REJECTED,
    ExecType.UNKNOWN: STATUS,
    ExecType.TRIGGERED: "D",
}
"""4.4 has no word for a stop that is triggered: its terms are stated anew, and Text says why."""
ORD_STATUSES = ORD_STATUS | {
    OrdStatus.PENDING_NEW: "A",
    OrdStatus.PENDING_CANCEL: "6",
    OrdStatus.PENDING_REPLACE: "E",
    OrdStatus.DENIED: REJECTED,
}
ORD_REJ_REASONS = {
    "UNKNOWN_INSTRUMENT": "1",
    "VENUE_CLOSED": "2",
    "MAX_ORDER_QTY": "3",
    "MAX_NOTIONAL": "3",
    "MAX_POSITION": "3",
    "MAX_EXPOSURE": "3",
    "MAX_OPEN_ORDERS": "3",
    "MAX_OPEN_VALUE": "3",
    "CREDIT_EXCEEDED": "3",
    "MAX_TURNOVER": "3",
    "TOO_LATE": "4",
    "UNKNOWN_ORDER": "5",
    "CL_ORD_ID_REUSED": "6",
    "INVALID_QUANTITY": "13",
    "ACCOUNT_NOT_ALLOWED": "15",
}
CXL_REJ_REASONS = {
    "ORDER_IS_FINAL": "0",
    "UNKNOWN_ORDER": "1",
    "REQUEST_PENDING": "3",
    "DUPLICATE_CL_ORD_ID": "6",
    "CL_ORD_ID_REUSED": "6",
}
ANY_OTHER = "99"


class BadField(ValueError):
    """A field that breaks the standard's rules; `reason` is a SessionRejectReason."""

    def __init__(self, tag: int, reason: int, text: str) -> None:
        super().__init__(text)
        self.tag = tag
        self.reason = reason
        self.text = text


def check(message: Message) -> None:
    """Raises BadField if a field is missing that the standard requires."""
    for tag in REQUIRED[message.msg_type]:
        if not message.get(tag):
            raise BadField(tag, NO_TAG, f"required tag {tag} is missing")


def request_of(message: Message, account: str) -> Fields:
    """A request in the fields that all sides have. Raises BadField."""
    fields = {"account": account, "cl_ord_id": message.get(tags.CL_ORD_ID)}
    return fields | _READERS[message.msg_type](message)


def is_request(message: Message) -> bool:
    """Whether `request_of` can read it."""
    return message.msg_type in _READERS


def _new(message: Message) -> Fields:
    expires = message.get(tags.EXPIRE_TIME)
    exec_inst = message.get(tags.EXEC_INST)
    if exec_inst not in ("", POST_ONLY):
        raise BadField(tags.EXEC_INST, WRONG_VALUE, "of ExecInst (18) only 6 is known here")
    in_force = _known(message, tags.TIME_IN_FORCE, TIMES_IN_FORCE, TimeInForce.DAY)
    fields = {
        "type": "submit",
        "symbol": message.get(tags.SYMBOL),
        "side": _known(message, tags.SIDE, SIDES),
        "ord_type": _known(message, tags.ORD_TYPE, ORD_TYPES),
        "time_in_force": in_force,
        "order_qty": message.get(tags.ORDER_QTY),
        "strategy": message.get(tags.STRATEGY) or None,
        "price": message.get(tags.PRICE) or None,
        "stop_px": message.get(tags.STOP_PX) or None,
        "display_qty": message.get(tags.MAX_FLOOR) or None,
        "is_post_only": exec_inst == POST_ONLY,
        "expire_ns": _moment_ns(expires) if expires else None,
        "algorithm": message.get(tags.ALGORITHM) or None,
        "build": message.get(tags.BUILD) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _cancel(message: Message) -> Fields:
    return {"type": "cancel", "orig_cl_ord_id": message.get(tags.ORIG_CL_ORD_ID)}


def _replace(message: Message) -> Fields:
    return {
        "type": "replace",
        "orig_cl_ord_id": message.get(tags.ORIG_CL_ORD_ID),
        "order_qty": message.get(tags.ORDER_QTY),
        "price": message.get(tags.PRICE) or None,
        "stop_px": message.get(tags.STOP_PX) or None,
    }


def _status(message: Message) -> Fields:
    return {"type": "status"}


def _mass_cancel(message: Message) -> Fields:
    kind = message.get(tags.MASS_CANCEL_REQUEST_TYPE)
    if kind not in (OF_SECURITY, OF_ALL):
        text = "of MassCancelRequestType (530) only 1, a security, and 7, all, are known here"
        raise BadField(tags.MASS_CANCEL_REQUEST_TYPE, WRONG_VALUE, text)
    symbol = message.get(tags.SYMBOL)
    if bool(symbol) != (kind == OF_SECURITY):
        raise BadField(tags.SYMBOL, NO_TAG, "Symbol (55) goes with 530=1, and with no other")
    return {"type": "mass_cancel", "symbol": symbol or None}


_READERS: dict[str, Callable[[Message], Fields]] = {
    tags.NEW_ORDER_SINGLE: _new,
    tags.ORDER_CANCEL_REQUEST: _cancel,
    tags.ORDER_CANCEL_REPLACE_REQUEST: _replace,
    tags.ORDER_STATUS_REQUEST: _status,
    tags.ORDER_MASS_CANCEL_REQUEST: _mass_cancel,
}


def refused(message: Message, why: Refusal, exec_id: str) -> tuple[str, Body]:
    """What the gateway refuses, as the answer that the standard has for such a request."""
    text = (tags.TEXT, f"{why.code}: {why.text}")
    asked = [(tag, message.get(tag)) for tag in (tags.CL_ORD_ID, tags.ORIG_CL_ORD_ID)]
    match message.msg_type:
        case tags.NEW_ORDER_SINGLE:
            kept = (tags.ACCOUNT, tags.SYMBOL, tags.SIDE, tags.ORDER_QTY, tags.ORD_TYPE)
            pairs = [
                (tags.ORDER_ID, "NONE"),
                (tags.CL_ORD_ID, message.get(tags.CL_ORD_ID)),
                (tags.EXEC_ID, exec_id),
                (tags.EXEC_TYPE, REJECTED),
                (tags.ORD_STATUS, REJECTED),
                *((tag, message.get(tag)) for tag in kept),
                *((tag, "0") for tag in (tags.LEAVES_QTY, tags.CUM_QTY, tags.AVG_PX)),
                (tags.ORD_REJ_REASON, ORD_REJ_REASONS.get(why.code, ANY_OTHER)),
                text,
            ]
            return tags.EXECUTION_REPORT, _given(pairs)
        case tags.ORDER_CANCEL_REQUEST | tags.ORDER_CANCEL_REPLACE_REQUEST:
            is_cancel = message.msg_type == tags.ORDER_CANCEL_REQUEST
            pairs = [
                (tags.ORDER_ID, "NONE"),
                *asked,
                (tags.ORD_STATUS, REJECTED),
                (tags.CXL_REJ_RESPONSE_TO, CANCEL_ANSWERED if is_cancel else REPLACE_ANSWERED),
                (tags.CXL_REJ_REASON, CXL_REJ_REASONS.get(why.code, ANY_OTHER)),
                text,
            ]
            return tags.ORDER_CANCEL_REJECT, _given(pairs)
        case tags.ORDER_MASS_CANCEL_REQUEST:
            return mass_canceled(message, {"reason": why.code}, (text,))
        case _:
            return business_reject(message, OTHER, text[1])


def business_reject(message: Message, reason: str, text: str) -> tuple[str, Body]:
    """It is not carried out, and that says nothing of the order that it is about."""
    named = message.get(tags.CL_ORD_ID) or message.get(tags.MASS_STATUS_REQ_ID)
    pairs = [
        (tags.REF_SEQ_NUM, str(message.seq)),
        (tags.REF_MSG_TYPE, message.msg_type),
        (tags.BUSINESS_REJECT_REF_ID, named),
        (tags.BUSINESS_REJECT_REASON, reason),
        (tags.TEXT, text),
    ]
    return tags.BUSINESS_MESSAGE_REJECT, _given(pairs)


def report(view: View, shard: int, *more: tuple[int, str]) -> tuple[str, Body]:
    """A report as all sides are told it, as message type and fields."""
    if view["exec_type"] in REFUSED:
        return tags.ORDER_CANCEL_REJECT, _given(_refusal(view))
    exec_type = EXEC_TYPES[view["exec_type"]]
    if view["reason"] == "DUPLICATE_CL_ORD_ID":
        exec_type = STATUS
    pairs = [
        *_state(view),
        (tags.EXEC_ID, f"{shard}-{view['exec_id']}"),
        (tags.SECONDARY_EXEC_ID, view["venue_exec_id"]),
        (tags.EXEC_REF_ID, view["venue_exec_ref_id"]),
        (tags.EXEC_TYPE, exec_type),
        (tags.TRANSACT_TIME, stamp(view["transact_time_ns"])),
        *_last(view),
        *more,
        (tags.TEXT, _text(view, view["exec_type"] in (ExecType.UNKNOWN, ExecType.TRIGGERED))),
    ]
    if exec_type == REJECTED:
        pairs.append((tags.ORD_REJ_REASON, ORD_REJ_REASONS.get(view["reason"], ANY_OTHER)))
    if exec_type == "D":
        pairs.append((tags.EXEC_RESTATEMENT_REASON, BY_THE_VENUE))
    return tags.EXECUTION_REPORT, _given(pairs)


def mass_canceled(message: Message, view: View, more: Body = ()) -> tuple[str, Body]:
    """How many orders are asked to end, each of which is reported; or why none is."""
    kind, reason = message.get(tags.MASS_CANCEL_REQUEST_TYPE), view["reason"]
    pairs = [
        (tags.ORDER_ID, view.get("exec_id") or "NONE"),
        (tags.CL_ORD_ID, message.get(tags.CL_ORD_ID)),
        (tags.ACCOUNT, message.get(tags.ACCOUNT)),
        (tags.SYMBOL, message.get(tags.SYMBOL)),
        (tags.MASS_CANCEL_REQUEST_TYPE, kind),
        (tags.MASS_CANCEL_RESPONSE, NOTHING if reason else kind),
        (tags.MASS_CANCEL_REJECT_REASON, ANY_OTHER if reason else ""),
        (tags.TOTAL_AFFECTED_ORDERS, str(view.get("order_count", 0))),
        *(more or ((tags.TEXT, reason),)),
    ]
    return tags.ORDER_MASS_CANCEL_REPORT, _given(pairs)


def order_status(view: View, exec_id: str, *more: tuple[int, str]) -> tuple[str, Body]:
    """An order as it stands: nothing has happened to it."""
    pairs = [*_state(view), (tags.EXEC_ID, exec_id), (tags.EXEC_TYPE, STATUS), *more]
    return tags.EXECUTION_REPORT, _given(pairs)


def copied(view: View) -> Body:
    """What a drop copy says besides: that it is one, and whose the order is."""
    return (
        (tags.COPY_MSG_INDICATOR, "Y"),
        (tags.NO_PARTY_IDS, "1"),
        (tags.PARTY_ID, view["client"] or "NONE"),
        (tags.PARTY_ID_SOURCE, OWN_CODE),
        (tags.PARTY_ROLE, CLIENT_ID),
    )


def no_orders(exec_id: str, *more: tuple[int, str]) -> tuple[str, Body]:
    """There are none, in a report's required fields."""
    pairs = [
        *((tag, "NONE") for tag in (tags.ORDER_ID, tags.CL_ORD_ID, tags.SYMBOL)),
        (tags.EXEC_ID, exec_id),
        (tags.EXEC_TYPE, STATUS),
        (tags.ORD_STATUS, REJECTED),
        (tags.SIDE, "1"),
        *((tag, "0") for tag in (tags.LEAVES_QTY, tags.CUM_QTY, tags.AVG_PX)),
        *more,
    ]
    return tags.EXECUTION_REPORT, _given(pairs)


def _state(view: View) -> list[tuple[int, str]]:
    """What was ordered, and what has become of it."""
    expires = view.get("expire_ns")
    return [
        (tags.ORDER_ID, view["order_id"] or "NONE"),
        (tags.CL_ORD_ID, view["cl_ord_id"]),
        (tags.ORIG_CL_ORD_ID, view.get("orig_cl_ord_id", "")),
        (tags.ORD_STATUS, _ord_status(view)),
        (tags.ACCOUNT, view["account"]),
        (tags.SYMBOL, view["symbol"] or "NONE"),
        (tags.SIDE, SIDE[view["side"]]),
        (tags.ORD_TYPE, ORD_TYPE[view["ord_type"]]),
        (tags.TIME_IN_FORCE, TIME_IN_FORCE[view["time_in_force"]]),
        (tags.ORDER_QTY, view["order_qty"] or ""),
        (tags.PRICE, view["price"] or ""),
        (tags.STOP_PX, view["stop_px"] or ""),
        (tags.MAX_FLOOR, view["display_qty"] or ""),
        (tags.EXEC_INST, POST_ONLY if view["is_post_only"] else ""),
        (tags.EXPIRE_TIME, stamp(expires) if expires else ""),
        (tags.STRATEGY, view["strategy"]),
        (tags.CUM_QTY, view["cum_qty"] or "0"),
        (tags.LEAVES_QTY, view["leaves_qty"] or "0"),
        (tags.AVG_PX, view["avg_px"] or "0"),
    ]


def _last(view: View) -> list[tuple[int, str]]:
    """What has traded just now."""
    pairs = [(tags.LAST_PX, view["last_px"] or "")]
    if view["last_px"]:
        pairs.append((tags.LAST_QTY, view["last_qty"]))
    if view["fee"]:
        pairs += [
            (tags.COMMISSION, view["fee"]),
            (tags.COMM_TYPE, ABSOLUTE),
            (tags.COMM_CURRENCY, view["fee_currency"]),
        ]
    return pairs


def _refusal(view: View) -> list[tuple[int, str]]:
    return [
        (tags.ORDER_ID, view["order_id"] or "NONE"),
        (tags.CL_ORD_ID, view["cl_ord_id"]),
        (tags.ORIG_CL_ORD_ID, view["orig_cl_ord_id"]),
        (tags.ORD_STATUS, _ord_status(view) if view["order_id"] else REJECTED),
        (tags.ACCOUNT, view["account"]),
        (tags.CXL_REJ_RESPONSE_TO, REFUSED[view["exec_type"]]),
        (tags.CXL_REJ_REASON, CXL_REJ_REASONS.get(view["reason"], ANY_OTHER)),
        (tags.TEXT, _text(view, False)),
    ]


def _ord_status(view: View) -> str:
    """FIX has no word for "unknown": it may still trade, as a pending or a traded order may."""
    if view["ord_status"] == OrdStatus.UNKNOWN:
        return "1" if view["cum_qty"] not in (None, "0") else "A"
    return ORD_STATUSES[view["ord_status"]]


def _text(view: View, is_named: bool) -> str:
    """Why: the stable code first."""
    said = [view["exec_type"] if is_named else "", view["reason"], view["text"]]
    return ": ".join(part for part in said if part)


def _given(pairs: list[tuple[int, str]]) -> Body:
    """Without what is empty; a venue's words may have anything in them."""
    return tuple((tag, value.replace("\x01", " ")) for tag, value in pairs if value)


def _known(message: Message, tag: int, names: Mapping[str, str], default: str = "") -> str:
    value = message.get(tag)
    if value in names:
        return names[value]
    if not value and default:
        return default
    raise BadField(tag, WRONG_VALUE, f"tag {tag} has a value that is not known here")


def _moment_ns(text: str) -> int:
    try:
        return time_ns(text)
    except ValueError as error:
        raise BadField(tags.EXPIRE_TIME, WRONG_FORMAT, str(error)) from error
