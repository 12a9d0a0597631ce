# SPDX-License-Identifier: Apache-2.0
"""A client's session as the bus has it, page by page, so that any gateway can go on with it.

What leaves for a client is stored before, with its number and with how far the session has come:
no number is used for two messages, and what was sent can be sent again by a gateway that did not
send it. A page is stored only after the one before it. Whoever opens a session writes a page, and
from then on nobody who had it before can add one: two gateways never speak for one session.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from tradewind.common.errors import BusError, CorruptionError, Refused, TradewindError
from tradewind.fix.message import Sent

log = logging.getLogger(__name__)

RETRY_S = 0.1
DECODED_AT_ONCE = 100
OPEN_TIMEOUT_S = 5.0
ADD_TIMEOUT_S = 15.0
"""For how long a page is tried: longer than a stream needs to find a new leader."""


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one write adds, and how the session stands with it.

    Pages are numbered from 1, and `life` is whose page it is. `heard` has, by shard, the ordinal
    of the last output that the client was told of. With `is_new` both sides begin with 1: what
    is before is another session's.
    """

    number: int
    life: str
    next_out: int
    next_in: int
    heard: Mapping[int, int]
    sent: tuple[Sent, ...] = ()
    is_new: bool = False


class SessionTaken(TradewindError):
    """Another gateway has opened the session since."""

    code = "FIX_SESSION_TAKEN"


class Log(Protocol):
    """Where pages are kept, by the session's name."""

    async def pages(self, name: str) -> list[tuple[int, bytes]]:
        """All that are kept, each with its revision; perhaps not the latest. Raises BusError."""

    async def last(self, name: str) -> tuple[int, bytes] | None:
        """The last one; perhaps not the latest. Raises BusError."""

    async def append(self, name: str, body: bytes, after: int) -> int:
        """Stores a page after revision `after` (0: as the first); returns its revision.

        Raises:
            BusError: it is not stored, or nobody knows.
        """


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a session goes on. `sent` may be sent again."""

    next_out: int
    next_in: int
    heard: Mapping[int, int]
    sent: tuple[Sent, ...]


class History:
    """One session, as one connection writes it."""

    def __init__(self, pages: Log, name: str) -> None:
        self._log = pages
        self._name = name
        self._revision = 0
        self._number = 0
        self._life = secrets.token_hex(8)

    async def open(self, tails: Mapping[int, int], *, is_new: bool) -> Standing:
        """Takes the session; `tails` is where to begin with shards that it has not heard yet.

        Raises:
            BusError: it could not be read or written in time.
            CorruptionError: pages are missing, or are none.
        """
        deadline_s = time.monotonic() + OPEN_TIMEOUT_S
        while True:
            try:
                return await self._try_open(tails, is_new)
            except BusError as error:
                if time.monotonic() > deadline_s:
                    raise
                log.info("FIX session %s is not open yet: %s", self._name, error)
            await asyncio.sleep(RETRY_S)

    async def add(
        self, next_out: int, next_in: int, heard: Mapping[int, int], sent: tuple[Sent, ...]
    ) -> None:
        """Stores a page, however often it has to be tried: then what it holds may leave.

        Raises:
            SessionTaken: another gateway has the session.
            BusError: it could not be stored in time.
        """
        self._number += 1
        body = _encode(Page(self._number, self._life, next_out, next_in, heard, sent))
        deadline_s = time.monotonic() + ADD_TIMEOUT_S
        while True:
            try:
                self._revision = await self._log.append(self._name, body, self._revision)
            except BusError as error:
                if time.monotonic() > deadline_s:
                    raise
                log.info("a page of FIX session %s may not be stored: %s", self._name, error)
            else:
                return
            if await self._has(body):
                return
            await asyncio.sleep(RETRY_S)

    async def _try_open(self, tails: Mapping[int, int], is_new: bool) -> Standing:
        found = await self._kept(is_new)
        revision = found[-1][0] if found else 0
        pages = [] if is_new else await self._of_one_session(await _decoded(found))
        if pages:
            last = pages[-1]
            sent = tuple(sent for page in pages for sent in page.sent)
            standing = Standing(last.next_out, last.next_in, {**tails, **last.heard}, sent)
            self._number = last.number + 1
        else:
            standing = Standing(1, 1, dict(tails), ())
            self._number = 1
        opening = Page(
            self._number,
            self._life,
            standing.next_out,
            standing.next_in,
            standing.heard,
            is_new=not pages,
        )
        self._revision = await self._log.append(self._name, _encode(opening), revision)
        return standing

    async def _kept(self, is_new: bool) -> list[tuple[int, bytes]]:
        """All pages; of a session that begins anew the last one, after which it begins."""
        if not is_new:
            return await self._log.pages(self._name)
        last = await self._log.last(self._name)
        return [last] if last else []

    async def _of_one_session(self, pages: list[Page]) -> list[Page]:
        """The pages since both sides last began with 1; the oldest may be gone, no other.

        Raises:
            Refused: pages came and went while these were read.
            CorruptionError: pages are missing.
        """
        begun = max((place for place, page in enumerate(pages) if page.is_new), default=0)
        pages = pages[begun:]
        if not pages or pages[-1].number - pages[0].number + 1 == len(pages):
            return pages
        last = await self._log.last(self._name)
        if last is not None and _decode(last[1]) != pages[-1]:
            raise Refused(f"FIX session {self._name} is written while it is read")
        raise CorruptionError(f"pages of FIX session {self._name} are missing")

    async def _has(self, body: bytes) -> bool:
        """Whether the page is stored after all. A server that lags says no: then it is refused."""
        try:
            found = await self._log.last(self._name)
        except BusError:
            return False
        if found is None or found[0] <= self._revision:
            return False
        if found[1] != body:
            raise SessionTaken(f"FIX session {self._name} is another gateway's")
        self._revision = found[0]
        return True


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Page)


async def _decoded(found: list[tuple[int, bytes]]) -> list[Page]:
    """A part at a time: the gateway has other clients, and the edge asks whether it hangs."""
    pages: list[Page] = []
    for first in range(0, len(found), DECODED_AT_ONCE):
        pages += [_decode(body) for _revision, body in found[first : first + DECODED_AT_ONCE]]
        await asyncio.sleep(0)
    return pages


def _decode(body: bytes) -> Page:
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise CorruptionError(f"a page of a FIX session cannot be read: {error}") from error
