# SPDX-License-Identifier: Apache-2.0
"""What the notifier hears, and the only place that knows FastStream.

Its settings here are those that make it lose nothing. Nothing is declared: the stream and the
durable consumer are the init job's. An alert is acknowledged by hand, once somebody has been told:
a handler that raises, and a process that dies, leave it to come again. It is decoded here and not
by the framework, which would drop what it cannot read. One at a time, so that what is said of an
alert is told in its order.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from faststream import AckPolicy, BaseMiddleware
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from faststream.nats.security import NatsUserPassword
from faststream.specification import AsyncAPI

from tradewind.common import alerts, permissions, subjects
from tradewind.common.alerts import Alert
from tradewind.common.errors import BusError, CorruptionError
from tradewind.common.jetstream import KvEntry
from tradewind.common.kills import Kill
from tradewind.common.lease import Holder
from tradewind.common.settings import BusSettings
from tradewind.notifier import notices
from tradewind.notifier.notices import Notice
from tradewind.notifier.teller import Outcome, Teller, pause_s
from tradewind.notifier.webhook import Answer

log = logging.getLogger(__name__)

ASK_AGAIN_S = 1.0
"""A question for the next alert that was lost with a node is asked again then."""
UNANSWERED_S = 0.25
POLICY = AckPolicy.MANUAL
"""FastStream's own default drops for good what a handler fails at."""
GRACE_S = 3.0
HELD_MAX = 1_000
SETTINGS: dict[str, Any] = {
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.05,
    "connect_timeout": 1,
    "ping_interval": 1,
    "max_outstanding_pings": 2,
    "graceful_timeout": GRACE_S,
    "logger": log,
    "log_level": logging.DEBUG,
}
"""The same connection that all services make, and no line for every message."""


class _As:
    """Shows the document what a body is; what arrives was decoded here, and is let through."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self._kind = kind

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return {"type": "any"}

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> Any:
        shape = msgspec.json.schema(self._kind)["$defs"][self._kind.__name__]
        return {**shape, "description": inspect.cleandoc(shape["description"])}


SHOWN = {kind: _As(kind) for kind in (Alert, Kill, Holder)}
SaidAlert = Annotated[Alert | str, SHOWN[Alert]]
SaidKill = Annotated[Kill | str, SHOWN[Kill]]
SaidEnd = Annotated[Holder | str, SHOWN[Holder]]


class Handlers:
    """What is done with what is heard. A body that could not be read is the reason, as text."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    async def alert(self, said: SaidAlert, message: NatsMessage) -> None:
        """How an alert stands now: raised, handed on, taken."""
        place = message.raw_message.metadata
        key, revision = message.raw_message.subject, place.sequence.stream
        match await self._teller.tell_alert(key, revision, said):
            case Outcome.TOLD:
                await message.ack()
            case Outcome.AGAIN:
                await message.nack(delay=pause_s(place.num_delivered))
            case Outcome.GIVEN_UP:
                await message.reject()

    async def kill(self, said: SaidKill) -> None:
        """A scope is killed, told by a gateway before it is journaled; or that kill is over."""
        if isinstance(said, str):
            log.error("KILL_UNREADABLE: %s", said)
        else:
            await self._teller.tell_once(notices.of_kill(said))

    async def ended(self, said: SaidEnd) -> None:
        """A supervisor has seen a process end."""
        if isinstance(said, str):
            log.error("END_UNREADABLE: %s", said)
        else:
            await self._teller.tell_once(notices.of_end(said))


