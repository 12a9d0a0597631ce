# SPDX-License-Identifier: Apache-2.0
"""What clients may send, field by field. Unknown fields, double fields and NaN are refused.

A body of the REST side and the message of the same request on the WebSocket have the same fields;
the message names its type besides.
"""

import json
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from tradewind.core.commands import BY_HAND
from tradewind.core.types import OrdType, Side, TimeInForce
from tradewind.gateway.errors import Refusal, refusal

MAX_BODY_BYTES = 16 * 1024

Account = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]
ClOrdId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.:-]{1,36}\Z")]
Strategy = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.:-]{1,32}\Z")]
Build = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.:+-]{1,64}\Z")]
Symbol = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]
Number = Annotated[str, Meta(max_length=40)]
"""An exact decimal in a string: a JSON number would pass through somebody's float."""
Nanoseconds = Annotated[int, Meta(gt=0, lt=2**62)]
"""Since the epoch, as in reports."""


class SubmitBody(Struct, forbid_unknown_fields=True, frozen=True):
    """A new order: body of POST /v1/orders. `algorithm` and `build`: NONE if people decided."""

    account: Account
    cl_ord_id: ClOrdId
    symbol: Symbol
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: Number
    strategy: Strategy
    price: Number | None = None
    stop_px: Number | None = None
    display_qty: Number | None = None
    is_post_only: bool = False
    expire_ns: Nanoseconds | None = None
    algorithm: Strategy = BY_HAND
    build: Build = BY_HAND
    parent_cl_ord_id: ClOrdId | None = None
    is_parent: bool = False


class Submit(SubmitBody, frozen=True, tag_field="type", tag="submit"):
    """A new order."""


class Cancel(Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="cancel"):
    """A request to cancel; `cl_ord_id` is the request's own id."""

    account: Account
    cl_ord_id: ClOrdId
    orig_cl_ord_id: ClOrdId


class ReplaceBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of PUT /v1/orders/{cl_ord_id}. Without `stop_px` the stop price stays."""

    account: Account
    cl_ord_id: ClOrdId
    order_qty: Number
    price: Number | None = None
    stop_px: Number | None = None


class Replace(Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="replace"):
    """A request for other terms; `cl_ord_id` is the request's own id."""

    account: Account
    cl_ord_id: ClOrdId
    orig_cl_ord_id: ClOrdId
    order_qty: Number
    price: Number | None = None
    stop_px: Number | None = None


class MassCancelBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/mass-cancel: all live orders of the account, or of a part of it."""

    account: Account
    cl_ord_id: ClOrdId
    symbol: Symbol | None = None
    strategy: Strategy | None = None


class CancelAll(MassCancelBody, frozen=True, tag_field="type", tag="mass_cancel"):
    """A request to cancel many orders; `cl_ord_id` is the request's own id."""


class Status(Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="status"):
    """A request for the order as it stands; a venue that owes an answer is asked too."""

    account: Account
    cl_ord_id: ClOrdId


class FlattenBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/positions/flatten: an order of just the size that closes the position."""

    account: Account
    cl_ord_id: ClOrdId
    symbol: Symbol
    strategy: Strategy
    algorithm: Strategy = BY_HAND
    build: Build = BY_HAND


class Flatten(FlattenBody, frozen=True, tag_field="type", tag="flatten"):
    """A request to close a position."""


ShardNumber = Annotated[int, Meta(ge=0, lt=2**16)]
Ordinal = Annotated[int, Meta(ge=0, lt=2**62)]


class Hello(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="type"):
    """First message of a WebSocket. `batch`: the client takes arrays of messages in one frame.

    `cancel_on_disconnect`: accounts in which the client's orders end when the connection does.
    `resume`: by shard, the ordinal of the last report that was heard; what came since is told
    before what is new.
    """

    batch: bool = False
    cancel_on_disconnect: Annotated[list[Account], Meta(max_length=64)] = []
    resume: dict[ShardNumber, Ordinal] = {}


class SignedHello(Hello, frozen=True, tag="auth"):
    """Of a program, signed with its key."""

    key: Annotated[str, Meta(max_length=64)]
    timestamp: Annotated[str, Meta(max_length=15)]
    nonce: Annotated[str, Meta(max_length=64)]
    signature: Annotated[str, Meta(max_length=64)]


class TokenHello(Hello, frozen=True, tag="token"):
    """Of a person, with a token of the issuer."""

    token: str


class Subscribe(Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="subscribe"):
    """All that a WebSocket session wants to see beside its reports; what is not named, no longer.

    Market data by symbol, positions by account.
    """

    quotes: Annotated[list[Symbol], Meta(max_length=64)] = []
    trades: Annotated[list[Symbol], Meta(max_length=64)] = []
    depth: Annotated[list[Symbol], Meta(max_length=64)] = []
    positions: Annotated[list[Account], Meta(max_length=64)] = []


class Renew(Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="renew"):
    """A fresh token of the person whose WebSocket session this is: it lives as long as that."""

    token: str


OrderRequest = Submit | Cancel | Replace | CancelAll | Status | Flatten

T = TypeVar("T")

_order_request = msgspec.json.Decoder(OrderRequest)
SessionRequest = OrderRequest | Subscribe | Renew
_session_request = msgspec.json.Decoder(SessionRequest)
_frame = msgspec.json.Decoder(list[msgspec.Raw])


class _TwiceError(ValueError):
    """One object names one field twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


_pairs_decoder = json.JSONDecoder(object_pairs_hook=_once)


def decode(body: bytes | str, decoder: msgspec.json.Decoder[T]) -> T | Refusal:
    """The request in `body`, or why it is none."""
    try:
        request = decoder.decode(body)
        _pairs_decoder.decode(body if isinstance(body, str) else body.decode())
    except msgspec.ValidationError as error:
        return _of_validation(str(error))
    except _TwiceError:
        return refusal("DUPLICATE_FIELD")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return refusal("MALFORMED_JSON")
    return request


def decode_order_request(body: bytes | str) -> OrderRequest | Refusal:
    """A request about orders, named by its type."""
    return decode(body, _order_request)


def decode_session_request(body: bytes | str) -> SessionRequest | Refusal:
    """A message in a WebSocket frame."""
    return decode(body, _session_request)


def split_frame(frame: str) -> list[str | bytes | msgspec.Raw] | Refusal:
    """The messages in a WebSocket frame: one object, or an array of them."""
    if not frame.startswith("["):
        return [frame]
    try:
        return list(_frame.decode(frame))
    except (msgspec.DecodeError, ValueError):
        return refusal("MALFORMED_JSON")


def _of_validation(text: str) -> Refusal:
    if "unknown field" in text:
        return refusal("UNKNOWN_FIELD", f"{text}.")
    if "missing required field" in text:
        return refusal("MISSING_FIELD", f"{text}.")
    return refusal("INVALID_FIELD", f"{text}.")
