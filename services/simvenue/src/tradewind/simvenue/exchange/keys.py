# SPDX-License-Identifier: Apache-2.0
"""API keys, signatures and the time in which a request is good.

A key is `<session>.<name>`: every key of a session acts for the same account, so each replica of a
connector has one of its own. Its secret follows from the venue's key, so none has to be stored.
"""

import hmac
import time
from hashlib import sha256
from urllib.parse import parse_qsl

from tradewind.simvenue.exchange import errors
from tradewind.simvenue.exchange.errors import ApiError, missing

WINDOW_MS = 5000
WINDOW_MAX_MS = 60_000
AHEAD_MS = 1000

Params = dict[str, str]


def secret_of(venue_key: str, api_key: str) -> str:
    """The secret that belongs to an API key."""
    return hmac.new(venue_key.encode(), api_key.encode(), sha256).hexdigest()


def session_of(api_key: str) -> str:
    """The session that a key acts for."""
    session, dot, name = api_key.rpartition(".")
    if not (session and dot and name):
        raise ApiError(errors.BAD_KEY_FORMAT)
    return session


def authenticate(venue_key: str, api_key: str, signed: str, signature: str) -> tuple[str, Params]:
    """The session and the parameters of a signed request that came in time.

    Raises:
        ApiError: if it is not signed with the key's secret, or came too late.
    """
    session = session_of(api_key)
    expected = hmac.new(secret_of(venue_key, api_key).encode(), signed.encode(), sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise ApiError(errors.BAD_SIGNATURE)
    params = dict(parse_qsl(signed, keep_blank_values=True))
    _check_time(params)
    return session, params


def _check_time(params: Params) -> None:
    stamp_ms = whole(params, "timestamp")
    window_ms = whole(params, "recvWindow", WINDOW_MS)
    if window_ms > WINDOW_MAX_MS:
        raise ApiError(errors.BAD_WINDOW)
    late_ms = now_ms() - stamp_ms
    if late_ms <= -AHEAD_MS:
        raise ApiError(errors.AHEAD)
    if late_ms > window_ms:
        raise ApiError(errors.OUTSIDE_WINDOW)


def whole(params: Params, name: str, default: int | None = None) -> int:
    """A parameter that is a whole number.

    Raises:
        ApiError: if it is none, or is missing without a default.
    """
    text = params.get(name, "")
    if not text and default is not None:
        return default
    if not text.isdecimal() or len(text) > 18:
        raise missing(name)
    return int(text)


def now_ms() -> int:
    """The venue's time."""
    return time.time_ns() // 1_000_000