class Hearing:
    """FastStream's connection and its subscribers, with the life cycle of a service."""

    def __init__(self, bus: BusSettings, name: str, teller: Teller) -> None:
        self._user = bus.user
        self._failure: asyncio.Future[None] | None = None
        self.errors = 0
        self.is_connected = False
        self.broker = NatsBroker(
            bus.urls,
            security=NatsUserPassword(bus.user, bus.password),
            name=name,
            inbox_prefix=permissions.inbox_prefix(bus.user),
            error_cb=self._on_error,
            closed_cb=self._on_closed,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            middlewares=[_watched(self._on_handler_error)],
            **SETTINGS,
        )
        self._alerts = _subscribe(self.broker, Handlers(teller))

    async def start(self) -> None:
        """Hears from now on.

        Raises:
            BusError: if that cannot be.
        """
        self._failure = asyncio.get_running_loop().create_future()
        try:
            await self.broker.start()
        except Exception as error:
            raise BusError(f"the alerts cannot be heard: {error}") from error
        self._alerts.subscription = Paced(self._alerts.subscription)
        self.is_connected = True

    async def failed(self) -> None:
        """Waits until the connection is closed for good, and raises the reason."""
        assert self._failure is not None
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Lets what is being told be told, and disconnects."""
        self._failure = None
        with suppress(Exception):
            await self.broker.stop()

    def _fail(self, text: str) -> None:
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(BusError(text))

    def _on_handler_error(self, error: BaseException) -> None:
        self.errors += 1
        log.error("NOTIFIER_ERROR: a handler failed, an alert comes again: %r", error)

    async def _on_error(self, error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            self._fail(f"the bus user {self._user} is refused: {error}")
        log.error("bus: %s", error or type(error).__name__)

    async def _on_closed(self) -> None:
        self._fail("the bus closed the connection")

    async def _on_disconnected(self) -> None:
        self.is_connected = False

    async def _on_reconnected(self) -> None:
        self.is_connected = True


class Paced:
    """A pull subscription that lets the bus be for a moment when it could not answer.

    FastStream asks again at once: thousands of times a second, while nodes elect a leader.
    """

    def __init__(self, subscription: Any) -> None:
        self._subscription = subscription

    async def fetch(self, batch: int, timeout: float) -> Any:
        """The next messages; that there is none yet is an answer."""
        try:
            return await self._subscription.fetch(batch, timeout=timeout)
        except TimeoutError:
            raise
        except Exception:
            await asyncio.sleep(UNANSWERED_S)
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subscription, name)


def document() -> dict[str, Any]:
    """What is heard, as FastStream's AsyncAPI document. Its subscribers come in no order."""
    broker = NatsBroker("nats://bus:4222", security=NatsUserPassword("notifier", "-"))
    _subscribe(broker, Handlers(Teller(_Nobody())))
    told = AsyncAPI(
        broker,
        title="Tradewind's notifier",
        version="0.1.0",
        description="What people are told of. Who may say it: docs/asyncapi.yaml.",
        schema_version="3.0.0",
    )
    found: dict[str, Any] = told.to_specification().to_jsonable()
    return found


def _subscribe(broker: NatsBroker, handlers: Handlers) -> Any:
    """Returns the subscriber to alerts."""
    alerts_heard = broker.subscriber(
        subjects.ALERTS,
        stream=JStream(subjects.ALERTS_STREAM, declare=False),
        durable=subjects.ALERTS_READER,
        pull_sub=PullSub(batch_size=1, timeout=ASK_AGAIN_S),
        ack_policy=POLICY,
        inbox_prefix=f"{permissions.inbox_prefix(subjects.ALERTS_READER)}.".encode(),
        decoder=_read_alert,
        title="alerts",
    )
    alerts_heard(handlers.alert)
    plain: dict[str, Any] = {"pending_msgs_limit": HELD_MAX}
    broker.subscriber(subjects.kill(), decoder=_reading(Kill), title="kills", **plain)(
        handlers.kill
    )
    ends = broker.subscriber(
        subjects.process_ended(), decoder=_reading(Holder), title="ends-of-processes", **plain
    )
    ends(handlers.ended)
    return alerts_heard


async def _read_alert(message: NatsMessage) -> Alert | str:
    raw = message.raw_message
    try:
        return alerts.decode(KvEntry(raw.subject, raw.data, raw.metadata.sequence.stream))
    except CorruptionError as error:
        return error.text


def _reading(kind: type[msgspec.Struct]) -> Any:
    decoder = msgspec.json.Decoder(kind)

    async def read(message: NatsMessage) -> msgspec.Struct | str:
        try:
            return decoder.decode(message.raw_message.data)
        except msgspec.MsgspecError as error:
            return str(error)

    return read


def _watched(on_error: Callable[[BaseException], None]) -> Any:
    """FastStream passes a handler's error over; this tells of it first."""

    class Watched(BaseMiddleware):
        async def after_processed(
            self, _kind: Any = None, error: BaseException | None = None, _trace: Any = None
        ) -> bool | None:
            if error is not None:
                on_error(error)
            return False

    return Watched


class _Nobody:
    async def post(self, _notice: Notice) -> Answer:
        return Answer.FAILED
