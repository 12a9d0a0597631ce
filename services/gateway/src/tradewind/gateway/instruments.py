# SPDX-License-Identifier: Apache-2.0
"""Instruments as the gateway knows them: the grid that turns decimals into integers and back."""

from decimal import Decimal

import msgspec

from tradewind.common.grid import Grid

MAX_REMEMBERED = 200_000


class Instrument(msgspec.Struct, frozen=True):
    """One value under `instrument.<symbol>` in the CONFIG bucket."""

    symbol: str
    venue: str
    tick_size: str
    lot_size: str
    currency: str


class Instruments:
    """All instruments, and which instrument an order that passed through here is in.

    A replace names an order, not an instrument, but its numbers need a grid. The symbol is never
    taken from the client: a wrong one would turn a price into another price.
    """

    def __init__(self) -> None:
        self._instruments: dict[str, Instrument] = {}
        self._grids: dict[str, Grid] = {}
        self._symbols: dict[tuple[str, str], str] = {}

    def define(self, instrument: Instrument) -> None:
        """Adds or changes an instrument."""
        self._instruments[instrument.symbol] = instrument
        self._grids[instrument.symbol] = Grid(
            Decimal(instrument.tick_size), Decimal(instrument.lot_size)
        )

    def remove(self, symbol: str) -> None:
        """Forgets an instrument."""
        self._instruments.pop(symbol, None)
        self._grids.pop(symbol, None)

    def all(self) -> list[Instrument]:
        """All instruments by symbol."""
        return [self._instruments[symbol] for symbol in sorted(self._instruments)]

    def get(self, symbol: str) -> Instrument | None:
        """The instrument of a symbol, if it is known."""
        return self._instruments.get(symbol)

    def grid(self, symbol: str) -> Grid | None:
        """The grid of a symbol, if it is known."""
        return self._grids.get(symbol)

    def remember(self, account: str, cl_ord_id: str, symbol: str) -> None:
        """Notes which instrument an order is in; the oldest notes go first."""
        if len(self._grids) <= 1:
            return
        if len(self._symbols) >= MAX_REMEMBERED:
            self._symbols.pop(next(iter(self._symbols)))
        self._symbols[account, cl_ord_id] = symbol

    def grid_of_order(self, account: str, cl_ord_id: str) -> Grid | None:
        """The grid of an order that was seen here; with one instrument it is that one's."""
        if len(self._grids) == 1:
            return next(iter(self._grids.values()))
        return self._grids.get(self._symbols.get((account, cl_ord_id), ""))
