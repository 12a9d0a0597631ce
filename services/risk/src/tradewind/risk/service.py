# SPDX-License-Identifier: Apache-2.0
"""Risk at work: follows EVENTS, journals references and halts, answers for positions."""

import asyncio
import logging
import time
from decimal import Decimal
from typing import Any

import msgspec

from tradewind.common import codec, subjects
from tradewind.common.errors import Refused, Unknown
from tradewind.common.grid import Grid
from tradewind.common.jetstream import Bus, KeyValue, Message, Record, StreamReader, stream_tail
from tradewind.core.commands import Command, SetReferencePrice, SetTradingState
from tradewind.core.events import InstrumentDefined, ReferencePriceSet
from tradewind.core.types import TradingState
from tradewind.risk.alerts import Alerts
from tradewind.risk.balance import Balance
from tradewind.risk.book import RiskBook
from tradewind.risk.reconcile.watch import Watch
from tradewind.risk.reference import QuoteSeen, ReferencePolicy
from tradewind.risk.second_look import Breach, SecondLook
from tradewind.risk.settings import Settings

log = logging.getLogger(__name__)

CONFIG_BUCKET = "CONFIG"
RETRY_S = 0.1
PATIENCE_MS = 150
FEE_STEP = Decimal("0.00000001")
INSTANCE_ACTOR = "risk"


class _Quote(msgspec.Struct):
    symbol: str
    bid_px: int
    ask_px: int


