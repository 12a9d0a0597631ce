# SPDX-License-Identifier: Apache-2.0
"""Who arrives over FIX: a key of the keys file, its id as SenderCompID, its secret as Password.

A key has one session, at whichever gateway; the latest Logon has it. The one before it, wherever it
was, is over, with its orders where it asked for that, before the Logon is answered; at another
gateway it can say nothing more from then on.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from tradewind.common.errors import BusError, CorruptionError
from tradewind.fix import tags
from tradewind.fix.framer import Framer, TooLong
from tradewind.fix.link import BROKEN, READ_BYTES, LinkDown
from tradewind.fix.message import Garbled, Malformed, Message, Sent, decode, encode, is_number
from tradewind.fix.session import LOGON_TIMEOUT_S, Ends
from tradewind.fix.stamps import stamp
from tradewind.gateway import server
from tradewind.gateway.auth import Key
from tradewind.gateway.disconnects import Disconnects
from tradewind.gateway.egress import Egress
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.fix.connection import HEARTBEAT_S, Connection
from tradewind.gateway.fix.desk import Means
from tradewind.gateway.fix.history import History, Log
from tradewind.gateway.fix.outlet import Inlet, Outlet

log = logging.getLogger(__name__)

NAME = "TRADEWIND"
"""The gateway's CompID, whichever gateway it is."""
HEARTBEAT_S_MAX = 60
ENDING_TIMEOUT_S = 1.0
PORT = "TRADEWIND_FIX_PORT"


