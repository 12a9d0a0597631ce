# SPDX-License-Identifier: Apache-2.0
"""What a new installation starts with: one instrument, the demo's and the benchmark's accounts."""

from tradewind.core.commands import DefineInstrument, SetLimits

INSTRUMENTS = (
    DefineInstrument(
        symbol="BTC-USD", venue="SIM", tick_size="0.01", lot_size="0.00000001", currency="USD"
    ),
)

BENCH_ACCOUNTS = tuple(f"BENCH{number}" for number in range(8))
ACCOUNTS = ("DEMO", "ALPHA", "BETA", *BENCH_ACCOUNTS)

COIN = 100_000_000
"""Lots in one coin."""
DOLLAR = 100
"""Ticks in one dollar."""


def limits_of(account: str, symbol: str) -> SetLimits:
    """The limits an account starts with. The benchmark's must never be what is measured."""
    is_bench = account in BENCH_ACCOUNTS
    return SetLimits(
        account=account,
        symbol=symbol,
        max_order_qty=10 * COIN,
        max_notional=1_000_000 * DOLLAR * COIN,
        max_position=(10_000_000 if is_bench else 100) * COIN,
        collar_bps=9_000 if is_bench else 500,
        max_reference_age_ms=3_600_000 if is_bench else 10_000,
        version=1,
    )
