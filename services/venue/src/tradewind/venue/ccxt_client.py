# SPDX-License-Identifier: Apache-2.0
"""One ccxt client with exact numbers, one attempt per call, and requests that expire in time.

A request has the exchange's time written into it before it is asked whether it may still be sent.
So whatever a paused process lets go when it wakes up was stamped while it was the active one, and
the exchange refuses it once `expiry_ms` have passed: that is the fence where there are no sessions.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import ccxt.pro
from ccxt.base.errors import BaseError

from tradewind.common.errors import SettingsError
from tradewind.venue.adapter import VenueGone
from tradewind.venue.ccxt_terms import TERMS, Terms

NS_PER_MS = 1_000_000
TIMEOUT_MS = 3000
RETRY_DEFAULT_S = 0.2


class Stamp:
    """The exchange's clock: never ahead of it, and moved by nothing that is done to this one's."""

    def __init__(self) -> None:
        self._offset_ms = 0

    def set(self, server_ms: int) -> None:
        """The exchange has just said what time it was."""
        self._offset_ms = server_ms - _monotonic_ms()

    def now_ms(self) -> int:
        """The exchange's time, or a little earlier."""
        return _monotonic_ms() + self._offset_ms


def terms_of(exchange: str) -> Terms:
    """What is known of an exchange.

    Raises:
        SettingsError: if nothing is.
    """
    if exchange not in TERMS:
        raise SettingsError(
            f"TRADEWIND_VENUE_EXCHANGE was {exchange!r}: use one of {', '.join(TERMS)}"
        )
    return TERMS[exchange]


def make_client(
    exchange: str,
    *,
    address: str,
    key: str,
    secret: str,
    expiry_ms: int,
    stamp: Stamp,
    may_send: Callable[[], bool],
) -> Any:
    """A client. `address` is where the exchange is, if it is not where ccxt knows it to be.

    Then ccxt does not know its limits either: what it refuses as one too many is sent again later.
    """
    terms = terms_of(exchange)
    client = getattr(ccxt.pro, exchange)(
        {"apiKey": key, "secret": secret, "timeout": TIMEOUT_MS, "newUpdates": True}
    )
    client.number = str
    client.options.update(terms.options)
    client.options.update(terms.expiring(expiry_ms), maxRetriesOnFailure=0)
    client.nonce = stamp.now_ms
    _ask_after_signing(client, may_send)
    _hear_orphans(client)
    if address:
        terms.point_at(client.urls, address)
        client.enableRateLimit = False
    return client


async def set_clock(client: Any, stamp: Stamp) -> None:
    """Learns the exchange's time.

    Raises:
        VenueGone: if it does not say it.
    """
    try:
        stamp.set(await client.fetch_time())
    except BaseError as error:
        raise VenueGone(f"{client.id} cannot be reached: {error!r}"[:200]) from error


def _ask_after_signing(client: Any, may_send: Callable[[], bool]) -> None:
    """Lets out what changes something only if this process is the active one.

    It is asked once the request has its time: what is asked in between would prove nothing.
    """
    sign = client.sign

    def signed(path: str, api: Any = "public", method: str = "GET", *more: Any) -> Any:
        request = sign(path, api, method, *more)
        if method != "GET" and not may_send():
            raise VenueGone("this connector may not be the active one any more")
        return request

    client.sign = signed


def _hear_orphans(client: Any) -> None:
    """Takes note of errors of the stream that ccxt tells nobody: whoever waits is told as well."""
    make = client.client

    def make_stream(url: str) -> Any:
        stream = make(url)
        for future in stream.futures.values():
            future.remove_done_callback(heard)
            future.add_done_callback(heard)
        return stream

    client.client = make_stream


def heard(future: "asyncio.Future[Any]") -> None:
    """Nobody else may be there to take note of how it ended."""
    if not future.cancelled():
        future.exception()


def retry_s(client: Any) -> float:
    """How long an exchange wants to be left alone, by the last of its answers."""
    text = str((client.last_response_headers or {}).get("Retry-After", ""))
    return float(text) if text.isdecimal() else RETRY_DEFAULT_S


def _monotonic_ms() -> int:
    return time.monotonic_ns() // NS_PER_MS
