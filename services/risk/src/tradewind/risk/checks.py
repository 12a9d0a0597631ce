# SPDX-License-Identifier: Apache-2.0
"""What the second look asks of an order that was accepted: table by table, none of the core's code.

The order counts already: what is asked is whether, with it, everything that it made larger is still
within its bounds. So an order that makes nothing larger is asked nothing of that kind.
"""

from collections.abc import Iterator

from tradewind.core.types import OrdType, TimeInForce, TradSesStatus
from tradewind.risk.entered import BPS, Entered, Objection, World
from tradewind.risk.family_checks import of_family
from tradewind.risk.in_force import MILLISECOND_NS, REDUCING_REPLACES, RISK_CONTROLS
from tradewind.risk.orders import PRICED
from tradewind.risk.scope_checks import PARENT_CHECKS, SCOPE_CHECKS, of_account, of_scopes
from tradewind.risk.window_checks import of_windows

STOPS = (OrdType.STOP, OrdType.STOP_LIMIT)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
NO_REST = (*AT_ONCE, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
REQUIRED = frozenset(
    {
        "max_order_value_e8",
        "max_move_bps",
        "max_jump_bps",
        "max_duplicates",
        "max_messages",
        "max_repeats",
        "max_open_orders",
        "max_open_value_e8",
        "max_gross_e8",
        "max_net_e8",
        "max_children",
        "max_turnover_e8",
        "max_orders_per_trade",
        "allows_self_match",
        "allows_gtc",
    }
)

KNOWN = tuple(f"C{number:02}" for number in (*range(1, 17), *range(18, 25), 28, 30, 32, 34))
"""Controls that the second look decides for itself."""
IN_PART = {
    "C04": "it looks at the reference prices of the last 10 s, the core at those of up to 20 s",
    "C06": "an id that was used before the first output it heard is unknown to it",
    "C08": "messages are counted only if all outputs of the shard were heard",
    "C14": "an order that names a parent which there is not looks like one that names none",
    "C16": "messages are counted only if all outputs of the shard were heard",
    "C22": "it looks at the reference prices of the last 10 s, the core at those of up to 20 s",
    "C32": "outputs say no deadline of a replace or a parent",
}
"""Of these it cannot see all, and why."""


def objections(entered: Entered, world: World) -> Iterator[Objection]:
    """Everything that speaks against an order that was accepted."""
    if entered.is_used:
        yield Objection("C06", f"request id {entered.report.cl_ord_id} was used before")
    yield from _terms(entered)
    yield from _permissions(entered, world)
    yield from _states(entered, world)
    yield from _session(entered, world)
    yield from of_family(entered)
    yield from of_windows(entered, world)
    if entered.report.is_parent:
        yield from of_scopes(entered, world, PARENT_CHECKS)
        return
    report = entered.report
    limits = world.force.limits.get((report.account, report.symbol))
    reference = world.force.references.get(report.symbol)
    if limits is None:
        yield Objection("C19", "accepted without limits of its account in the instrument")
    elif reference is None or reference.price <= 0:
        yield Objection("C21", "accepted without a reference price")
    else:
        yield from _own_limits(entered, world)
        yield from of_account(entered, world)
        yield from of_scopes(entered, world, SCOPE_CHECKS)


def _terms(entered: Entered) -> Iterator[Objection]:
    report = entered.report
    if entered.qty <= 0 or entered.open_qty <= 0:
        yield Objection("C05", f"{entered.open_qty} of {entered.qty} lots are left to trade")
    if (report.ord_type in PRICED) != (entered.price > 0):
        yield Objection("C05", f"price {entered.price} of a {report.ord_type} order")
    if (report.ord_type in STOPS) != (entered.stop_px > 0):
        yield Objection("C05", f"stop price {entered.stop_px} of a {report.ord_type} order")
    rests = report.ord_type in PRICED and report.time_in_force not in AT_ONCE
    if report.display_qty and not (rests and report.display_qty > 0):
        yield Objection("C05", f"{report.display_qty} lots to display")
    if report.is_post_only and (
        report.ord_type is not OrdType.LIMIT or report.time_in_force in NO_REST
    ):
        yield Objection("C05", "post-only, and cannot rest")
    is_dated = report.time_in_force is TimeInForce.GTD
    is_over = is_dated and report.expire_ns <= report.transact_time_ns
    if is_dated != bool(report.expire_ns) or is_over:
        yield Objection("C30", f"expires at {report.expire_ns} as {report.time_in_force}")


def _permissions(entered: Entered, world: World) -> Iterator[Objection]:
    report = entered.report
    named = (report.client, report.strategy, report.algorithm, report.build)
    if not all(named):
        yield Objection("C20", "client, strategy, algorithm or build is not named")
    for scope, bounds in entered.bounds:
        if bounds.approved_build not in ("", report.build):
            yield Objection("C34", f"build {report.build} is not approved in {scope}")
    if RISK_CONTROLS not in world.force.switches:
        return
    whole = [scope for scope, _bounds in entered.bounds if "/" not in scope]
    for kind in ("account:", "strategy:", "client:"):
        if not any(scope.startswith(kind) for scope in whole):
            yield Objection("C20", f"no limits for its {kind[:-1]}")
    for bound in sorted(REQUIRED.difference(*(bounds.of for _scope, bounds in entered.bounds))):
        yield Objection("C01", f"no scope bounds {bound}")


def _states(entered: Entered, world: World) -> Iterator[Objection]:
    force = world.force
    killed = [scope for scope in entered.scopes if scope in force.kills]
    if killed:
        yield Objection("C28", f"{killed[0]} is killed")
    states = {scope: force.states.get(scope, "") for scope in ("shard", *entered.scopes)}
    for scope, state in states.items():
        if state == "HALTED":
            yield Objection("C23", f"{scope} is halted")
    shrinks = REDUCING_REPLACES in force.switches and entered.is_replace and entered.more <= 0
    worst = entered.sign * world.part(entered).qty + entered.working + entered.more
    if "REDUCING" in states.values() and worst > 0 and not shrinks:
        yield Objection("C23", f"{worst} lots more than closing a position that may only shrink")


def _session(entered: Entered, world: World) -> Iterator[Objection]:
    """A venue that never said what it takes is open."""
    report = entered.report
    status = world.force.sessions.get(world.force.instruments[report.symbol].venue)
    for_the_open = report.time_in_force is TimeInForce.AT_OPEN
    for_an_auction = for_the_open or report.time_in_force is TimeInForce.AT_CLOSE
    at_once = report.ord_type is OrdType.MARKET or report.time_in_force in AT_ONCE
    is_taken = {
        None: not for_an_auction,
        TradSesStatus.PRE_OPEN: for_an_auction or not at_once,
        TradSesStatus.OPEN: not for_the_open,
        TradSesStatus.PRE_CLOSE: not for_the_open,
    }
    if not is_taken.get(status, False):
        what = f"{report.ord_type} {report.time_in_force}"
        yield Objection("C24", f"{what} while its venue is {status or 'without sessions'}")


def _own_limits(entered: Entered, world: World) -> Iterator[Objection]:
    """Against the limits of its account in the instrument."""
    report = entered.report
    limits = world.force.limits[report.account, report.symbol]
    reference = world.force.references[report.symbol]
    age_ns = report.transact_time_ns - reference.ts_ns
    if age_ns > limits.max_reference_age_ms * MILLISECOND_NS:
        yield Objection("C21", f"the reference price is {age_ns // MILLISECOND_NS} ms old")
    around = entered.stop_px or reference.price
    away = abs(entered.price - around) * BPS
    if report.ord_type in PRICED and away > around * limits.collar_bps:
        yield Objection("C03", f"price {entered.price} is outside the collar around {around}")
    value = entered.qty * world.worst_price(entered)
    worst = entered.sign * world.part(entered).qty + entered.working + entered.more
    for control, seen, most, what in (
        ("C01", entered.qty, limits.max_order_qty, "lots"),
        ("C02", value, limits.max_notional, "of value"),
        ("C11", worst, limits.max_position, "held and working"),
    ):
        if seen > most:
            yield Objection(control, f"{seen} {what} are more than the {most} allowed")
