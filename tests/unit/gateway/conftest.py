# SPDX-License-Identifier: Apache-2.0
"""A gateway without a bus: what it publishes is kept in a list, and tests answer for the core."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from tests.unit.memory_bucket import MemoryBucket
from tradewind.common import codec, subjects
from tradewind.common.errors import Refused
from tradewind.common.jetstream import PubAck, Record
from tradewind.common.kills import Kills
from tradewind.common.trace import Sampler
from tradewind.core.commands import CancelOrder, Command, ReplaceOrder, SubmitOrder
from tradewind.core.events import Event, OrderReport
from tradewind.core.types import ExecType, OrdStatus, OrdType, Reason, Side, TimeInForce
from tradewind.gateway.admin import Admin
from tradewind.gateway.alert_calls import AlertCalls
from tradewind.gateway.auth import Authenticator, Grant, Key, Person, Signed, signature_of
from tradewind.gateway.calls import Calls
from tradewind.gateway.egress import Egress
from tradewind.gateway.entries import OperatorEntries
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.governance import Governance
from tradewind.gateway.http import Api, build
from tradewind.gateway.instruments import Instrument, Instruments
from tradewind.gateway.intake import Intake
from tradewind.gateway.journal import Journal
from tradewind.gateway.market_data import MarketData
from tradewind.gateway.nonces import GENERATION_MS, Nonces
from tradewind.gateway.position_feed import PositionFeed
from tradewind.gateway.queries import Queries
from tradewind.gateway.resume import Resume
from tradewind.gateway.risk_calls import RiskCalls
from tradewind.gateway.throttle import Throttle
from tradewind.gateway.watches import Watches
from tradewind.gateway.ws import Sessions

NOW_NS = 1_700_000_000_000_000_000
SHARDS = 2
SAMPLER = Sampler(0)

ORDER = {
    "account": "DEMO",
    "cl_ord_id": "c-1",
    "symbol": "BTC-USD",
    "side": "BUY",
    "ord_type": "LIMIT",
    "time_in_force": "GTC",
    "order_qty": "0.5",
    "price": "100.01",
    "strategy": "s1",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Published:
    shard: int
    command: Command
    headers: dict[str, str]
    acked: "asyncio.Future[PubAck]"


class MemoryBus:
    """Keeps what is published; acknowledges it when told to."""

    def __init__(self) -> None:
        self.is_connected = True
        self.refuses = False
        self.acks_at_once = True
        self.published: list[Published] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.on_published: Callable[[Published, int], None] = lambda _published, _seq: None

    def publish_nowait(
        self, subject: str, body: bytes, headers: dict[str, str], *, timeout_ms: int
    ) -> "asyncio.Future[PubAck]":
        if self.refuses:
            raise Refused("no")
        acked: asyncio.Future[PubAck] = asyncio.get_running_loop().create_future()
        shard = int(subject.split(".")[1])
        item = Published(shard, codec.decode_command(body), headers, acked)
        self.published.append(item)
        if self.acks_at_once:
            seq = len(self.published)
            acked.set_result(PubAck(subjects.journal_stream(shard), seq))
            asyncio.get_running_loop().call_soon(self.on_published, item, seq)
        return acked

    async def request(self, subject: str, body: bytes, timeout_ms: int) -> bytes:
        if subject not in self.answers:
            raise Refused("nobody there")
        return json.dumps(self.answers[subject]).encode()


class FakePeople:
    """Knows tokens by heart, while the issuer is not away."""

    def __init__(self) -> None:
        self.known: dict[str, Person] = {}
        self.gone: Refusal | None = None
        self.over: set[str] = set()
        self.is_back = asyncio.Event()
        self.is_back.set()
        self.waiting = 0

    async def check(self, token: str) -> Person | Refusal:
        self.waiting += 1
        await self.is_back.wait()
        self.waiting -= 1
        return self.known.get(token) or refusal("TOKEN_INVALID")

    def end(self, person: Person) -> Refusal | None:
        return refusal("TOKEN_EXPIRED") if person.token_id in self.over else self.gone


def person(*scopes: str, client: str = "kim", accounts: tuple[str, ...] = ("DEMO",)) -> Person:
    """Somebody with one role."""
    granted = Grant(frozenset(scopes), frozenset(accounts))
    return Person(
        key_id=client,
        secret=b"",
        accounts=granted.accounts,
        scopes=granted.scopes,
        client=client,
        subject=client,
        token_id="",
        roles=("role",),
        grants=(granted,),
        is_named=True,
        throttle=Throttle(2),
    )


@dataclass
class Harness:
    bus: MemoryBus
    journal: Journal
    egress: Egress
    instruments: Instruments
    sessions: Sessions
    api: Api
    secret: bytes = b"s3cret"
    is_ready: bool = True
    application: Any = None
    nonces: list[str] = field(default_factory=list)
    told: list[tuple[str, Instrument | None]] = field(default_factory=list)
    kills: Kills = field(default_factory=Kills)
    records: list[tuple[int, Record]] = field(default_factory=list)
    alerts: MemoryBucket = field(default_factory=MemoryBucket)
    people: FakePeople = field(default_factory=FakePeople)
    watches: Any = None

    async def publish(self, symbol: str, instrument: Instrument | None) -> None:
        """Makes an instrument known to all services."""
        self.told.append((symbol, instrument))

    def output(self, shard: int, entry: int, event: Event) -> None:
        """The core's output for an entry, as egress reads it."""
        ordinal = self.egress.ordinals[shard] + 1
        headers = {subjects.HEADER_ENTRY: str(entry)}
        subject = subjects.events_subject(shard, event)
        record = Record(ordinal, NOW_NS, subject, headers, codec.encode(event))
        self.records.append((shard, record))
        self.egress.take(shard, record)

    def signed(self, method: str, path: str, body: bytes = b"", key: str = "k1") -> dict[str, str]:
        """Headers of a signed request with a fresh nonce."""
        nonce = f"nonce-{len(self.nonces):06d}"
        self.nonces.append(nonce)
        timestamp = str(NOW_NS // 1_000_000)
        parts = Signed(key, timestamp, nonce, "", method, path, body)
        return {
            "TW-Key": key,
            "TW-Timestamp": timestamp,
            "TW-Nonce": nonce,
            "TW-Signature": signature_of(self.secret, parts),
        }


def report_for(command: Command, **changes: Any) -> OrderReport:
    """The report with which the core would answer a client's command."""
    assert isinstance(command, SubmitOrder | CancelOrder | ReplaceOrder)
    values: dict[str, Any] = {
        "account": command.account,
        "order_id": "seg-0-1",
        "cl_ord_id": command.cl_ord_id,
        "orig_cl_ord_id": getattr(command, "orig_cl_ord_id", ""),
        "exec_id": "0-1",
        "venue_exec_id": "",
        "venue_order_id": "",
        "exec_type": ExecType.PENDING_NEW,
        "ord_status": OrdStatus.PENDING_NEW,
        "symbol": "BTC-USD",
        "side": Side.BUY,
        "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "order_qty": getattr(command, "order_qty", 50_000_000),
        "price": getattr(command, "price", 10_001),
        "cum_qty": 0,
        "leaves_qty": getattr(command, "order_qty", 50_000_000),
        "cum_notional": 0,
        "last_qty": 0,
        "last_px": 0,
        "reason": Reason.NONE,
        "text": "",
        "client": "tester",
        "strategy": "s1",
        "transact_time_ns": NOW_NS,
    }
    return OrderReport(**values | changes)


async def call(
    harness: Harness,
    method: str,
    path: str,
    body: Any = None,
    *,
    key: str = "k1",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    transport = httpx.ASGITransport(harness.application)
    signed = harness.signed(method, path, content, key) if headers is None else headers
    async with httpx.AsyncClient(transport=transport, base_url="http://g") as client:
        return await client.request(method, path, content=content, headers=signed)


def answer_all(harness: Harness, **changes: Any) -> None:
    """From now on the core answers every entry at once."""

    def answer(published: Published, seq: int) -> None:
        report = report_for(published.command, **changes)
        harness.output(published.shard, seq, report)

    harness.bus.on_published = answer


def key(accounts: tuple[str, ...] = ("DEMO",), scopes: tuple[str, ...] = ("read", "trade")) -> Key:
    return Key(
        key_id="k1",
        secret=b"s3cret",
        accounts=frozenset(accounts),
        scopes=frozenset(scopes),
        client="tester",
    )


def known_keys() -> dict[str, Key]:
    """By id; all have one secret."""
    return {
        "k1": key(),
        "slow": replace(key(), key_id="slow", requests_per_s=2),
        "far": replace(key(), key_id="far", networks=(ip_network("10.0.0.0/8"),)),
        "watch": replace(key(scopes=("read",)), key_id="watch", client="desk"),
        "stop": Key("stop", b"s3cret", frozenset({"*"}), frozenset({"kill"}), "night"),
        "root": Key("root", b"s3cret", frozenset({"*"}), frozenset({"read", "admin"}), "ops"),
    }


def two_instruments() -> Instruments:
    instruments = Instruments()
    for symbol, tick_size, lot_size in (("BTC-USD", "0.01", "0.00000001"), ("X-Y", "5", "10")):
        instruments.define(
            Instrument(
                symbol=symbol, venue="SIM", tick_size=tick_size, lot_size=lot_size, currency="USD"
            )
        )
    return instruments


@pytest.fixture
async def harness() -> Harness:
    bus: Any = MemoryBus()
    journal = Journal(bus, shards=SHARDS, ack_timeout_ms=100)
    instruments = two_instruments()
    egress = Egress(bus, journal, instruments, SHARDS)
    egress.ordinals = dict.fromkeys(range(SHARDS), 0)
    nonces = Nonces()
    nonces.heard_for(GENERATION_MS)
    people = FakePeople()
    authenticator = Authenticator(known_keys(), lambda: NOW_NS // 1_000_000, nonces, people)
    kills = Kills()
    intake = Intake(instruments, order_ttl_ms=5_000, now_ns=lambda: NOW_NS, is_stopped=kills.stop)
    no_disconnects: Any = None
    queries = Queries(bus, instruments, SHARDS)
    watches = Watches(instruments, MarketData(bus, instruments), PositionFeed(queries))
    sessions = Sessions(
        authenticator=authenticator,
        intake=intake,
        journal=journal,
        egress=egress,
        disconnects=no_disconnects,
        resume=Resume(bus, egress, SHARDS),
        watches=watches,
        sampler=SAMPLER,
        instance="g1",
    )
    calls = Calls(authenticator=authenticator, journal=journal, sampler=SAMPLER, answer_wait_ms=50)
    api = Api(
        calls=calls,
        intake=intake,
        queries=queries,
        instruments=instruments,
        is_ready=lambda: bus.is_connected,
        facts=dict,
    )
    made = Harness(
        bus,
        journal,
        egress,
        instruments,
        sessions,
        api,
        kills=kills,
        people=people,
        watches=watches,
    )
    entries = OperatorEntries(calls, SHARDS)
    admin = Admin(entries=entries, instruments=instruments, publish=made.publish)
    governance = Governance(entries=entries, instruments=instruments)
    risk = RiskCalls(
        entries=entries, instruments=instruments, stop=made.kills.take, queries=api.queries
    )
    bucket: Any = made.alerts
    raised = AlertCalls(entries=entries, bucket=bucket)
    made.application = build(api, admin, governance, risk, raised, sessions)
    return made