class Risk:
    """The independent view of all shards."""

    def __init__(
        self, bus: Bus, settings: Settings, alerts: Alerts, watch: Watch | None = None
    ) -> None:
        """`watch` hears all that is booked, too."""
        self._bus = bus
        self._alerts = alerts
        self._watch = watch
        self._settings = settings
        self._books = [RiskBook() for _ in range(settings.service.shards)]
        self._looks = [SecondLook() for _ in range(settings.service.shards)]
        self._policies: dict[str, ReferencePolicy] = {}
        self._grids: dict[str, Grid] = {}
        self._marks: dict[str, int] = {}
        self._halts: asyncio.Queue[tuple[int, Breach]] = asyncio.Queue()
        self._telling: dict[int, asyncio.Future[bool]] = {}
        self._behind = set(range(settings.service.shards))
        self.references_journaled = 0
        self.balance = Balance(bus, settings.service.shards, settings.rank, self.journal)

    async def load_instruments(self) -> None:
        """Reads the grids that decimals are printed on."""
        for entry in await KeyValue(self._bus, CONFIG_BUCKET).entries("instrument.>"):
            if entry.value:
                plain = msgspec.json.decode(entry.value, type=dict[str, Any])
                self._define(plain["symbol"], plain["tick_size"], plain["lot_size"])
                if self._watch is not None:
                    grid = plain["tick_size"], plain["lot_size"]
                    self._watch.define(plain["symbol"], plain["venue"], *grid)

    async def serve(self) -> None:
        """Listens to quotes, and says how reconciliation stands."""
        quotes = subjects.market_data(self._settings.venue, "*", "quote")
        await self._bus.subscribe(quotes, self._on_quote)
        await self._bus.serve(subjects.query_risk("reconcile"), self._answer_reconcile)

    async def follow(self, shard: int) -> None:
        """Takes every output of a shard, from the first on, for ever.

        What is older than this process waits: half of the time belongs to what orders wait for.
        """
        stream = subjects.events_stream(shard)
        live = subjects.live(subjects.events_all(shard))
        _first, tail = await stream_tail(self._bus, stream)
        reader = StreamReader(self._bus, stream, live, 1)
        await reader.open()
        if not tail:
            await self._caught_up(shard)
        while True:
            began_s = time.monotonic()
            batch = await reader.next_batch()
            for record in batch:
                self._take(shard, record, is_news=record.seq > tail)
            if batch[-1].seq < tail:
                await asyncio.sleep(time.monotonic() - began_s)
            elif shard in self._behind:
                await self._caught_up(shard)

    def _take(self, shard: int, record: Record, *, is_news: bool) -> None:
        """What is no news was judged before this process began, and perhaps resumed since."""
        event = codec.decode_event(record.body)
        self._alerts.take(shard, record, event)
        if self._watch is not None:
            self._watch.take(shard, record, event)
        self._books[shard].take(event)
        breach = self._looks[shard].take(event)
        if isinstance(event, InstrumentDefined):
            self._define(event.symbol, event.tick_size, event.lot_size)
        if not is_news:
            return
        if isinstance(event, ReferencePriceSet):
            self._policy(event.symbol).heard(event.price, _now_ms())
        self.balance.take(shard, event)
        if breach is not None:
            self._halts.put_nowait((shard, breach))

    async def _caught_up(self, shard: int) -> None:
        """Answers for positions once it has booked all of them: others answer until then."""
        self._behind.discard(shard)
        if not self._behind:
            await self._bus.serve(subjects.query_risk("positions"), self._answer_positions)

    def _define(self, symbol: str, tick_size: str, lot_size: str) -> None:
        self._grids[symbol] = Grid(Decimal(tick_size), Decimal(lot_size))

    async def halt_breaches(self) -> None:
        """Halts the account of every order that should not have been accepted."""
        while True:
            shard, breach = await self._halts.get()
            log.error("order %s: %s", breach.order_id, breach.text)
            command = SetTradingState(
                scope=f"account:{breach.account}",
                state=TradingState.HALTED,
                actor=INSTANCE_ACTOR,
                reason=f"order {breach.order_id}: {breach.text}",
            )
            await self._journal_surely(shard, command)

    def facts(self) -> dict[str, Any]:
        """What the heartbeat tells."""
        return {
            "role": "active",
            "references": self._marks,
            "references_journaled": self.references_journaled,
            "checked": sum(look.checked for look in self._looks),
            "undecided": sum(sum(look.undecided.values()) for look in self._looks),
            "alerts_open": self._alerts.open_count,
            "breaches": sum(len(look.breaches) for look in self._looks),
            "shares_moved": self.balance.moved,
            "positions": sum(len(book.holdings) for book in self._books),
            "unknown": sum(len(book.unknown) for book in self._books),
            **(self._watch.facts() if self._watch is not None else {}),
        }

    async def _on_quote(self, message: Message) -> None:
        try:
            quote = msgspec.json.decode(message.body, type=_Quote)
        except msgspec.MsgspecError as error:
            log.warning("a quote was not understood: %s", error)
            return
        symbol = quote.symbol
        seen = QuoteSeen(bid_px=quote.bid_px, ask_px=quote.ask_px)
        price = self._policy(symbol).next_price(seen, _now_ms())
        if seen.mid is not None:
            self._marks[symbol] = seen.mid
        if price is None:
            return
        command = SetReferencePrice(symbol=symbol, price=price)
        for shard in range(len(self._books)):
            self._tell_reference(shard, command)
        self.references_journaled += 1

    def _policy(self, symbol: str) -> ReferencePolicy:
        if symbol not in self._policies:
            self._policies[symbol] = ReferencePolicy(
                interval_ms=self._settings.reference_interval_ms,
                move_bps=self._settings.reference_move_bps,
                patience_ms=self._settings.rank * PATIENCE_MS,
            )
        return self._policies[symbol]

    def _tell_reference(self, shard: int, command: SetReferencePrice) -> None:
        """Journals without waiting: a shard that does not answer must not age the others'."""
        telling = self._telling.get(shard)
        if telling is None or telling.done():
            self._telling[shard] = asyncio.ensure_future(self.journal(shard, command))

    async def _journal_surely(self, shard: int, command: Command) -> None:
        """Tries until it is stored; storing a halt twice is harmless."""
        is_stored = False
        while not is_stored:
            is_stored = await self.journal(shard, command)
            await asyncio.sleep(0 if is_stored else RETRY_S)

    async def journal(self, shard: int, command: Command) -> bool:
        """Journals a command once; whether it is certain that it was stored."""
        try:
            await self._bus.publish(subjects.journal_subject(shard, command), codec.encode(command))
        except (Refused, Unknown) as error:
            log.warning("%s was not journaled: %s", type(command).__name__, error)
            return False
        return True

    async def _answer_positions(self, _question: bytes) -> bytes:
        answer = {"ok": True, "positions": self.positions(), "fees": self.fees()}
        return msgspec.json.encode(answer)

    async def _answer_reconcile(self, _question: bytes) -> bytes:
        found = self._watch.answer() if self._watch is not None else None
        answer = {"ok": True, "instance": self._settings.service.instance, "reconciliation": found}
        return msgspec.json.encode(answer)

    def fees(self) -> list[dict[str, Any]]:
        """What each account has paid in each currency, in exact decimals."""
        paid = sorted(item for book in self._books for item in book.fees.items())
        unit = Grid(FEE_STEP, FEE_STEP)
        return [
            {"account": account, "currency": currency, "fee": unit.lots_to_text(fee_e8)}
            for (account, currency), fee_e8 in paid
        ]

    def positions(self) -> list[dict[str, Any]]:
        """Every holding in exact decimals; what needs a mark is null without one."""
        rows = [
            (account, symbol, holding)
            for book in self._books
            for (account, symbol), holding in sorted(book.holdings.items())
        ]
        return [self._row(account, symbol, holding) for account, symbol, holding in rows]

    def _row(self, account: str, symbol: str, holding: Any) -> dict[str, Any]:
        grid, mark = self._grids[symbol], self._marks.get(symbol)
        return {
            "account": account,
            "symbol": symbol,
            "qty": grid.lots_to_text(holding.qty),
            "avg_px": grid.ticks_to_text(holding.cost // holding.qty) if holding.qty else None,
            "mark_px": None if mark is None else grid.ticks_to_text(mark),
            "realised": grid.notional_to_text(holding.realised),
            "unrealised": None if mark is None else grid.notional_to_text(holding.unrealised(mark)),
        }


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
