# SPDX-License-Identifier: Apache-2.0
"""Cancel on disconnect: the orders of a session that asked for it end with the session.

A session is written down in the bucket SESSIONS before it is told to be ready, so that it ends even
if its gateway does: another gateway cancels for one that was seen to end or whose heartbeat stands
still, and a gateway that starts cancels what an earlier life of it has left. The id of the request
is the session's, so who cancels too does nothing more. A gateway that was given up while it hung
closes the sessions that others have ended.

Time is counted in this gateway's own heartbeats, as they arrive in the bucket: while the bucket
does not work nobody's heart beats, and nobody is given up.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError, Refused
from tradewind.common.jetstream import KeyValue, KvEntry
from tradewind.common.lease import Holder
from tradewind.core.commands import MassCancel

log = logging.getLogger(__name__)

BUCKET = "SESSIONS"
SERVICE = "gateway"
LOOK_S = 0.25
BEATS_MISSED = 4


class Guarded(msgspec.Struct, frozen=True):
    """A session whose client's orders in some accounts end with it.

    `name` is whose it is where there is one at a time, at whichever gateway: a FIX session.
    """

    session_id: str
    client: str
    accounts: list[str]
    name: str = ""


class Record(msgspec.Struct, frozen=True):
    """The sessions of one life of one gateway."""

    life: str = ""
    sessions: list[Guarded] = []


class Disconnects:
    """What this gateway guards, and what it sees of the others."""

    def __init__(
        self,
        *,
        records: KeyValue,
        beats: KeyValue,
        journal_surely: Callable[[MassCancel], Awaitable[None]],
        instance: str,
    ) -> None:
        self._records = records
        self._beats = beats
        self._journal_surely = journal_surely
        self._instance = instance
        self._life = secrets.token_hex(8)
        self._guarded: dict[str, tuple[Guarded, Callable[[], None]]] = {}
        self._revision = 0
        self._writing = asyncio.Lock()
        self._ended: set[str] = set()
        self._alive: dict[str, tuple[int, int]] = {}
        self.canceled = 0

    async def open(
        self, client: str, accounts: list[str], close: Callable[[], None], name: str = ""
    ) -> str:
        """Guards a session; `close` ends it if others have ended it. Returns the session's id.

        Raises:
            BusError: if it could not be written down.
        """
        session_id = secrets.token_hex(8)
        self._guarded[session_id] = (Guarded(session_id, client, accounts, name), close)
        try:
            await self._write()
        except BusError:
            del self._guarded[session_id]
            raise
        return session_id

    async def close(self, session_id: str) -> None:
        """The session is over: its orders end, and then it is forgotten."""
        found = self._guarded.get(session_id)
        if found is None:
            return
        await self._cancel(found[0])
        self._guarded.pop(session_id, None)
        try:
            await self._write()
        except BusError as error:
            log.info("the end of session %s is not written down: %s", session_id, error)

    async def end_elsewhere(self, name: str) -> None:
        """Ends the orders of a session of that name at another gateway: it goes on at this one.

        What they do there when they notice comes too late to do anything, also to new orders.

        Raises:
            BusError: if the others' sessions cannot be read.
        """
        for entry in await self._records.entries():
            if entry.key != self._instance:
                for guarded in _record(entry).sessions:
                    if guarded.name == name:
                        await self._cancel(guarded)

    def hear_end(self, body: bytes) -> None:
        """A supervisor saw a process end; it matters if it was a gateway."""
        self._ended.add(msgspec.json.decode(body, type=Holder).instance)

    async def begin(self) -> None:
        """Ends what an earlier life of this gateway has left.

        Raises:
            BusError: if it cannot be read.
        """
        found = await self._records.get(self._instance)
        if found is not None:
            self._revision = found.revision
            for guarded in _record(found).sessions:
                await self._cancel(guarded)

    async def run(self) -> None:
        """Watches the other gateways, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except BusError as error:
                log.info("the other gateways are not seen: %s", error)

    async def _look(self) -> None:
        dead = await self._dead()
        for entry in await self._records.entries():
            if entry.key == self._instance:
                self._check_own(entry)
            elif entry.key in dead and _record(entry).sessions:
                await self._end_of(entry)

    def _check_own(self, entry: KvEntry) -> None:
        """Closes this gateway's sessions if another one has ended them."""
        if entry.revision <= self._revision:
            return
        self._revision = entry.revision
        if _record(entry).life == self._life:
            return  # its own, stored without a word
        log.error("this gateway was given up: it closes %d sessions", len(self._guarded))
        guarded, self._guarded = self._guarded, {}
        for _guarded, close in guarded.values():
            close()

    async def _end_of(self, entry: KvEntry) -> None:
        log.warning("%s is dead: its guarded sessions end", entry.key)
        for guarded in _record(entry).sessions:
            await self._cancel(guarded)
        try:
            await self._records.update(entry.key, msgspec.json.encode(Record()), entry.revision)
        except Refused:
            return  # another gateway was quicker, or it lives again

    async def _dead(self) -> set[str]:
        """Gateways that were seen to end, or whose heart stood still while this one's beat."""
        entries = await self._beats.entries(subjects.status_key(SERVICE, "*"))
        beats = {entry.key.removeprefix(f"{SERVICE}."): _beat(entry) for entry in entries}
        now = beats.get(self._instance, 0)
        for instance, beat in beats.items():
            if self._alive.get(instance, (0, 0))[0] != beat:
                self._alive[instance] = (beat, now)
                self._ended.discard(instance)
        still = {name for name, (_, since) in self._alive.items() if now - since >= BEATS_MISSED}
        return (still | self._ended) - {self._instance}

    async def _cancel(self, guarded: Guarded) -> None:
        for account in guarded.accounts:
            command = MassCancel(
                account=account,
                cl_ord_id=f"COD-{guarded.session_id}",
                client=guarded.client,
                entered_by=guarded.client,
            )
            await self._journal_surely(command)
            self.canceled += 1

    async def _write(self) -> None:
        async with self._writing:
            sessions = [guarded for guarded, _close in self._guarded.values()]
            body = msgspec.json.encode(Record(self._life, sessions))
            try:
                revision = await self._records.update(self._instance, body, self._revision)
            except Refused:
                entry = await self._records.get(self._instance)
                if entry is not None:
                    self._check_own(entry)
                raise
            self._revision = max(revision, self._revision)


def _record(entry: KvEntry) -> Record:
    return msgspec.json.decode(entry.value, type=Record) if entry.value else Record()


def _beat(entry: KvEntry) -> int:
    found: dict[str, object] = msgspec.json.decode(entry.value) if entry.value else {}
    beat = found.get("beat", 0)
    return beat if isinstance(beat, int) else 0
