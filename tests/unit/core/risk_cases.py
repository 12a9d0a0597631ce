# SPDX-License-Identifier: Apache-2.0
"""The pre-trade truth table: what each rule about limits says in every cell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tradewind.core.commands import SetAccountLimits, SetFxRate
from tradewind.core.testing import (
    ACCOUNT,
    MILLISECOND_NS,
    START_NS,
    SYMBOL,
    Desk,
)
from tradewind.core.types import (
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingState,
)

Setup = Callable[[Desk], object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One cell: a prepared desk, a request, and the one reason it must meet."""

    name: str
    reason: Reason
    setup: Setup = lambda _desk: None
    terms: dict[str, Any]
    is_replace: bool = False


MARKET: dict[str, Any] = {"ord_type": OrdType.MARKET, "price": 0, "time_in_force": TimeInForce.IOC}
SELL = {"side": Side.SELL}
OK = Reason.NONE
# The 5th entry of a desk is the request of a new order, the 6th that of a replace.
NOW = START_NS + 5 * MILLISECOND_NS


def limits(**changes: Any) -> Setup:
    return lambda desk: desk.limits(**changes)


def trading(state: TradingState, scope: str) -> Setup:
    return lambda desk: desk.trading(state, scope)


def holding(qty: int) -> Setup:
    """A position of `qty` lots, from one filled order."""

    def setup(desk: Desk) -> None:
        side = Side.BUY if qty > 0 else Side.SELL
        desk.fill(desk.submit("h", side=side, order_qty=abs(qty)).order_id, abs(qty))

    return setup


def working(qty: int, **changes: Any) -> Setup:
    return lambda desk: desk.ack(desk.submit("w", order_qty=qty, **changes).order_id)


def both(*setups: Setup) -> Setup:
    def setup(desk: Desk) -> None:
        for one in setups:
            one(desk)

    return setup


def gross(lots: int, *, rate: bool = True, max_rate_age_ms: int = 60_000) -> Setup:
    """Exposure up to so many lots, each worth 0.01 in the base currency."""

    def setup(desk: Desk) -> None:
        if rate:
            desk.step(SetFxRate(currency="USD", rate_e9=10**9))
        desk.step(
            SetAccountLimits(
                account=ACCOUNT,
                max_gross_e8=lots * 10**6,
                max_rate_age_ms=max_rate_age_ms,
                version=1,
            )
        )

    return setup


def aged(age_ms: int) -> Setup:
    """The request's entry comes `age_ms` after the reference price."""

    def setup(desk: Desk) -> None:
        desk.reference(1_000)
        desk.now_ns += (age_ms - 1) * MILLISECOND_NS

    return setup


QTY, NOTIONAL = Reason.MAX_ORDER_QTY, Reason.MAX_NOTIONAL
COLLAR, POSITION, EXPOSURE = Reason.PRICE_COLLAR, Reason.MAX_POSITION, Reason.MAX_EXPOSURE
small_notional = limits(max_notional=11_000)


def table(name: str, cells: dict[int, Reason], key: str, setup: Setup, **terms: Any) -> list[Case]:
    return [
        Case(name=f"{name} {key} {value}", reason=want, setup=setup, terms={key: value, **terms})
        for value, want in cells.items()
    ]