class Acceptor:
    """Accepts connections and runs them."""

    def __init__(
        self,
        means: Means,
        egress: Egress,
        disconnects: Disconnects,
        sessions: Log,
        can_tell: Callable[[], bool],
    ) -> None:
        """`sessions` is where they are kept; `can_tell` whether reports can be told as they are.

        A report is told under its number for good: not before this gateway knows instruments.
        """
        self._means = means
        self._can_tell = can_tell
        self._sessions = sessions
        self._egress = egress
        self._disconnects = disconnects
        self._owners: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def count(self) -> int:
        """How many sessions are logged on."""
        return len(self._owners)

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Opens the port, plain or with TLS; returns its number.

        Raises:
            SettingsError: PORT_TAKEN, if somebody else listens there.
        """
        listening = server.bind(host, port, PORT)
        self._server = await asyncio.start_server(self._serve, sock=listening, ssl=tls)
        return int(listening.getsockname()[1])

    async def close(self) -> None:
        """Says goodbye to everybody: the gateway stops."""
        if self._server is not None:
            self._server.close()
        for owner in self._owners.values():
            owner.log_out("the gateway stops: log on to another one")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ENDING_TIMEOUT_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        outlet = Outlet(writer)
        try:
            async with asyncio.timeout(LOGON_TIMEOUT_S):
                first, logon = await _first_message(reader)
            await self._log_on(first, logon, Inlet(reader, self._means.calls.journal), outlet)
        except (LinkDown, Garbled, Malformed, TooLong, TimeoutError, *BROKEN) as error:
            log.info("a FIX connection has ended: %s", error)
        finally:
            self._tasks.discard(task)
            outlet.close()

    async def _log_on(self, first: bytes, logon: Message, inlet: Inlet, outlet: Outlet) -> None:
        key = self._key_of(logon, outlet.address)
        refused = key if isinstance(key, Refusal) else None
        if isinstance(key, Key):
            name = logon.get(tags.SENDER_COMP_ID)
            ends = Ends(NAME, name, is_initiator=False, heartbeat_s=HEARTBEAT_S)
            history = History(self._sessions, name)
            connection = Connection(ends, key, self._means, self._egress, history, inlet, outlet)
            await self._take(name, connection)
            guarded = ""
            try:
                refused = await self._open(logon, connection)
                if refused is None:
                    await self._disconnects.end_elsewhere(name)
                    guarded = await self._guard(logon, key, connection)
                    await connection.run(first)
            except BusError as error:
                log.warning("%s cannot log on: %s", name, error)
                refused = refusal("NOT_READY")
            finally:
                await self._leave(name, connection, guarded)
        if refused is not None:
            outlet.write(_goodbye(logon, refused))

    async def _open(self, logon: Message, connection: Connection) -> Refusal | None:
        """Takes the session from whichever gateway had it. Raises BusError."""
        if not self._can_tell():
            return refusal("NOT_READY")
        try:
            return await connection.open(is_new=logon.get(tags.RESET_SEQ_NUM_FLAG) == "Y")
        except CorruptionError as error:
            log.error("FIX session %s: %s", logon.get(tags.SENDER_COMP_ID), error)
            return refusal("FIX_SESSION_DAMAGED")

    def _key_of(self, logon: Message, address: str) -> Key | Refusal:
        """Whom a first message is from, or why it is no Logon of anybody who may trade."""
        if logon.msg_type != tags.LOGON or logon.get(tags.TARGET_COMP_ID) != NAME:
            raise LinkDown("it began with something else than a Logon at this gateway")
        name = logon.get(tags.SENDER_COMP_ID)
        if logon.get(tags.USERNAME, name) != name:
            return refusal("UNKNOWN_KEY", "Username (553) is SenderCompID (49), or is left out.")
        key = self._means.calls.authenticator.of_secret(name, logon.get(tags.PASSWORD), address)
        if isinstance(key, Refusal):
            return key
        heartbeat = logon.get(tags.HEART_BT_INT)
        if not (is_number(heartbeat) and 1 <= int(heartbeat) <= HEARTBEAT_S_MAX):
            return refusal("INVALID_FIELD", f"HeartBtInt (108) is 1 to {HEARTBEAT_S_MAX}.")
        if logon.get(tags.RESET_SEQ_NUM_FLAG) == "Y" and logon.seq != 1:
            return refusal("INVALID_FIELD", "A Logon with ResetSeqNumFlag (141) Y has number 1.")
        may_trade = key.permits("trade") is None
        if logon.get(tags.CANCEL_ON_DISCONNECT) == "Y" and ("*" in key.accounts or not may_trade):
            return refusal(
                "INVALID_FIELD",
                "Who cancels on disconnect has a key that trades, and not for all accounts.",
            )
        return key if may_trade else key.permits("read") or key

    async def _take(self, name: str, connection: Connection) -> None:
        """Ends who had the session, then gives it to `connection`."""
        while (owner := self._owners.get(name)) is not None:
            owner.cut("the session was taken by another logon")
            await owner.ended.wait()
        self._owners[name] = connection

    async def _guard(self, logon: Message, key: Key, connection: Connection) -> str:
        """The id under which the session's end is watched; "" if it did not ask for that.

        Raises:
            BusError: if it cannot be watched now.
        """
        if logon.get(tags.CANCEL_ON_DISCONNECT) != "Y":
            return ""
        accounts = sorted(key.accounts)
        return await self._disconnects.open(
            key.client, accounts, lambda: connection.log_out("GIVEN_UP"), key.key_id
        )

    async def _leave(self, name: str, connection: Connection, guarded: str) -> None:
        """The session is over, and so are its orders where it asked for that."""
        try:
            if guarded:
                await asyncio.shield(self._disconnects.close(guarded))
        finally:
            del self._owners[name]
            connection.ended.set()


async def _first_message(reader: asyncio.StreamReader) -> tuple[bytes, Message]:
    """The bytes that have come, and the first message in them."""
    framer, first = Framer(), b""
    while True:
        data = await reader.read(READ_BYTES)
        if not data:
            raise LinkDown("it ended before a Logon")
        first += data
        for raw in framer.feed(data):
            with suppress(Garbled):
                return first, decode(raw)


def _goodbye(logon: Message, why: Refusal) -> bytes:
    """The Logout that answers a Logon that is refused."""
    moment = stamp(time.time_ns())
    body = ((tags.TEXT, f"{why.code}: {why.text}"),)
    sent = Sent(1, tags.LOGOUT, body, moment)
    return encode(sent, sender=NAME, target=logon.get(tags.SENDER_COMP_ID))
