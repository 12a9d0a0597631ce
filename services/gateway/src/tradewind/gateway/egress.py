# SPDX-License-Identifier: Apache-2.0
"""Outputs of all shards, in order and without a gap, to whoever waits for them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from tradewind.common import codec, subjects
from tradewind.common.bus_clock import BusClock
from tradewind.common.errors import BusError, CorruptionError
from tradewind.common.jetstream import Bus, Record, StreamReader, stream_tail
from tradewind.core.events import (
    AccountLimitsSet,
    BoundsDivided,
    BuildsChanged,
    ControlRefused,
    DayRolled,
    EntrySkipped,
    Event,
    FxRateSet,
    InstrumentDefined,
    InstrumentRemoved,
    KillClearAsked,
    KillCleared,
    LimitsApproved,
    LimitsProposed,
    LimitsSet,
    LogicSet,
    MassCancelReport,
    OrderReport,
    PositionAdjusted,
    ScopeKilled,
    ScopeLimitsSet,
    SkipAsked,
    TradingSessionSet,
    TradingStateSet,
)
from tradewind.core.types import ExecType, Reason
from tradewind.gateway import views
from tradewind.gateway.auth import Key
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.journal import Journal

RETRY_S = 0.2

_encode = msgspec.json.Encoder().encode

_REFUSALS = frozenset({ExecType.DENIED, ExecType.CANCEL_REJECTED, ExecType.REPLACE_REJECTED})
_ANSWERS_TO_OPERATORS = frozenset(
    event.__name__
    for event in (
        AccountLimitsSet,
        BoundsDivided,
        BuildsChanged,
        ControlRefused,
        DayRolled,
        EntrySkipped,
        FxRateSet,
        InstrumentDefined,
        InstrumentRemoved,
        KillClearAsked,
        KillCleared,
        LimitsApproved,
        LimitsProposed,
        LimitsSet,
        LogicSet,
        MassCancelReport,
        PositionAdjusted,
        ScopeKilled,
        ScopeLimitsSet,
        SkipAsked,
        TradingSessionSet,
        TradingStateSet,
    )
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What follows from an entry, rendered once for everybody."""

    shard: int
    entry: int
    outcome: str
    report: bytes


class Subscriber(Protocol):
    """A WebSocket session: hears every report of its key's accounts."""

    key: Key

    def push(self, frame: bytes) -> None:
        """Takes a frame for the client; must not block."""