NEW_CASES = [
    # C12 gross exposure, orders entered, in the base currency
    *table("C12", {9: OK, 10: OK, 11: EXPOSURE}, "order_qty", gross(10)),
    *table("C12 short", {10: OK, 11: EXPOSURE}, "order_qty", gross(10), **SELL),
    *table(
        "C12 both sides", {49: OK, 51: EXPOSURE}, "order_qty", both(working(50), gross(50)), **SELL
    ),
    Case(name="C12 no rate", reason=Reason.NO_FX_RATE, setup=gross(10, rate=False), terms={}),
    Case(
        name="C12 old rate",
        reason=Reason.STALE_FX_RATE,
        setup=gross(10, max_rate_age_ms=0),
        terms={},
    ),
    Case(
        name="C12 what reduces needs no rate",
        reason=OK,
        setup=both(holding(20), gross(1, rate=False)),
        terms={**SELL, "order_qty": 40},
    ),
    # C01 clip size
    *table("C01", {99: OK, 100: OK, 101: QTY}, "order_qty", limits()),
    *table("C01 sell", {99: OK, 100: OK, 101: QTY}, "order_qty", limits(), **SELL),
    # C02 order value; a market order at the collar's worst price (1,100), never at zero
    *table("C02", {10: OK, 11: OK, 12: NOTIONAL}, "order_qty", small_notional),
    *table("C02 price", {1_099: OK, 1_100: OK}, "price", small_notional),
    *table("C02 market", {9: OK, 10: OK, 11: NOTIONAL}, "order_qty", small_notional, **MARKET),
    *table(
        "C02 market sell", {10: OK, 11: NOTIONAL}, "order_qty", small_notional, **MARKET, **SELL
    ),
    Case(
        name="C02 value one above the limit",
        reason=NOTIONAL,
        setup=limits(max_notional=9_999),
        terms={},
    ),
    Case(name="C02 value at the limit", reason=OK, setup=limits(max_notional=10_000), terms={}),
    # C03 collar, both sides of the price, both sides of the book
    *table("C03", {899: COLLAR, 900: OK, 901: OK}, "price", limits()),
    *table("C03", {1_099: OK, 1_100: OK, 1_101: COLLAR}, "price", limits()),
    *table("C03 sell", {899: COLLAR, 900: OK, 1_100: OK, 1_101: COLLAR}, "price", limits(), **SELL),
    # C05 sane terms
    *table(
        "C05",
        {-1: Reason.INVALID_QUANTITY, 0: Reason.INVALID_QUANTITY, 1: OK},
        "order_qty",
        limits(),
    ),
    *table("C05", {-1: Reason.INVALID_PRICE, 0: Reason.INVALID_PRICE}, "price", limits()),
    Case(
        name="C05 a market order has no price",
        reason=Reason.INVALID_PRICE,
        terms={**MARKET, "price": 1_000},
    ),
    # C11 position and everything working on the same side (limit 200)
    *table(
        "C11 long", {49: OK, 50: OK, 51: POSITION}, "order_qty", both(holding(100), working(50))
    ),
    *table(
        "C11 short",
        {49: OK, 50: OK, 51: POSITION},
        "order_qty",
        both(holding(-100), working(50, side=Side.SELL)),
        **SELL,
    ),
    Case(
        name="C11 orders entered count, the other side's do not",
        reason=OK,
        setup=both(working(100), limits(max_position=100)),
        terms={"order_qty": 100, **SELL},
    ),
    # C19 allow-list
    Case(name="C19 unknown", reason=Reason.UNKNOWN_INSTRUMENT, terms={"symbol": "ETH-USD"}),
    Case(name="C19 other case", reason=Reason.UNKNOWN_INSTRUMENT, terms={"symbol": "btc-usd"}),
    # C21 stale reference (limit 5,000 ms)
    Case(name="C21 4999 ms", reason=OK, setup=aged(4_999), terms={}),
    Case(name="C21 5000 ms", reason=OK, setup=aged(5_000), terms={}),
    Case(name="C21 5001 ms", reason=Reason.STALE_REFERENCE_PRICE, setup=aged(5_001), terms={}),
    Case(
        name="C21 market 5001 ms",
        reason=Reason.STALE_REFERENCE_PRICE,
        setup=aged(5_001),
        terms=MARKET,
    ),
    Case(
        name="C21 no reference",
        reason=Reason.NO_REFERENCE_PRICE,
        setup=lambda desk: desk.reference(0),
        terms={},
    ),
    # Missing limits deny
    Case(name="no limits", reason=Reason.LIMIT_MISSING, terms={"account": "OTHER"}),
    # C23 trading state: the strictest of the scopes that cover the order
    *[
        Case(
            name=f"C23 {state} {scope}",
            reason=want,
            setup=trading(state, scope),
            terms={},
        )
        for state, want in (
            (TradingState.ACTIVE, OK),
            (TradingState.REDUCING, Reason.REDUCE_ONLY),
            (TradingState.HALTED, Reason.TRADING_HALTED),
        )
        for scope in ("firm", f"account:{ACCOUNT}", f"symbol:{SYMBOL}")
    ],
    *[
        Case(
            name=f"C23 other {scope}",
            reason=OK,
            setup=trading(TradingState.HALTED, scope),
            terms={},
        )
        for scope in ("account:OTHER", "symbol:ETH-USD")
    ],
    Case(
        name="C23 the strictest wins",
        reason=Reason.TRADING_HALTED,
        setup=both(
            trading(TradingState.ACTIVE, "firm"),
            trading(TradingState.REDUCING, f"symbol:{SYMBOL}"),
            trading(TradingState.HALTED, f"account:{ACCOUNT}"),
        ),
        terms={},
    ),
    *table(
        "C23 reducing a long of 30, 10 working",
        {19: OK, 20: OK, 21: Reason.REDUCE_ONLY},
        "order_qty",
        both(holding(30), working(10, **SELL), trading(TradingState.REDUCING, "firm")),
        **SELL,
    ),
    *table(
        "C23 reducing a short of 30",
        {29: OK, 30: OK, 31: Reason.REDUCE_ONLY},
        "order_qty",
        both(holding(-30), trading(TradingState.REDUCING, "firm")),
    ),
    # C32 age of the intent: the journal's stamp against the client's deadline
    Case(name="C32 1 ns before", reason=OK, terms={"void_after_ns": NOW + 1}),
    Case(name="C32 at the deadline", reason=OK, terms={"void_after_ns": NOW}),
    Case(name="C32 1 ns after", reason=Reason.TOO_LATE, terms={"void_after_ns": NOW - 1}),
]


