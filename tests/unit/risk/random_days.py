# SPDX-License-Identifier: Apache-2.0
"""Random days in which every bound is met now and then: what a core makes of them.

Two accounts, strategies, clients, instruments, currencies and venues; limits, states and prices
that change all the time, orders of every kind, fills, busts, strangers' orders, days that end.
"""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, floor
from random import Random
from typing import Any

from tests.unit.risk.random_orders import ACCOUNTS, BTC, ETH, REFERENCES, STRATEGIES, VENUES, terms
from tradewind.core import commands, logic
from tradewind.core.state import Order
from tradewind.core.testing import BOUNDS, LIMITS, MILLISECOND_NS, NEVER_NS, Desk
from tradewind.core.types import (
    ExecType,
    Side,
    TradingState,
    TradSesStatus,
    VenueAction,
)

SCOPES = (
    "firm", "account:A", "account:*", f"symbol:{BTC}", "symbol:*", "strategy:x", "strategy:*",
    "client:kim", "client:*", "venue:DEEP", f"account:A/symbol:{BTC}", "account:*/symbol:*",
    f"account:*/symbol:{ETH}", "account:B/symbol:*",
)  # fmt: skip
LOT = 10**6
NARROW: dict[str, tuple[int, int]] = {
    "max_order_qty": (3, 30),
    "max_order_value_e8": (3 * LOT, 30 * LOT),
    "max_open_orders": (0, 6),
    "max_open_value_e8": (5 * LOT, 60 * LOT),
    "max_long": (5, 50),
    "max_short": (5, 50),
    "max_gross_e8": (5 * LOT, 90 * LOT),
    "max_net_e8": (5 * LOT, 60 * LOT),
    "max_turnover_e8": (5 * LOT, 60 * LOT),
    "allows_gtc": (0, 1),
    "max_duplicates": (0, 3),
    "max_messages": (1, 8),
    "flood_messages": (2, 9),
    "max_repeats": (0, 2),
    "max_children": (0, 3),
    "max_parent_value_e8": (3 * LOT, 30 * LOT),
    "max_orders_per_trade": (0, 2),
    "allows_self_match": (0, 1),
}
MOVES = (-40, -15, 0, 15, 40)
STEADY = sorted(
    {
        bps
        for price in REFERENCES.values()
        for low in MOVES
        for high in MOVES
        if low < high
        for above in [(high - low) * 10_000 / (price + low)]
        for bps in (floor(above) - 1, ceil(above) - 1)
    }
)
"""Basis points that a move from one reference to another is just above."""
NAMES = (*NARROW, "max_move_bps", "max_jump_bps", *["max_orders_per_trade"] * 2)
WINDOWS = {
    "max_duplicates": "duplicate_window_ms",
    "max_messages": "message_window_ms",
    "flood_messages": "message_window_ms",
    "max_repeats": "repeat_window_ms",
}


