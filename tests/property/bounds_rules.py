# SPDX-License-Identifier: Apache-2.0
"""Bounds of scopes against a judge that keeps orders only, and adds up all for each decision."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.property.test_limits_hold import ACCOUNTS, LOT, STRATEGIES, governed
from tradewind.core.commands import RollDay, SetScopeLimits
from tradewind.core.invariants import violations
from tradewind.core.testing import BOUNDS
from tradewind.core.types import ExecType, Reason, Side
from tradewind.risk.second_look import SecondLook

REFERENCE = 1_000
VALUE = LOT // REFERENCE
"""Of one lot at one tick."""
CLIENTS = ("kim", "lee")
PRICES = (950, REFERENCE, REFERENCE, 1_050)
QTYS = (1, 2, 5, 9, 20)


@dataclass(kw_only=True)
class Told:
    """An order as the judge knows it."""

    account: str
    strategy: str
    client: str
    side: Side
    qty: int
    price: int
    filled: int = 0
    is_live: bool = True

    @property
    def held(self) -> int:
        return self.side.sign * self.filled

    def left(self, side: Side | None = None) -> int:
        return self.qty - self.filled if self.is_live and side in (None, self.side) else 0


def reach(orders: Iterable[Told]) -> int:
    """The largest position of either sign that these can lead to."""
    mine = list(orders)
    held = sum(told.held for told in mine)
    buys, sells = (sum(told.left(side) for told in mine) for side in (Side.BUY, Side.SELL))
    return max(abs(held + buys), abs(held - sells))


class Book:
    """All orders, and what each bound makes of them once one of them is as somebody wants it."""

    def __init__(self) -> None:
        self.orders: dict[str, Told] = {}
        self.trades: list[tuple[str, int]] = []
        """Of the day: strategy and value."""

    def of(self, **words: str) -> list[Told]:
        return [
            told
            for told in self.orders.values()
            if all(getattr(told, name) == word for name, word in words.items())
        ]

    def one_way(self, side: Side, **words: str) -> int:
        """What is held and works on this side."""
        mine = self.of(**words)
        return sum(side.sign * told.held + told.left(side) for told in mine)

    def gross(self) -> int:
        return sum(reach(self.of(account=account)) for account in ACCOUNTS) * LOT

    def open_value(self) -> int:
        """What worked before at the reference, what is new at its price if that is worse."""
        return sum(told.left() for told in self.orders.values()) * LOT

    def traded(self, strategy: str) -> int:
        return sum(value for of, value in self.trades if of == strategy)


@dataclass(frozen=True)
class Rule:
    """A bound in a scope: its values, and what it sees of a wish."""

    scope: str
    values: tuple[int, ...]
    reason: Reason
    seen: Callable[[Book, Told, Told | None], int | None]
    """Of the book with the wish in it, the wish, and the order before; None: it does not look."""


def _more(wish: Told, before: Told | None) -> int:
    return wish.left() - (before.left() if before is not None else 0)


def _count(book: Book, wish: Told, before: Told | None) -> int | None:
    return None if before else sum(told.is_live for told in book.of(account=wish.account))


def _open_value(book: Book, wish: Told, before: Told | None) -> int | None:
    more = _more(wish, before)
    extra = more * max(0, wish.price - REFERENCE) * VALUE
    return book.open_value() + extra if more > 0 else None


def _gross(book: Book, wish: Told, before: Told | None) -> int | None:
    mine = book.of(account=wish.account)
    others = [told for told in mine if told is not wish]
    was = reach([*others, before] if before else others)
    return book.gross() if reach(mine) > was and _more(wish, before) > 0 else None


def _net(book: Book, wish: Told, before: Told | None) -> int | None:
    return book.one_way(wish.side) * LOT if _more(wish, before) > 0 else None


def _one_way(side: Side) -> Callable[[Book, Told, Told | None], int | None]:
    def seen(book: Book, wish: Told, before: Told | None) -> int | None:
        if wish.side is not side or _more(wish, before) <= 0:
            return None
        return book.one_way(side, strategy=wish.strategy)

    return seen


def _turnover(book: Book, wish: Told, _before: Told | None) -> int:
    return book.traded(wish.strategy) + wish.left() * wish.price * VALUE


RULES = {
    "max_order_qty": Rule("symbol:*", (8, 25), Reason.MAX_ORDER_QTY, lambda _b, w, _o: w.qty),
    "max_order_value_e8": Rule(
        "client:*",
        (9 * LOT, 20 * LOT, 30 * LOT),
        Reason.MAX_NOTIONAL,
        lambda _book, wish, _before: wish.qty * wish.price * VALUE,
    ),
    "max_open_orders": Rule("account:*", (1, 3, 5), Reason.MAX_OPEN_ORDERS, _count),
    "max_open_value_e8": Rule("firm", (12 * LOT, 30 * LOT), Reason.MAX_OPEN_VALUE, _open_value),
    "max_gross_e8": Rule("firm", (15 * LOT, 40 * LOT), Reason.MAX_EXPOSURE, _gross),
    "max_net_e8": Rule("firm", (9 * LOT, 25 * LOT), Reason.MAX_EXPOSURE, _net),
    "max_long": Rule("strategy:*", (6, 14), Reason.MAX_POSITION, _one_way(Side.BUY)),
    "max_short": Rule("strategy:*", (6, 14), Reason.MAX_POSITION, _one_way(Side.SELL)),
    "max_turnover_e8": Rule("strategy:*", (8 * LOT, 30 * LOT), Reason.MAX_TURNOVER, _turnover),
}


class BoundsAgainstJudge(RuleBasedStateMachine):
    """Every order and replace passes if no bound speaks against it, and else for one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.limits = {name: rule.values[-1] for name, rule in RULES.items()}
        self.versions = dict.fromkeys({rule.scope for rule in RULES.values()}, 1)
        self.date = date(2026, 1, 1)
        self.desk = governed()
        for scope in sorted(self.versions):
            self.set_bounds(scope)

    def set_bounds(self, scope: str) -> None:
        self.versions[scope] += 1
        bounds: dict[str, Any] = {
            name: self.limits[name] for name, rule in RULES.items() if rule.scope == scope
        }
        empty = BOUNDS if scope == "firm" else SetScopeLimits(scope=scope, version=0, actor="op")
        self.desk.step(replace(empty, version=self.versions[scope], **bounds))

    def against(self, wish: Told, order_id: str = "wish") -> set[Reason]:
        """The reasons that speak against a new order, or against one that becomes so."""
        before = self.book.orders.get(order_id)
        self.book.orders[order_id] = wish
        found = set()
        for name, bound in RULES.items():
            seen = bound.seen(self.book, wish, before)
            if seen is not None and seen > self.limits[name]:
                found.add(bound.reason)
        del self.book.orders[order_id]
        if before is not None:
            self.book.orders[order_id] = before
        return found

    def pick(self, data: st.DataObject) -> str:
        live = [order_id for order_id, told in self.book.orders.items() if told.is_live]
        return data.draw(st.sampled_from(live), label="order")

    @rule(
        account=st.sampled_from(ACCOUNTS),
        strategy=st.sampled_from(STRATEGIES),
        client=st.sampled_from(CLIENTS),
        side=st.sampled_from(Side),
        qty=st.sampled_from(QTYS),
        price=st.sampled_from(PRICES),
    )
    def submit(
        self, account: str, strategy: str, client: str, side: Side, qty: int, price: int
    ) -> None:
        wish = Told(
            account=account, strategy=strategy, client=client, side=side, qty=qty, price=price
        )
        reasons = self.against(wish)
        report = self.desk.submit(
            f"n{len(self.desk.entries)}",
            account=account,
            strategy=strategy,
            client=client,
            side=side,
            order_qty=qty,
            price=price,
        )
        assert report.reason in (reasons or {Reason.NONE})
        if not reasons:
            self.book.orders[report.order_id] = wish

    @precondition(lambda self: any(told.is_live for told in self.book.orders.values()))
    @rule(
        data=st.data(),
        more=st.sampled_from(QTYS),
        price=st.sampled_from(PRICES),
        is_taken=st.booleans(),
    )
    def replace_an_order(self, data: st.DataObject, more: int, price: int, is_taken: bool) -> None:
        """To so many lots more than are filled; the venue takes it or does not."""
        order_id = self.pick(data)
        told = self.book.orders[order_id]
        wish = replace(told, qty=told.filled + more, price=price)
        reasons = self.against(wish, order_id)
        order = self.desk.order(order_id)
        new_id = f"n{len(self.desk.entries)}"
        report = self.desk.replace(
            new_id, order.cl_ord_id, qty=wish.qty, price=price, account=told.account
        )
        assert report.reason in (reasons or {Reason.NONE})
        if reasons:
            return
        answer = ExecType.REPLACED if is_taken else ExecType.REPLACE_REJECTED
        request_id = self.desk.order(order_id).pendings[-1].request_id
        self.desk.report(order_id, answer, request_id=request_id, order_qty=wish.qty, price=price)
        if is_taken:
            self.book.orders[order_id] = wish

    @precondition(lambda self: any(told.is_live for told in self.book.orders.values()))
    @rule(data=st.data(), is_end=st.booleans(), part=st.integers(1, 20))
    def the_venue_acts(self, data: st.DataObject, is_end: bool, part: int) -> None:
        order_id = self.pick(data)
        told = self.book.orders[order_id]
        if is_end:
            self.desk.report(order_id, ExecType.CANCELED)
            told.is_live = False
            return
        qty = min(part, told.left())
        self.desk.fill(order_id, qty, told.price)
        told.filled += qty
        told.is_live = told.left() > 0
        self.book.trades.append((told.strategy, qty * told.price * VALUE))

    @precondition(lambda self: self.desk.machine.state.seq % 4 == 0)
    @rule(data=st.data(), name=st.sampled_from(sorted(RULES)))
    def people_change_a_bound(self, data: st.DataObject, name: str) -> None:
        self.limits[name] = data.draw(st.sampled_from(RULES[name].values), label="limit")
        self.set_bounds(RULES[name].scope)

    @precondition(lambda self: self.desk.machine.state.seq % 7 == 0)
    @rule()
    def roll_the_day(self) -> None:
        self.date += timedelta(days=1)
        self.desk.step(RollDay(trading_date=str(self.date), retire_before_ns=0))
        self.book.trades.clear()

    @invariant()
    def no_law_is_broken(self) -> None:
        assert violations(self.desk.machine.state) == []

    def teardown(self) -> None:
        look = SecondLook()
        breaches = [breach for event in self.desk.outputs if (breach := look.take(event))]
        assert breaches == []
