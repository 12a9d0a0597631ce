# SPDX-License-Identifier: Apache-2.0
"""Everything the gateway refuses, as one table: stable code, HTTP status, what to do about it.

Codes are never renamed or reused. A refusal is a value, not an exception, wherever the caller is
expected to handle it; `Refused` below carries one through Starlette's exception handling.
"""

from dataclasses import dataclass
from typing import Any

CODES: dict[str, tuple[int, str]] = {
    # authentication
    "UNKNOWN_KEY": (401, "The key id is not known here. Check TW-Key."),
    "BAD_SIGNATURE": (
        401,
        "The signature does not match this request. Sign method, path with "
        "query, body hash, timestamp and nonce with the key's secret.",
    ),
    "KEY_EXPIRED": (401, "The key has ended. Ask for a new one."),
    "ADDRESS_NOT_ALLOWED": (403, "The key is not for use from this address."),
    "BAD_PASSWORD": (401, "Password (554) of a FIX Logon is the key's secret."),
    "SENDING_TIME_OUT_OF_WINDOW": (
        401,
        "SendingTime (52) of what makes risk is at most 5000 ms (or what "
        "TRADEWIND_ORDER_TTL_MS says) from the gateway's clock. Synchronise the clock; what was "
        "on its way for longer is not carried out.",
    ),
    "TIMESTAMP_OUT_OF_WINDOW": (
        401,
        "TW-Timestamp must be Unix milliseconds, at most 5000 ms behind and 1000 ms ahead of "
        "the gateway's clock. Synchronise the clock and sign again.",
    ),
    "SIGNED_TOO_EARLY": (
        401,
        "It was signed before the gateways that run now began, so it may have been used before. "
        "Sign again.",
    ),
    "REPLAYED_NONCE": (401, "This nonce was used before. Sign again with a new one."),
    "BAD_NONCE": (401, "TW-Nonce must be 8 to 64 letters, digits, '-' or '_'."),
    "TOKENS_NOT_TAKEN": (401, "This gateway was told of no issuer of tokens. Sign with a key."),
    "TOKEN_INVALID": (401, "The token proves nobody here. Log in again at the issuer."),
    "TOKEN_EXPIRED": (401, "The token has ended. Get a new one from the issuer."),
    "TOKEN_REVOKED": (401, "The token was taken back, or what its roles allow. Ask an operator."),
    "OTHER_PERSON": (
        403,
        "The token is not of the person whose session this is. Open another session with it.",
    ),
    "OTHER_ROLES": (
        403,
        "The token allows other things than this session's. Open another session with it.",
    ),
    "ISSUER_AWAY": (
        503,
        "Nothing was stored: the issuer's keys cannot be had, so no token can be checked. Signed "
        "requests pass. Try again.",
    ),
    "AMBIGUOUS_CREDENTIALS": (400, "Send a token or a signature, one of them and once."),
    "ACCOUNT_NOT_ALLOWED": (403, "This key may not act for that account."),
    "SCOPE_MISSING": (403, "This key lacks the scope that the request needs."),
    "TOO_MANY_REQUESTS": (429, "This key has used too many nonces in a short time. Wait 10 s."),
    "RATE_LIMITED": (
        429,
        "Nothing was stored. Slow down, and send it again with the same cl_ord_id; cancels have an "
        "allowance of their own.",
    ),
    # form
    "MALFORMED_JSON": (400, "The body is not valid JSON in UTF-8."),
    "DUPLICATE_FIELD": (400, "A field occurs twice in one JSON object."),
    "UNKNOWN_FIELD": (400, "The request has a field that this message does not have."),
    "MISSING_FIELD": (400, "The request lacks a required field."),
    "INVALID_FIELD": (400, "A field has the wrong type, form or length."),
    "BODY_TOO_LARGE": (413, "The body is larger than 16 KiB."),
    "NOT_FOUND": (404, "There is no such path. GET /v1/openapi.json lists them."),
    "METHOD_NOT_ALLOWED": (405, "This path does not take that method."),
    # content
    "KILLED": (
        403,
        "Nothing was stored: the kill switch has stopped this scope. Cancels pass. Two people "
        "clear it.",
    ),
    "UNKNOWN_SHARD": (422, "No such shard. GET /v1/status lists them."),
    "UNKNOWN_LOGIC": (
        422,
        "This build does not know that change of behaviour: its replicas would stop. Bring up a "
        "build that does first.",
    ),
    "UNKNOWN_INSTRUMENT": (422, "No such instrument. GET /v1/instruments lists them."),
    "BAD_NUMBER": (422, "Prices and quantities are plain decimal numbers in strings."),
    "NOT_POSITIVE": (422, "Prices and quantities must be above zero."),
    "OFF_GRID": (422, "The number is not a multiple of the instrument's tick or lot size."),
    "TOO_LARGE": (422, "The number is too large."),
    "PRICE_MISSING": (422, "LIMIT and STOP_LIMIT orders need a price."),
    "PRICE_NOT_ALLOWED": (422, "MARKET and STOP orders have no price."),
    "STOP_PRICE_MISSING": (422, "STOP and STOP_LIMIT orders need a stop_px."),
    "STOP_PRICE_NOT_ALLOWED": (422, "Only STOP and STOP_LIMIT orders have a stop_px."),
    "EXPIRE_TIME_MISSING": (422, "A GTD order needs an expire_ns."),
    "EXPIRE_TIME_NOT_ALLOWED": (422, "Only GTD orders have an expire_ns."),
    "ORDER_NOT_KNOWN_HERE": (
        422,
        "The order's instrument is not known to this gateway. Read the "
        "order once by GET /v1/orders/{cl_ord_id}, then send the request again.",
    ),
    "UNKNOWN_ALERT": (404, "There is no such alert. GET /v1/admin/alerts lists them."),
    "UNKNOWN_ORDER": (404, "The account has no order of that cl_ord_id."),
    "ORDER_DENIED": (404, "The request of that cl_ord_id was denied; it never was an order."),
    "ORDER_RETIRED": (404, "The order ended on an earlier day. The archive has all about it."),
    # availability
    "JOURNAL_UNAVAILABLE": (
        503,
        "Nothing was stored: the journal takes no entries at this "
        "moment. Send the request again with the same cl_ord_id.",
    ),
    "OVERLOADED": (
        503,
        "Nothing was stored: too many requests are under way. Slow down and send "
        "the request again with the same cl_ord_id.",
    ),
    "NOT_PROCESSING": (
        503,
        "Nothing was stored: entries are stored but not processed at this "
        "moment, so new orders are refused. Cancels still pass.",
    ),
    "NOT_READY": (
        503,
        "Nothing was stored: the gateway is starting, stopping, or without connection to the "
        "journal. Use another, or try again.",
    ),
    "OUTCOME_UNKNOWN": (
        504,
        "The request may or may not have been stored. A retry with the same "
        "cl_ord_id and content is safe: it is never executed twice.",
    ),
    "RESENT_TOO_LATE": (
        504,
        "It was sent again so long after the first time that it is not carried out now. Whether "
        "the first one arrived, an OrderStatusRequest says.",
    ),
    "FIX_SESSION_DAMAGED": (
        503,
        "What was kept of this session cannot be read. Log on with ResetSeqNumFlag, and ask for "
        "the working orders.",
    ),
    "QUERY_TIMEOUT": (503, "No order-management replica answered. Try again."),
    "SLOW_CONSUMER": (
        503,
        "This connection did not read its reports fast enough and was closed. "
        "Connect again and read what was missed by GET /v1/orders.",
    ),
    "RESUME_GONE": (
        410,
        "Reports of so long ago are not kept. Connect without resume, and read what was missed by "
        "GET /v1/orders.",
    ),
    "REQUEST_IN_FLIGHT": (
        409,
        "A request with this cl_ord_id is under way through this gateway. "
        "Wait for its answer, then retry.",
    ),
    "INTERNAL": (
        500,
        "Something unexpected happened; it was logged under the incident id. A retry "
        "with the same cl_ord_id is safe.",
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite answer to a request that is not carried out."""

    code: str
    text: str
    http_status: int

    def body(self) -> dict[str, Any]:
        """As part of a message."""
        return {"error": {"code": self.code, "text": self.text}}

    def problem(self) -> dict[str, Any]:
        """As an answer of its own: a problem document (RFC 9457)."""
        return {
            "type": f"urn:tradewind:error:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.http_status,
            "detail": self.text,
            "code": self.code,
        }


class RefusedRequest(Exception):
    """Carries a refusal out of nested calls on the REST side."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


def refusal(code: str, detail: str = "") -> Refusal:
    """The refusal of that code. `detail` comes first, the table's sentence after it."""
    http_status, text = CODES[code]
    return Refusal(code, f"{detail} {text}" if detail else text, http_status)