class Egress:
    """Reads every shard's outputs from the moment the gateway starts."""

    def __init__(
        self,
        bus: Bus,
        journal: Journal,
        instruments: Instruments,
        shards: int,
        on_cleared: Callable[[KillCleared], None] = lambda _cleared: None,
        on_moved: Callable[[str, int], None] = lambda _account, _ordinal: None,
    ) -> None:
        """`on_moved` hears of each output that may have moved positions of an account."""
        self._bus = bus
        self._journal = journal
        self._instruments = instruments
        self._shards = shards
        self._on_cleared = on_cleared
        self._on_moved = on_moved
        self.clock = BusClock()
        self._by_account: dict[str, set[Subscriber]] = {}
        self._of_all: set[Subscriber] = set()
        self.ordinals: dict[int, int] = {}

    @property
    def is_caught_up(self) -> bool:
        """Whether every shard is being read from its tail."""
        return len(self.ordinals) == self._shards

    def subscribe(self, subscriber: Subscriber) -> None:
        """From now on `subscriber` hears the reports of its key's accounts."""
        for group in self._groups(subscriber):
            group.add(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """`subscriber` hears no more."""
        for group in self._groups(subscriber):
            group.discard(subscriber)

    async def run(self, shard: int) -> None:
        """Reads one shard's outputs for ever.

        Raises:
            CorruptionError: if an output is missing, or is not one.
        """
        reader = await self._open_reader(shard)
        self.ordinals[shard] = reader.next_seq - 1
        while True:
            for record in await reader.next_batch():
                self.take(shard, record)

    async def _open_reader(self, shard: int) -> StreamReader:
        """Opens at the tail, however long the bus takes to tell where that is."""
        stream = subjects.events_stream(shard)
        live = subjects.live(subjects.events_all(shard))
        while True:
            try:
                _first, last = await stream_tail(self._bus, stream)
                reader = StreamReader(self._bus, stream, live, last + 1)
                await reader.open()
            except BusError:
                self._bus.check()
                await asyncio.sleep(RETRY_S)
            else:
                return reader

    def take(self, shard: int, record: Record) -> None:
        """Hands one output to whoever waits for it."""
        if record.seq != self.ordinals[shard] + 1:
            raise CorruptionError(
                f"output {self.ordinals[shard] + 1} of shard {shard} is missing: "
                f"the next one read is {record.seq}"
            )
        self.ordinals[shard] = record.seq
        self.clock.hear(record.ts_ns)
        kind = record.subject.split(".", 3)
        if kind[2] == "order":
            self._on_moved(kind[3], record.seq)
            self._take_report(shard, kind[3], record)
            return
        if kind[3] == KillCleared.__name__:
            cleared = codec.decode_event(record.body)
            assert isinstance(cleared, KillCleared)
            self._on_cleared(cleared)
        if kind[3] == PositionAdjusted.__name__:
            adjusted = codec.decode_event(record.body)
            assert isinstance(adjusted, PositionAdjusted)
            self._on_moved(adjusted.account, record.seq)
        if kind[3] in _ANSWERS_TO_OPERATORS and self._journal.wants(shard, _entry_of(record)):
            self._answer(shard, record, codec.decode_event(record.body))

    def _answer(self, shard: int, record: Record, event: Event) -> bytes:
        """Hands an output to the request that it follows from; how clients see it."""
        entry = _entry_of(record)
        symbol = getattr(event, "symbol", "")
        view = _encode(views.of_event(event, self._instruments.grid(symbol)))
        self._journal.on_output(shard, entry, Answer(shard, entry, outcome_of(event), view))
        return view

    def _take_report(self, shard: int, account: str, record: Record) -> None:
        entry = _entry_of(record)
        listeners = self._by_account.get(account)
        if not (listeners or self._of_all or self._journal.wants(shard, entry)):
            return
        report = codec.decode_event(record.body)
        if isinstance(report, OrderReport):
            self._instruments.remember(report.account, report.cl_ord_id, report.symbol)
        view = self._answer(shard, record, report)
        if not (listeners or self._of_all):
            return
        frame = _frame(shard, record, report, view)
        for subscriber in (*(listeners or ()), *self._of_all):
            subscriber.push(frame)

    def frame(self, shard: int, record: Record) -> bytes:
        """A report of the past, as it was told when it was new."""
        event = codec.decode_event(record.body)
        grid = self._instruments.grid(getattr(event, "symbol", ""))
        return _frame(shard, record, event, _encode(views.of_event(event, grid)))

    def _groups(self, subscriber: Subscriber) -> list[set[Subscriber]]:
        if "read" not in subscriber.key.scopes:
            return []
        if "*" in subscriber.key.accounts:
            return [self._of_all]
        return [self._by_account.setdefault(account, set()) for account in subscriber.key.accounts]


def _frame(shard: int, record: Record, event: Event, view: bytes) -> bytes:
    kind = b"report" if isinstance(event, OrderReport) else b"mass_cancel_report"
    return b'{"type":"%b","shard":%d,"seq":%d,"ordinal":%d,"report":%b}' % (
        kind,
        shard,
        _entry_of(record),
        record.seq,
        view,
    )


def _entry_of(record: Record) -> int:
    try:
        return int(record.headers[subjects.HEADER_ENTRY])
    except (KeyError, ValueError) as error:
        raise CorruptionError(f"output {record.seq} on {record.subject} names no entry") from error


def outcome_of(event: Event) -> str:
    """accepted, denied, or duplicate: answered before, and this is how it stands."""
    match event:
        case ControlRefused():
            return "denied"
        case OrderReport() | MassCancelReport() | PositionAdjusted():
            if event.reason is Reason.DUPLICATE_CL_ORD_ID:
                return "duplicate"
            return "denied" if _is_refused(event) else "accepted"
        case _:
            return "accepted"


def _is_refused(event: OrderReport | MassCancelReport | PositionAdjusted) -> bool:
    if isinstance(event, OrderReport) and event.exec_type is not ExecType.ORDER_STATUS:
        return event.exec_type in _REFUSALS
    return event.reason is not Reason.NONE