def replaced(
    name: str, cells: dict[int, Reason], key: str, setup: Setup, **terms: Any
) -> list[Case]:
    base = {"qty": 10, "price": 1_000, **terms}
    return [
        Case(
            name=f"replace {name} {key} {value}",
            reason=want,
            setup=setup,
            terms={**base, key: value},
            is_replace=True,
        )
        for value, want in cells.items()
    ]


base = working(10)
"""The order "w" of 10 at 1,000 that is to be replaced."""

REPLACE_CASES = [
    *replaced("C01", {99: OK, 100: OK, 101: QTY}, "qty", base),
    *replaced("C02", {10: OK, 11: OK, 12: NOTIONAL}, "qty", both(base, small_notional)),
    *replaced("C03", {899: COLLAR, 900: OK, 1_100: OK, 1_101: COLLAR}, "price", base),
    *replaced("C05", {-1: Reason.INVALID_QUANTITY, 0: Reason.INVALID_QUANTITY, 1: OK}, "qty", base),
    *replaced("C05", {-1: Reason.INVALID_PRICE, 0: Reason.INVALID_PRICE}, "price", base),
    # The replaced order's own reservation is not counted twice: 100 held, 10 working, limit 200.
    *replaced("C11", {99: OK, 100: OK}, "qty", both(holding(100), base)),
    *replaced(
        "C11",
        {89: OK, 90: OK, 91: POSITION},
        "qty",
        both(holding(100), base, lambda d: d.submit("w2", order_qty=10)),
    ),
    *replaced("C21", {10: OK}, "qty", both(base, aged(5_000))),
    *replaced("C21", {10: Reason.STALE_REFERENCE_PRICE}, "qty", both(base, aged(5_001))),
    *[
        case
        for state, want in (
            (TradingState.ACTIVE, OK),
            (TradingState.REDUCING, Reason.REDUCE_ONLY),
            (TradingState.HALTED, Reason.TRADING_HALTED),
        )
        for case in replaced(f"C23 {state}", {11: want}, "qty", both(base, trading(state, "firm")))
    ],
    *replaced(
        "C23 reducing a long of 30 by replace",
        {29: OK, 30: OK, 31: Reason.REDUCE_ONLY},
        "qty",
        both(holding(30), working(10, **SELL), trading(TradingState.REDUCING, "firm")),
    ),
    # base takes entries 5 and 6, so the replace is the 7th
    *replaced(
        "C32",
        {
            START_NS + 7 * MILLISECOND_NS: OK,
            START_NS + 7 * MILLISECOND_NS - 1: Reason.TOO_LATE,
        },
        "void_after_ns",
        base,
    ),
]
