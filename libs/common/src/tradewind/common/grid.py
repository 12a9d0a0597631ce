# SPDX-License-Identifier: Apache-2.0
"""Exact decimals at the edge, integers on the instrument's grid inside; never a float."""

import re
from decimal import Context, Decimal

_EXACT = Context(prec=100)
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
MAX_INTEGER = 2**62
"""Prices and quantities stay below this, so that a signed 64-bit column holds them."""


class GridError(ValueError):
    """A number that cannot be on the grid. `code` is stable."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Grid:
    """Tick and lot size of one instrument."""

    def __init__(self, tick_size: Decimal, lot_size: Decimal) -> None:
        self.tick_size = tick_size
        self.lot_size = lot_size

    def price_to_ticks(self, text: str) -> int:
        """Ticks of a positive price.

        Raises:
            GridError: BAD_NUMBER, NOT_POSITIVE, OFF_GRID or TOO_LARGE.
        """
        return _on_grid(text, self.tick_size, "price")

    def qty_to_lots(self, text: str) -> int:
        """Lots of a positive quantity.

        Raises:
            GridError: BAD_NUMBER, NOT_POSITIVE, OFF_GRID or TOO_LARGE.
        """
        return _on_grid(text, self.lot_size, "quantity")

    def notional_to_units(self, text: str) -> int:
        """Ticks x lots of a positive amount of money.

        Raises:
            GridError: BAD_NUMBER, NOT_POSITIVE, OFF_GRID or TOO_LARGE.
        """
        return _on_grid(text, _EXACT.multiply(self.tick_size, self.lot_size), "amount")

    def ticks_to_text(self, ticks: int) -> str:
        """The exact decimal of a price in ticks."""
        return _plain(_EXACT.multiply(Decimal(ticks), self.tick_size))

    def lots_to_text(self, lots: int) -> str:
        """The exact decimal of a quantity in lots."""
        return _plain(_EXACT.multiply(Decimal(lots), self.lot_size))

    def notional_to_text(self, notional: int) -> str:
        """The exact decimal of an amount in ticks x lots."""
        unit = _EXACT.multiply(self.tick_size, self.lot_size)
        return _plain(_EXACT.multiply(Decimal(notional), unit))


def _on_grid(text: str, step: Decimal, what: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise GridError("BAD_NUMBER", f"{what} {text[:40]!r} is not a plain decimal number")
    value = Decimal(text)
    if value <= 0:
        raise GridError("NOT_POSITIVE", f"{what} {text} is not above zero")
    count, remainder = _EXACT.divmod(value, step)
    if remainder:
        raise GridError("OFF_GRID", f"{what} {text} is not a multiple of {_plain(step)}")
    if count >= MAX_INTEGER:
        raise GridError("TOO_LARGE", f"{what} {text} is too large")
    return int(count)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
