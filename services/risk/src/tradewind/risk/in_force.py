# SPDX-License-Identifier: Apache-2.0
"""What is in force at an output: limits, trading states, kills, prices, rates, switches.

Taken from EVENTS one by one, in their order, so an order is judged by what held when it was
accepted and by nothing that came later.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tradewind.core import events
from tradewind.core.events import Event
from tradewind.core.types import TradSesStatus
from tradewind.risk.extremes import Extremes
from tradewind.risk.scope_limits import ScopeLimits

VALUE = 10**8
RATE = 10**9
MILLISECOND_NS = 1_000_000
REDUCING_REPLACES, RISK_CONTROLS = "reducing-replaces", "risk-controls"
REVISED_CONTROLS = "revised-controls"
UNDERSTOOD = frozenset({REDUCING_REPLACES, RISK_CONTROLS, REVISED_CONTROLS, "four-eyes"})
"""Changes of behaviour that the second look follows; under any other it decides nothing."""


class InForce:
    """Answers as of the newest output taken."""

    def __init__(self) -> None:
        self.limits: dict[tuple[str, str], events.LimitsSet] = {}
        self.scope_limits = ScopeLimits()
        self.account_limits: dict[str, events.AccountLimitsSet] = {}
        self.states: dict[str, str] = {}
        self.kills: dict[str, str] = {}
        self.references: dict[str, events.ReferencePriceSet] = {}
        self.extremes: dict[str, Extremes] = {}
        self.sessions: dict[str, TradSesStatus] = {}
        self.rates: dict[str, events.FxRateSet] = {}
        self.instruments: dict[str, events.InstrumentDefined] = {}
        self.switches: dict[str, str] = {}
        self._units: dict[str, tuple[int, int]] = {}

    def take(self, event: Event) -> None:
        """Follows an output; most are none of its business."""
        handler = HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def scopes(self, account: str, symbol: str, client: str, strategy: str) -> tuple[str, ...]:
        """The scopes that an order is in: those of its account's position, then of its part.

        In an instrument that there is not, nothing can be held.
        """
        instrument, own = self.instruments.get(symbol), f"account:{account}"
        if instrument is None:
            return "firm", own, f"client:{client}"
        venue = f"venue:{instrument.venue}"
        of_all = ("firm", own, f"symbol:{symbol}", venue, f"{own}/symbol:{symbol}")
        return (*of_all, f"strategy:{strategy}", f"client:{client}")

    def worth_e8(self, symbol: str, amount: int) -> int | None:
        """Ticks x lots of an instrument in 1e-8 of the base currency, rounded up."""
        unit = self._units.get(symbol)
        if unit is None:
            instrument = self.instruments.get(symbol)
            rate = None if instrument is None else self.rates.get(instrument.currency)
            if instrument is None or rate is None:
                return None
            lot = Fraction(instrument.tick_size) * Fraction(instrument.lot_size)
            whole = lot * VALUE * rate.rate_e9 / RATE
            unit = self._units[symbol] = (whole.numerator, whole.denominator)
        return -(-amount * unit[0] // unit[1])

    def price(self, symbol: str) -> int | None:
        """The reference price, if there is one."""
        reference = self.references.get(symbol)
        return None if reference is None else reference.price

    def unknown_switches(self) -> list[str]:
        """Changes of behaviour that are on, and that nobody has taught the second look."""
        return [flag for flag in self.switches if flag not in UNDERSTOOD]

    def _take_limits(self, event: events.LimitsSet) -> None:
        self.limits[event.account, event.symbol] = event

    def _take_account_limits(self, event: events.AccountLimitsSet) -> None:
        self.account_limits[event.account] = event

    def _take_scope_limits(self, event: events.ScopeLimitsSet) -> None:
        self.scope_limits.take(event)

    def _take_state(self, event: events.TradingStateSet) -> None:
        self.states[event.scope] = event.state.value

    def _take_kill(self, event: events.ScopeKilled) -> None:
        self.kills[event.scope] = event.kill_id

    def _take_clearing(self, event: events.KillCleared) -> None:
        self.kills.pop(event.scope, None)

    def _take_reference(self, event: events.ReferencePriceSet) -> None:
        self.references[event.symbol] = event
        if self.scope_limits.are_any and event.price > 0:
            self.extremes.setdefault(event.symbol, Extremes()).add(event.ts_ns, event.price)

    def _take_rate(self, event: events.FxRateSet) -> None:
        self.rates[event.currency] = event
        self._units.clear()

    def _take_instrument(self, event: events.InstrumentDefined) -> None:
        self.instruments[event.symbol] = event
        self._units.clear()

    def _drop_instrument(self, event: events.InstrumentRemoved) -> None:
        self.instruments.pop(event.symbol, None)
        self.references.pop(event.symbol, None)
        self.extremes.pop(event.symbol, None)
        self._units.clear()
        for key in [key for key in self.limits if key[1] == event.symbol]:
            del self.limits[key]

    def _take_session(self, event: events.TradingSessionSet) -> None:
        self.sessions[event.venue] = event.status

    def _take_switch(self, event: events.LogicSet) -> None:
        self.switches[event.flag] = event.actor


HANDLERS: dict[type[Any], Callable[[InForce, Any], None]] = {
    events.LimitsSet: InForce._take_limits,
    events.AccountLimitsSet: InForce._take_account_limits,
    events.ScopeLimitsSet: InForce._take_scope_limits,
    events.TradingStateSet: InForce._take_state,
    events.ScopeKilled: InForce._take_kill,
    events.KillCleared: InForce._take_clearing,
    events.ReferencePriceSet: InForce._take_reference,
    events.FxRateSet: InForce._take_rate,
    events.InstrumentDefined: InForce._take_instrument,
    events.InstrumentRemoved: InForce._drop_instrument,
    events.TradingSessionSet: InForce._take_session,
    events.LogicSet: InForce._take_switch,
}
