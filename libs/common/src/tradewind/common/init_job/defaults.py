# SPDX-License-Identifier: Apache-2.0
"""What a new installation starts with: one instrument, the demo's and the benchmark's accounts."""

from tradewind.core.commands import Command, DefineInstrument, SetFxRate, SetLimits, SetLogic
from tradewind.core.commands import SetScopeLimits as Bounds
from tradewind.core.logic import REVISED_CONTROLS, RISK_CONTROLS

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

MILLION = 1_000_000 * 10**8
"""A million in the base currency, in 1e-8 of it."""
INSTALLER = "installation"


def controls() -> list[Command]:
    """What bounds every scope from the first order on, and the flag that makes it all required.

    The firm's bounds are wide: what is measured must not be a limit. An installation sets its own.
    """
    return [
        SetFxRate(currency="USD", rate_e9=10**9),
        FIRM,
        DEMO,
        *(Bounds(scope=f"{kind}:*", version=1, actor=INSTALLER) for kind in ("account", "client")),
        Bounds(
            scope="strategy:*",
            version=1,
            actor=INSTALLER,
            max_repeats=1_000,
            repeat_window_ms=10_000,
        ),
        SetLogic(flag=RISK_CONTROLS, actor=INSTALLER),
        SetLogic(flag=REVISED_CONTROLS, actor=INSTALLER),
    ]


FIRM = Bounds(
    scope="firm",
    version=1,
    actor=INSTALLER,
    max_order_value_e8=10 * MILLION,
    max_move_bps=10_000,
    max_jump_bps=5_000,
    max_duplicates=2_000,
    duplicate_window_ms=20,
    max_messages=2_000,
    message_window_ms=20,
    max_open_orders=2**53,
    max_open_value_e8=10**12 * MILLION,
    max_gross_e8=10**12 * MILLION,
    max_net_e8=10**12 * MILLION,
    max_children=10_000,
    max_turnover_e8=10**12 * MILLION,
    max_orders_per_trade=10**12,
    allows_self_match=1,
    allows_gtc=1,
)
DEMO = Bounds(
    scope="account:DEMO",
    version=1,
    actor=INSTALLER,
    max_order_value_e8=MILLION,
    max_move_bps=1_000,
    max_jump_bps=500,
    max_duplicates=20,
    max_messages=100,
    flood_messages=1_000,
    max_open_orders=200,
    max_open_value_e8=20 * MILLION,
    max_gross_e8=20 * MILLION,
    max_net_e8=20 * MILLION,
    max_children=1_000,
    max_turnover_e8=10_000 * MILLION,
    max_orders_per_trade=1_000,
    max_loss_e8=5 * MILLION,
    max_drawdown_e8=5 * MILLION,
    max_losses=1_000,
)


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
