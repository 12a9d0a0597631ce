# SPDX-License-Identifier: Apache-2.0
"""What the second look asks of an accepted order in every scope that it is in."""

from collections.abc import Callable, Iterator

from tradewind.core.types import TimeInForce
from tradewind.risk import measures
from tradewind.risk.entered import Entered, Objection, World
from tradewind.risk.in_force import MILLISECOND_NS
from tradewind.risk.orders import BY_HAND


def of_scopes(entered: Entered, world: World, table: "Table") -> Iterator[Objection]:
    """Against the bounds of every scope that it is in."""
    asked = {
        bound: (code, measure) for code, bound, is_asked, measure in table if is_asked(entered)
    }
    for scope, bounds in entered.bounds:
        for bound, most in bounds.of.items():
            if bound not in asked:
                continue
            control, measure = asked[bound]
            seen = measure(entered, world, scope)
            if seen is None:
                yield Objection(control, f"{bound} of {scope} cannot be valued")
            elif seen > most:
                text = f"{seen} is more than the {most} of {bound} in {scope}"
                yield Objection(control, f"{text}, version {bounds.version}")


def of_account(entered: Entered, world: World) -> Iterator[Objection]:
    """Against the limit of its account over all instruments, with rates that are fresh."""
    report, force = entered.report, world.force
    limits = force.account_limits.get(report.account)
    if limits is None or not entered.grew[0]:
        return
    scope = f"account:{report.account}"
    for symbol, line in world.ledger.lines.scopes.get(scope, {}).items():
        rate = force.rates.get(force.instruments[symbol].currency) if line.gross else None
        is_old = rate is not None and (
            report.transact_time_ns - rate.ts_ns > limits.max_rate_age_ms * MILLISECOND_NS
        )
        if line.gross and (rate is None or is_old):
            yield Objection("C12", f"{symbol} has no fresh rate")
    total = world.total(scope, lambda line: line.gross, {})
    if total is None or total > limits.max_gross_e8:
        yield Objection("C12", f"exposure {total} is more than the {limits.max_gross_e8} allowed")


def _always(_entered: Entered) -> bool:
    return True


def _buys_more(entered: Entered) -> bool:
    return entered.more > 0 and entered.sign > 0


def _sells_more(entered: Entered) -> bool:
    return entered.more > 0 and entered.sign < 0


def _adds(entered: Entered) -> bool:
    return entered.more > 0


def _is_new(entered: Entered) -> bool:
    return not entered.is_replace


def _has_no_stop(entered: Entered) -> bool:
    return not entered.stop_px


def _could_grow(entered: Entered) -> bool:
    return entered.grew[0]


def _by_algorithm_for_good(entered: Entered) -> bool:
    report = entered.report
    return report.algorithm != BY_HAND and report.time_in_force is TimeInForce.GTC


Table = tuple[
    tuple[str, str, Callable[[Entered], bool], Callable[[Entered, World, str], int | None]], ...
]
"""Control, bound, whether it is asked of this order, and what is then held against the bound."""
SCOPE_CHECKS: Table = (
    ("C01", "max_order_qty", _always, lambda entered, _world, _scope: entered.qty),
    ("C02", "max_order_value_e8", _always, measures.order_value),
    ("C04", "max_move_bps", _has_no_stop, measures.moved),
    (
        "C10",
        "max_open_orders",
        _is_new,
        lambda _e, world, scope: world.ledger.lines.orders.get(scope, 0),
    ),
    ("C10", "max_open_value_e8", _adds, measures.open_value),
    ("C11", "max_long", _buys_more, measures.position),
    ("C11", "max_short", _sells_more, measures.position),
    ("C12", "max_gross_e8", _adds, measures.gross),
    ("C12", "max_net_e8", _adds, measures.net),
    ("C13", "max_credit_e8", _could_grow, measures.credit),
    ("C14", "max_children", _is_new, measures.children),
    ("C15", "max_turnover_e8", _always, measures.turnover),
    ("C16", "max_orders_per_trade", _always, measures.messages_per_trade),
    ("C18", "allows_self_match", _has_no_stop, measures.meets_own),
    ("C22", "max_jump_bps", _always, measures.jump),
    ("C30", "allows_gtc", _by_algorithm_for_good, lambda _entered, _world, _scope: 1),
)
"""Of orders that go to a venue."""
PARENT_CHECKS: Table = (("C14", "max_parent_value_e8", _always, measures.parent_value),)
"""Of orders that are worked by others."""
