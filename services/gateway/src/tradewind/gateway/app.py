# SPDX-License-Identifier: Apache-2.0
"""The gateway put together: the only place that names concrete parts."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette

from tradewind.common import alerts, codec, kills, status, subjects, trace
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, KeyValue, KvEntry
from tradewind.common.kills import Kill, Kills
from tradewind.common.lifecycle import Stop, supervise
from tradewind.common.status import Heartbeat
from tradewind.core.commands import Command, KillScope, MassCancel
from tradewind.core.events import KillCleared
from tradewind.gateway import disconnects, files, http, server
from tradewind.gateway.admin import Admin
from tradewind.gateway.alert_calls import AlertCalls
from tradewind.gateway.auth import Authenticator, load_keys
from tradewind.gateway.calls import Calls
from tradewind.gateway.disconnects import Disconnects
from tradewind.gateway.egress import Egress
from tradewind.gateway.entries import OperatorEntries
from tradewind.gateway.fix.acceptor import Acceptor
from tradewind.gateway.fix.desk import Means
from tradewind.gateway.fix.pages import Pages
from tradewind.gateway.governance import Governance
from tradewind.gateway.instruments import Instrument, Instruments
from tradewind.gateway.intake import Intake
from tradewind.gateway.journal import Journal
from tradewind.gateway.market_data import MarketData
from tradewind.gateway.nonces import SharedNonces
from tradewind.gateway.position_feed import PositionFeed
from tradewind.gateway.queries import Queries
from tradewind.gateway.resume import Resume
from tradewind.gateway.risk_calls import RiskCalls
from tradewind.gateway.settings import GatewaySettings
from tradewind.gateway.watches import Watches
from tradewind.gateway.ws import Sessions

if TYPE_CHECKING:
    from tradewind.gateway.people import People

SERVICE = "gateway"
INSTRUMENT_PREFIX = "instrument."
RETRY_S = 0.2
SWEEP_S = 0.5


class Gateway:
    """All parts of one gateway process."""

    is_stopping = False

    def __init__(self, settings: GatewaySettings, bus: Bus) -> None:
        self.settings = settings
        self.tls = settings.certificate.context() if settings.certificate else None
        self.bus = bus
        shards = settings.service.shards
        self.instruments = Instruments()
        self.journal = Journal(bus, shards=shards, ack_timeout_ms=settings.ack_timeout_ms)
        self.kills = Kills(self.journal_kill)
        queries = Queries(bus, self.instruments, shards)
        self.market_data = MarketData(bus, self.instruments)
        self.positions = PositionFeed(queries)
        self.egress = Egress(
            bus, self.journal, self.instruments, shards, self.tell_cleared, self.positions.moved
        )
        self._lasting: set[asyncio.Future[None]] = set()
        clock = self.egress.clock
        intake = Intake(
            self.instruments,
            order_ttl_ms=settings.order_ttl_ms,
            now_ns=clock.now_ns,
            is_stopped=self.kills.stop,
        )
        self.used = SharedNonces(bus)
        self.people = _people(settings.people_file, clock.now_ms)
        keys = load_keys(settings.keys_file)
        self.authenticator = authenticator = Authenticator(
            keys, clock.now_ms, self.used.nonces, self.people
        )
        sampler = trace.Sampler(settings.trace_ratio)
        self.disconnects = Disconnects(
            records=KeyValue(bus, disconnects.BUCKET),
            beats=KeyValue(bus, status.BUCKET),
            journal_surely=self.journal_surely,
            instance=settings.service.instance,
        )
        resume = Resume(bus, self.egress, shards)
        self.sessions = Sessions(
            authenticator=authenticator,
            intake=intake,
            journal=self.journal,
            egress=self.egress,
            disconnects=self.disconnects,
            resume=resume,
            watches=Watches(self.instruments, self.market_data, self.positions),
            sampler=sampler,
            instance=settings.service.instance,
        )
        calls = Calls(
            authenticator=authenticator,
            journal=self.journal,
            sampler=sampler,
            answer_wait_ms=settings.answer_wait_ms,
        )
        means = Means(calls, intake, queries, resume)
        self.fix = Acceptor(means, self.egress, self.disconnects, Pages(bus), lambda: self.can_tell)
        self.application = self._application(calls, intake, queries)

    def _application(self, calls: Calls, intake: Intake, queries: Queries) -> Starlette:
        """What answers over HTTP."""
        instruments = self.instruments
        api = http.Api(
            calls=calls,
            intake=intake,
            queries=queries,
            instruments=instruments,
            is_ready=lambda: self.is_ready,
            facts=self.facts,
        )
        entries = OperatorEntries(calls, self.settings.service.shards)
        admin = Admin(entries=entries, instruments=instruments, publish=self.publish_instrument)
        governance = Governance(entries=entries, instruments=instruments)
        risk = RiskCalls(entries=entries, instruments=instruments, stop=self.stop, queries=queries)
        raised = AlertCalls(entries=entries, bucket=KeyValue(self.bus, alerts.BUCKET))
        return http.build(api, admin, governance, risk, raised, self.sessions)

    @property
    def is_ready(self) -> bool:
        """Connected, reading outputs, knows instruments and nonces, and not on its way out."""
        is_up = self.bus.is_connected and self.can_tell and not self.is_stopping
        return is_up and self.used.nonces.is_ready

    @property
    def can_tell(self) -> bool:
        """Reading outputs, and knows the instruments that they are in."""
        return self.egress.is_caught_up and bool(self.instruments.all())

    def facts(self) -> dict[str, Any]:
        """What the gateway says of itself in its heartbeat and in GET /v1/status."""
        return {
            "role": "ready" if self.is_ready else "waiting",
            "sessions": self.sessions.count,
            "fix_sessions": self.fix.count,
            "canceled_on_disconnect": self.disconnects.canceled,
            "killed": self.kills.scopes,
            "unacked": self.journal.unacked,
            "is_stalled": self.journal.is_stalled,
            "durable": self.journal.durable_ack.count,
            "accepted": self.journal.accepted.count,
            "durable_ack_us": self.journal.durable_ack.percentiles(),
            "accepted_us": self.journal.accepted.percentiles(),
            "ordinals": {str(shard): last for shard, last in self.egress.ordinals.items()},
            "issuer": None if self.people is None else self.people.facts(),
        }

    async def keep_instruments(self) -> None:
        """Reads the instruments, then follows changes."""
        values = KeyValue(self.bus, "CONFIG")
        while True:
            try:
                async for entry in values.watch(f"{INSTRUMENT_PREFIX}>"):
                    self._take_instrument(entry)
            except BusError:
                await asyncio.sleep(RETRY_S)

    def _take_instrument(self, entry: KvEntry) -> None:
        if entry.value:
            self.instruments.define(msgspec.json.decode(entry.value, type=Instrument))
        else:
            self.instruments.remove(entry.key.removeprefix(INSTRUMENT_PREFIX))

    async def publish_instrument(self, symbol: str, instrument: Instrument | None) -> None:
        """Makes known to all services what the shards have accepted; None: it is gone."""
        body = b"" if instrument is None else msgspec.json.encode(instrument)
        await KeyValue(self.bus, "CONFIG").put(f"{INSTRUMENT_PREFIX}{symbol}", body)

    async def journal_surely(self, command: MassCancel) -> None:
        """Journals a request of the gateway's own, however long it takes."""
        await self._last(subjects.shard_of(command.account, self.settings.service.shards), command)

    def stop(self, kill: Kill) -> None:
        """Stops a scope here and, as fast as the bus is, everywhere."""
        self.kills.spread(self.bus, kill)

    def journal_kill(self, kill: Kill) -> None:
        """Every gateway that hears a kill makes it last, whatever became of who said it."""
        command = KillScope(
            scope=kill.scope, kill_id=kill.kill_id, actor=kill.actor, reason=kill.reason
        )
        for shard in range(self.settings.service.shards):
            task = asyncio.ensure_future(self._last(shard, command))
            self._lasting.add(task)
            task.add_done_callback(self._lasting.discard)

    def tell_cleared(self, cleared: KillCleared) -> None:
        """Two people have cleared a scope: who heard of the kill may forget it."""
        kill = Kill(
            scope=cleared.scope,
            kill_id=cleared.kill_id,
            actor=cleared.second_actor,
            reason=cleared.root_cause,
            is_cleared=True,
        )
        self.kills.take(kill)
        kills.say(self.bus, kill)

    async def _last(self, shard: int, command: Command) -> None:
        """Tries until it is stored."""
        subject, body = subjects.journal_subject(shard, command), codec.encode(command)
        while True:
            try:
                await self.bus.publish(subject, body)
            except BusError:
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def sweep(self) -> None:
        """Lets go of requests that nobody waits for."""
        while True:
            self.journal.sweep()
            await asyncio.sleep(SWEEP_S)

    def _background(self, stop: Stop) -> list[Coroutine[Any, Any, None]]:
        """What runs beside the ports, for as long as they are open."""
        settings = self.settings
        parts = [
            self.keep_instruments(),
            files.follow([settings.keys_file], self._take_keys, "list of keys"),
            self.sweep(),
            self.used.run(),
            self.market_data.run(),
            self.positions.run(),
            self.disconnects.run(),
            self.journal.watch(),
            self.bus.failed(),
            Heartbeat(self.bus, settings.service, SERVICE).run(stop, self.facts),
            *(self.egress.run(shard) for shard in range(settings.service.shards)),
        ]
        if self.people is not None and settings.people_file is not None:
            take_people = partial(self.people.read, settings.people_file)
            parts.append(files.follow([settings.people_file], take_people, "list of people"))
            parts.append(self.people.run())
        if settings.certificate is not None and self.tls is not None:
            take_certificate = partial(settings.certificate.show_in, self.tls)
            parts.append(files.follow(settings.certificate.files, take_certificate, "certificate"))
        return parts

    def _take_keys(self) -> None:
        self.authenticator.renew(load_keys(self.settings.keys_file))

    async def run(self, stop: Stop) -> None:
        """Serves until `stop`; any part's failure ends all."""
        await self.kills.listen(self.bus)
        await self.disconnects.begin()
        await self.bus.subscribe(
            subjects.process_ended(), lambda message: self.disconnects.hear_end(message.body)
        )
        listening = server.bind(self.settings.http_host, self.settings.http_port)
        if self.settings.fix_port is not None:
            await self.fix.listen(self.settings.http_host, self.settings.fix_port, self.tls)
        background = asyncio.ensure_future(supervise(*self._background(stop)))
        halt = Stop()
        serving = asyncio.ensure_future(
            server.run(self.application, listening, halt, self.settings.trusted_proxies, self.tls)
        )
        asked = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({background, serving, asked}, return_when=asyncio.FIRST_COMPLETED)
            self.is_stopping = True
            halt.set()
            await serving
            await self.fix.close()
            await self.sessions.ended()
            if background.done():
                background.result()
        finally:
            for part in (background, serving, asked):
                part.cancel()
            await asyncio.gather(background, serving, asked, return_exceptions=True)


def _people(path: Path | None, now_ms: Callable[[], int]) -> "People | None":
    """What tokens need is imported where there is an issuer of such, and only then."""
    if path is None:
        return None
    from tradewind.gateway.people import People

    return People.of_file(path, now_ms)


async def serve(env: Mapping[str, str], stop: Stop) -> None:
    """Runs one gateway with the settings in `env`."""
    settings = GatewaySettings.from_env(env)
    bus = await Bus.connect(settings.service.bus, name=f"{SERVICE}-{settings.service.instance}")
    try:
        await Gateway(settings, bus).run(stop)
    finally:
        await bus.close()