class Day:
    """One day, from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.is_revised = seed % 2 == 1
        self.desk = Desk.opened()
        self.dates = 1
        self._open()

    def run(self, steps: int) -> Desk:
        """So many entries later."""
        acts: list[tuple[int, Callable[[], object]]] = [
            (40, self._submit), (12, self._replace), (4, self._cancel), (26, self._venue),
            (4, self._price), (2, self._limits), (8, self._bounds), (3, self._state),
            (1, self._kill), (2, self._burst), (2, self._chase), (3, self._repeat),
            (1, self._session),
            (1, self._adjust), (1, self._roll), (1, self._wait), (1, self._flatten),
            (1, self._stranger), (1, self._again),
        ]  # fmt: skip
        weights = [weight for weight, _act in acts]
        for _ in range(steps):
            self._reopen()
            self.random.choices([act for _weight, act in acts], weights)[0]()
        return self.desk

    def _open(self) -> None:
        desk = self.desk
        other = {"venue": "DEEP", "tick_size": "0.001", "lot_size": "0.01", "currency": "EUR"}
        desk.step(commands.DefineInstrument(symbol=ETH, **other))
        for currency, rate in (("USD", 10**9), ("EUR", 1_083_000_007)):
            desk.step(commands.SetFxRate(currency=currency, rate_e9=rate))
        for account in ACCOUNTS:
            for symbol in REFERENCES:
                desk.step(replace(LIMITS, account=account, symbol=symbol))
        desk.step(BOUNDS)
        for scope in ("account:A", "account:B", *(f"strategy:{s}" for s in STRATEGIES), "client:*"):
            desk.step(commands.SetScopeLimits(scope=scope, version=1, actor="op"))
        desk.step(commands.SetLogic(flag=logic.RISK_CONTROLS, actor="op"))
        if self.is_revised:
            desk.step(commands.SetLogic(flag=logic.REVISED_CONTROLS, actor="op"))
        self._prices()

    def _prices(self) -> None:
        for symbol, price in REFERENCES.items():
            self.desk.step(commands.SetReferencePrice(symbol=symbol, price=price))

    @property
    def seq(self) -> int:
        return self.desk.machine.state.seq

    def _submit(self) -> None:
        self.desk.submit(f"n{self.seq}", **terms(self.random, self.desk.machine.state))

    def _burst(self) -> None:
        """The same again and again, as a client in a loop sends it."""
        same = terms(self.random, self.desk.machine.state)
        for _ in range(self.random.choice((2, 4, 9, 30))):
            self.desk.submit(f"n{self.seq}", **same)

    def _chase(self) -> None:
        """An algorithm orders, trades, and orders again at once."""
        same = {**terms(self.random, self.desk.machine.state), "algorithm": "TWAP", "build": "b1"}
        for _ in range(3):
            order_id = self.desk.submit(f"n{self.seq}", **same).order_id
            order = self.desk.machine.state.orders.get(order_id)
            if order is not None:
                trade = {"last_qty": 1, "last_px": order.price or 900, "venue": order.venue}
                self.desk.report(order_id, ExecType.TRADE, **trade)

    def _repeat(self) -> None:
        """A request that was made before, with its id, and sometimes with other content."""
        kinds = (commands.SubmitOrder, commands.ReplaceOrder)
        known = [entry.command for entry in self.desk.entries if isinstance(entry.command, kinds)]
        if known:
            command = self.random.choice(known)
            self.desk.step(
                replace(command, order_qty=command.order_qty + self.random.choice((0, 1)))
            )

    def _live(self) -> list[Order]:
        return list(self.desk.machine.state.live_orders.values())

    def _replace(self) -> None:
        live = self._live()
        if live:
            order = self.random.choice(live)
            price = order.price and order.price + self.random.choice((0, 1, -3, 400))
            self.desk.step(
                commands.ReplaceOrder(
                    account=order.account,
                    cl_ord_id=f"r{self.seq}",
                    orig_cl_ord_id=order.cl_ord_id,
                    order_qty=self.random.choice((1, 4, 8, 15, 30, 101)),
                    price=price,
                    client=order.client,
                    void_after_ns=NEVER_NS,
                )
            )

    def _cancel(self) -> None:
        live = self._live()
        if live:
            order = self.random.choice(live)
            self.desk.cancel(f"x{self.seq}", order.cl_ord_id, account=order.account)

    def _venue(self) -> None:
        """Something that a venue says of an order of its own, dead ones now and then."""
        random, state = self.random, self.desk.machine.state
        mine = [order for order in state.orders.values() if not order.is_parent]
        live = [order for order in mine if not order.is_final]
        if not mine:
            return
        order = random.choice(live if live and random.random() < 0.9 else mine)
        own = {"venue": order.venue}
        pending = random.choice(order.pendings) if order.pendings else None
        if pending is not None and random.random() < 0.6:
            done = random.random() < 0.6
            if pending.action is VenueAction.REPLACE:
                word = ExecType.REPLACED if done else ExecType.REPLACE_REJECTED
            else:
                word = ExecType.CANCELED if done else ExecType.CANCEL_REJECTED
            asked = {"order_qty": pending.order_qty, "price": pending.price}
            self.desk.report(order.order_id, word, request_id=pending.request_id, **asked, **own)
            return
        left = max(1, order.leaves_qty)
        fee = {
            "fee_e8": random.choice((0, 900, -50)),
            "fee_currency": random.choice(("USD", "EUR")),
        }
        trade = {"last_qty": random.randint(1, left), "last_px": order.price or 900}
        fill = random.choice(order.fills).exec_id if order.fills else ""
        words: list[tuple[ExecType, dict[str, Any]]] = [
            (ExecType.NEW, {}),
            *[(ExecType.TRADE, {**trade, **fee})] * 6,
            (ExecType.CANCELED, {}),
            (ExecType.EXPIRED, {}),
            (ExecType.UNKNOWN, {}),
            (ExecType.RESTATED, {"order_qty": order.cum_qty + 2, "price": order.price}),
            (ExecType.TRADE_CANCEL, {"exec_ref_id": fill}),
            (ExecType.TRADE_CORRECT, {"exec_ref_id": fill, **trade}),
        ]
        word, facts = random.choice(words)
        self.desk.report(order.order_id, word, **facts, **own)

    def _price(self) -> None:
        symbol, move = self.random.choice(tuple(REFERENCES)), self.random.choice(MOVES)
        price = REFERENCES[symbol] + move
        self.desk.step(commands.SetReferencePrice(symbol=symbol, price=price))
        if self.random.random() < 0.2:
            rate = self.random.randint(9 * 10**8, 12 * 10**8)
            self.desk.step(commands.SetFxRate(currency="EUR", rate_e9=rate))

    def _limits(self) -> None:
        random = self.random
        account, symbol = random.choice(ACCOUNTS), random.choice(tuple(REFERENCES))
        bounds: dict[str, Any] = {
            "max_order_qty": random.choice((8, 100)),
            "max_notional": random.choice((9_000, 1_000_000)),
            "max_position": random.choice((25, 200)),
            "collar_bps": random.choice((200, 1_000)),
        }
        own: dict[str, Any] = {"account": account, "version": self.seq + 1}
        self.desk.step(replace(LIMITS, symbol=symbol, **bounds, **own))
        if random.random() < 0.5:
            gross = random.choice((40 * LOT, 10**12))
            age_ms = random.choice((200, 10**7))
            self.desk.step(
                commands.SetAccountLimits(max_gross_e8=gross, max_rate_age_ms=age_ms, **own)
            )

    def _bounds(self) -> None:
        """One or two narrow bounds of a scope, for good or for a while."""
        random = self.random
        scope, version = random.choice(SCOPES), self.seq + 1
        if random.random() < 0.3:
            scope = random.choice(("account:A", "account:B", "account:*"))
            bounds: dict[str, Any] = {"max_credit_e8": random.randint(10 * LOT, 80 * LOT)}
        else:
            names = random.sample(NAMES, random.choice((1, 2, 3)))
            bounds = {
                name: random.randint(*NARROW[name]) if name in NARROW else random.choice(STEADY)
                for name in names
            }
            windows = [WINDOWS[name] for name in names if name in WINDOWS]
            bounds |= {window: random.choice((2, 4, 8, 30)) for window in windows}
        if random.random() < 0.1:
            bounds["approved_build"] = "b1"
        if random.random() < 0.4:
            bounds["expires_ns"] = self.desk.now_ns + random.choice((30, 300)) * MILLISECOND_NS
        base = (
            BOUNDS if scope == "firm" else commands.SetScopeLimits(scope="", version=1, actor="op")
        )
        if random.random() < 0.02:
            scope, base, bounds = "firm", BOUNDS, {"max_turnover_e8": -1}
        self.desk.step(replace(base, scope=scope, version=version, **bounds))

    def _state(self) -> None:
        scope = self.random.choice(("shard", "firm", "account:A", f"symbol:{ETH}", "strategy:y"))
        state = self.random.choice(
            (TradingState.REDUCING, TradingState.REDUCING, TradingState.HALTED)
        )
        self.desk.trading(state, scope)

    def _kill(self) -> None:
        scope = self.random.choice(("account:B", "client:lee", f"symbol:{BTC}"))
        self.desk.step(commands.KillScope(scope=scope, kill_id="k", actor="op", reason="drill"))

    def _reopen(self) -> None:
        """What is stopped stays so for some orders only."""
        state = self.desk.machine.state
        if state.kills and self.random.random() < 0.15:
            scope = next(iter(state.kills))
            for actor in ("op", "second"):
                self.desk.step(
                    commands.ClearKill(scope=scope, kill_id="k", actor=actor, root_cause="drill")
                )
        for scope, found in list(state.trading_states.items()):
            is_open = found.state is TradingState.ACTIVE or scope in state.kills
            if not is_open and self.random.random() < 0.15:
                self.desk.trading(TradingState.ACTIVE, scope)
        for venue, session in list(state.trading_sessions.items()):
            if session.status is not TradSesStatus.OPEN and self.random.random() < 0.3:
                self._set_session(venue, TradSesStatus.OPEN)

    def _session(self) -> None:
        status = self.random.choice(list(TradSesStatus))
        self._set_session(self.random.choice(tuple(VENUES.values())), status)

    def _set_session(self, venue: str, status: TradSesStatus) -> None:
        session = commands.SetTradingSession(venue=venue, status=status, trading_date="2026-01-01")
        self.desk.step(session)

    def _adjust(self) -> None:
        words = {"account": self.random.choice(ACCOUNTS), "actor": "op", "reason": "drill"}
        words |= {"symbol": self.random.choice(tuple(REFERENCES)), "cl_ord_id": f"a{self.seq}"}
        if self.random.random() < 0.3:
            self.desk.step(commands.ResetPosition(**words))
            return
        qty = self.random.choice((-9, -2, 3, 8))
        self.desk.step(commands.AdjustPosition(qty=qty, price=800, **words))

    def _roll(self) -> None:
        self.dates += 1
        retire_ns = self.desk.now_ns - 50 * MILLISECOND_NS
        date = f"2026-{self.dates // 28 + 1:02}-{self.dates % 28 + 1:02}"
        self.desk.step(commands.RollDay(trading_date=date, retire_before_ns=retire_ns))

    def _wait(self) -> None:
        """Prices grow old; some orders come before there are fresh ones."""
        self.desk.now_ns += 6_000 * MILLISECOND_NS
        for _ in range(2):
            self._submit()
        self._prices()

    def _flatten(self) -> None:
        self.desk.step(
            commands.FlattenPosition(
                account=self.random.choice(ACCOUNTS),
                cl_ord_id=self.random.choice((f"f{self.seq}", "flat")),
                symbol=self.random.choice(tuple(REFERENCES)),
                client="kim",
                strategy="x",
                void_after_ns=NEVER_NS,
            )
        )

    def _stranger(self) -> None:
        terms = {"account": "A", "symbol": BTC, "side": Side.SELL, "order_qty": 4, "price": 1_000}
        self.desk.report(f"theirs-{self.seq}", ExecType.NEW, **terms)

    def _again(self) -> None:
        """A new owner of a session, and a change of behaviour."""
        self.desk.take_session()
        if self.random.random() < 0.3:
            self.desk.step(commands.SetLogic(flag=logic.REDUCING_REPLACES, actor="op"))


def day(seed: int, steps: int = 250) -> Desk:
    """The desk after a random day."""
    return Day(seed).run(steps)
