# SPDX-License-Identifier: Apache-2.0
"""One session with the bus: connected as a user, reconnecting for ever, failing loudly.

An error in a handler ends the session for its owner: `failed()` raises it, and so does every
later call.
"""

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import Callable
from typing import Any, Self

from tradewind.common import permissions
from tradewind.common.errors import BusError, Refused, Unknown
from tradewind.common.jetstream.connection import Connection
from tradewind.common.jetstream.replies import Replies
from tradewind.common.settings import BusSettings

log = logging.getLogger(__name__)

CLOSE_S = 1.0
QUIET_S = 0.1
"""As long open questions may keep a connection whose server is going to stop."""
CHANGE_S = 0.5
"""As long messages wait for another server before they are refused."""
FORBIDDEN = "BUS_FORBIDDEN"
_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')


class Session:
    """The connection, its open questions, its tasks, and what went wrong."""

    def __init__(self, settings: BusSettings) -> None:
        self.nc = Connection()
        self.user = settings.user
        self._replies = Replies(self.new_inbox())
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._refused_subscriptions: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._changed: asyncio.Event | None = None
        self.on_reconnected: list[Callable[[], None]] = []

    @classmethod
    async def connect(cls, settings: BusSettings, *, name: str, timeout_s: float = 10.0) -> Self:
        """Connects as `settings.user`; `name` is what operators see in the server's list.

        Raises:
            BusError: code BUS_UNREACHABLE or BUS_UNAUTHORIZED.
        """
        session = cls(settings)
        connecting = asyncio.ensure_future(session._connect(settings, name))
        try:
            await asyncio.wait(
                {connecting, session._failure},
                timeout=timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if connecting.done():
                connecting.result()
                await session.nc.listen(session._replies.subject, session._replies.hear)
                return session
        except asyncio.CancelledError:
            await session._abandon(connecting)
            raise
        await session._abandon(connecting)
        session.check()
        where = ", ".join(settings.urls)
        raise BusError(
            f"no server of the bus at {where} took the connection within {timeout_s:.0f} s: "
            "see whether the nodes run",
            code="BUS_UNREACHABLE",
        )

    @property
    def is_connected(self) -> bool:
        """There is a connection now, or one is being left for another and what is sent waits."""
        return bool(self.nc.is_connected) or self.nc.is_holding

    @property
    def server_version(self) -> str:
        """The version of the server at the other end."""
        return str(self.nc._server_info.get("version", ""))

    def new_inbox(self) -> str:
        """A subject of this user's own to receive on."""
        return f"{permissions.inbox_prefix(self.user)}.{secrets.token_hex(6)}"

    def fail(self, error: BaseException) -> None:
        """Ends this bus with an error for its owner."""
        if not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()

    def check(self) -> None:
        """Raises what the bus failed with, if it failed."""
        if self._failure.done():
            self._failure.result()

    async def failed(self) -> None:
        """Waits until the bus fails, and raises the reason."""
        await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Sends what is on its way and disconnects."""
        self._is_closing = True
        if self.nc.is_connected:
            try:
                await self.nc.confirm(CLOSE_S)
            except Unknown:
                log.info("the last messages may not have been sent")
        await self.nc.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._replies.fail_all(lambda subject: Unknown(f"closed before {subject} was answered"))

    async def _abandon(self, connecting: "asyncio.Future[None]") -> None:
        """Lets go of a connection that nobody waits for: it would reconnect for ever."""
        connecting.cancel()
        await asyncio.wait({connecting}, timeout=CLOSE_S)
        await self.close()

    async def _connect(self, settings: BusSettings, name: str) -> None:
        await self.nc.connect(
            servers=list(settings.urls),
            user=settings.user,
            password=settings.password,
            name=name,
            inbox_prefix=permissions.inbox_prefix(settings.user),
            pending_size=0,
            ping_interval=1,
            max_outstanding_pings=2,
            connect_timeout=1,
            reconnect_time_wait=0.05,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
            lame_duck_mode_cb=self._on_lame_duck,
        )

    def _start(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fail(error)

    async def _on_error(self, error: Exception) -> None:
        found = _VIOLATION.search(str(error))
        if found is None:
            if "authorization violation" in str(error).lower():
                text = f"the bus user {self.user} was not let in: its password is wrong"
                self.fail(BusError(text, code="BUS_UNAUTHORIZED"))
            log.debug("bus: %s", error or type(error).__name__)
            return
        verb, subject = found.groups()
        if verb == "subscription":
            self._refused_subscriptions.add(subject)
            return
        if not self._replies.fail_subject(subject, self._not_permitted):
            log.error("%s", self._not_permitted(subject))

    def _not_permitted(self, subject: str) -> Refused:
        refusal = Refused(f"the bus user {self.user} may not publish on {subject}")
        refusal.code = FORBIDDEN
        return refusal

    async def _on_lame_duck(self) -> None:
        if self._changed is None and not self._is_closing:
            self._start(self._change_server())

    async def _change_server(self) -> None:
        """Goes to another server before this one stops, between two questions if it can be.

        What is sent meanwhile waits, so that nobody has to guess what became of it.
        """
        log.info("the server of the bus is going to stop: changing to another one")
        self._changed = asyncio.Event()
        self.nc.hold()
        await self._replies.settle(QUIET_S, _broke)
        await self.nc.change_server()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CHANGE_S):
                await self._changed.wait()
        if self.nc.drop():
            self._replies.fail_all(lambda subject: Refused(f"no server for {subject} was found"))
        self._changed = None

    async def _on_disconnected(self) -> None:
        self.nc.forget_unwritten()
        if self._changed is not None:
            return
        if not self._is_closing:
            log.warning("the connection to the bus broke; trying again")
        self._replies.fail_all(_broke)

    async def _on_reconnected(self) -> None:
        log.warning("connected to the bus again")
        self.nc.release()
        if self._changed is not None:
            self._changed.set()
        for callback in self.on_reconnected:
            callback()

    async def _on_closed(self) -> None:
        if not self._is_closing:
            self.fail(BusError(f"the bus closed the connection: {self.nc.last_error}"))


def _broke(subject: str) -> Unknown:
    return Unknown(f"the connection broke before {subject} was answered")
