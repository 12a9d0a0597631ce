# SPDX-License-Identifier: Apache-2.0
"""Inside integers as outside decimals. Exact everywhere but in two averages, which say so."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from tradewind.common.grid import Grid
from tradewind.core.bounds import UNSET
from tradewind.core.events import (
    AccountLimitsSet,
    Event,
    FxRateSet,
    LimitsSet,
    OrderReport,
    PositionAdjusted,
)
from tradewind.core.positions import ATTRIBUTES

AVERAGE_DECIMALS = 8
"""Averages are rounded half-even to this many decimals beyond the tick's."""
MONEY_DECIMALS = 8
"""Fees and exposure are counted in units of this many decimals of their currency."""
RATE_DECIMALS = 9
SCOPE_QUANTITIES = ("max_order_qty", "max_long", "max_short")

_ROUNDED = Context(prec=60, rounding=ROUND_HALF_EVEN)
_FIELDS = tuple(field.name for field in fields(OrderReport))
_SHOWN = tuple(name for name in _FIELDS if name not in ("cum_notional", "fee_e8"))
_LOTS = ("order_qty", "cum_qty", "leaves_qty", "last_qty")
_TICKS = ("price", "last_px", "stop_px")


def of_report(report: OrderReport, grid: Grid | None) -> dict[str, Any]:
    """An order report as clients see it."""
    return of_order({name: getattr(report, name) for name in _FIELDS}, grid)


def of_event(event: Event, grid: Grid | None) -> dict[str, Any]:
    """Any answer as clients see it."""
    match event:
        case OrderReport():
            return of_report(event, grid)
        case PositionAdjusted():
            numbers = {
                "qty": grid.lots_to_text(event.qty) if grid else None,
                "price": grid.ticks_to_text(event.price) if grid else None,
            }
            return asdict(event) | numbers
        case LimitsSet() if grid is not None:
            return of_limits(asdict(event), grid)
        case AccountLimitsSet():
            return of_account_limits(asdict(event))
        case FxRateSet():
            rate = plain(Decimal(event.rate_e9).scaleb(-RATE_DECIMALS))
            return {"currency": event.currency, "rate": rate}
        case _:
            return asdict(event)


def of_order(order: Mapping[str, Any], grid: Grid | None) -> dict[str, Any]:
    """An order in the shape of a report as clients see it.

    A number that is zero because it does not apply (the price of a market order, the last price
    of a report that is no trade, a fee that nobody charged) is null. Without a grid (a request
    about an unknown order) every number is null.
    """
    view = {name: order[name] for name in _SHOWN if name in order}
    cum_notional = order.get("cum_notional", 0)
    cum_qty = order.get("cum_qty", 0)
    for name in _LOTS:
        view[name] = grid.lots_to_text(view.get(name, 0)) if grid else None
    for name in _TICKS:
        ticks = view.get(name, 0)
        view[name] = grid.ticks_to_text(ticks) if grid and ticks else None
    shown = view.get("display_qty", 0)
    view["display_qty"] = grid.lots_to_text(shown) if grid and shown else None
    view["expire_ns"] = view.get("expire_ns") or None
    view["avg_px"] = average_price(cum_notional, cum_qty, grid) if grid and cum_qty else None
    fee_e8 = order.get("fee_e8", 0)
    view["fee"] = _of_e8(fee_e8) if fee_e8 else None
    return view


def of_position(position: Mapping[str, Any], grid: Grid) -> dict[str, Any]:
    """A position as clients see it: quantities, money, and the average price of what is open.

    `unrealised` is what closing at the reference price would gain; null without a price.
    """
    qty, cost, mark = position["qty"], position["cost"], position.get("mark")
    view: dict[str, Any] = {name: position[name] for name in ATTRIBUTES if name in position}
    for name in ("qty", "buy_working", "sell_working", "bought_qty", "sold_qty"):
        if name in position:
            view[name] = grid.lots_to_text(position[name])
    view["cost"] = grid.notional_to_text(cost)
    view["realised"] = grid.notional_to_text(position["realised"])
    view["unrealised"] = None if mark is None else grid.notional_to_text(qty * mark - cost)
    view["avg_px"] = average_price(cost, qty, grid) if qty else None
    return view


def of_limits(limits: Mapping[str, Any], grid: Grid) -> dict[str, Any]:
    """The limits of one account in one instrument, in decimals."""
    return {
        "account": limits["account"],
        "symbol": limits["symbol"],
        "max_order_qty": grid.lots_to_text(limits["max_order_qty"]),
        "max_notional": grid.notional_to_text(limits["max_notional"]),
        "max_position": grid.lots_to_text(limits["max_position"]),
        "collar_bps": limits["collar_bps"],
        "max_reference_age_ms": limits["max_reference_age_ms"],
        "version": limits["version"],
    }


def of_account_limits(limits: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of one account over all instruments, in the base currency, and how much is used.

    `gross` is null while something that is held has no price or no rate.
    """
    gross = limits.get("gross_e8")
    return {
        "account": limits["account"],
        "max_gross": _of_e8(limits["max_gross_e8"]),
        "gross": None if gross is None else _of_e8(gross),
        "max_rate_age_ms": limits["max_rate_age_ms"],
        "version": limits["version"],
    }


def of_scope_limits(limits: Mapping[str, Any], grid: Grid | None) -> dict[str, Any]:
    """The limits of a scope; what it does not bound is left out."""
    view: dict[str, Any] = {}
    for name, value in limits.items():
        if value == UNSET or value == "":
            continue
        if name.endswith("_e8"):
            view[name.removesuffix("_e8")] = _of_e8(value)
        elif name in SCOPE_QUANTITIES:
            view[name] = grid.lots_to_text(value) if grid is not None else None
        else:
            view[name] = value
    return view


def of_part(row: Mapping[str, Any], grid: Grid | None) -> dict[str, Any]:
    """A shard's part of a bound, and what it uses; null while that cannot be valued.

    A part is agreed once every shard is known to hold the bound as it is.
    """
    bound = row["bound"]
    view = {
        "scope": row["scope"],
        "bound": bound.removesuffix("_e8"),
        "shard": row["shard"],
        "version": row["version"],
        "is_agreed": UNSET < row["agreed"] <= row["limit"],
    }
    for name in ("limit", "part", "used"):
        value = row[name]
        if value is not None and bound.endswith("_e8"):
            value = _of_e8(value)
        elif value is not None and bound in SCOPE_QUANTITIES and grid is not None:
            value = grid.lots_to_text(value)
        view[name] = value
    return view


def _of_e8(amount: int) -> str:
    return plain(Decimal(amount).scaleb(-MONEY_DECIMALS))


def average_price(notional: int, lots: int, grid: Grid) -> str:
    """`notional / lots` as a price, rounded half-even 8 decimals beyond the tick's."""
    exponent = grid.tick_size.as_tuple().exponent
    assert isinstance(exponent, int)
    unit = Decimal(1).scaleb(min(exponent, 0) - AVERAGE_DECIMALS)
    exact = _ROUNDED.divide(_ROUNDED.multiply(Decimal(notional), grid.tick_size), Decimal(lots))
    return plain(_ROUNDED.quantize(exact, unit))


def plain(value: Decimal) -> str:
    """The shortest plain form of an exact decimal."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
