# SPDX-License-Identifier: Apache-2.0
"""Recovery that clients' orders do not show: asked for by the nemesis itself, from outside."""

import asyncio
import time

import aiohttp

from tradewind.cli.chaos import warehouse
from tradewind.cli.chaos.nemesis import Fault
from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.cli.suite.facts import Facts

DEADLINE_S = 60.0
LOOK_AGAIN_S = 0.02
SPARE_ACCOUNT = "BETA"


async def until_archived(facts: Facts, fault: Fault) -> int | None:
    """The first row of an order that the venue took after the fault; nanoseconds since it."""
    sql = (
        "SELECT count() FROM order_reports WHERE exec_type = 'PENDING_NEW' AND "
        f"transact_time_ns > {time.time_ns() - (time.monotonic_ns() - fault.t_ns)} "
        "SETTINGS max_threads = 1"  # the question must not take the machine from what is measured
    )
    async with warehouse.connect(facts) as session:
        while time.monotonic_ns() - fault.t_ns < DEADLINE_S * 1e9:
            try:
                if int((await warehouse.select(session, sql))[0][0]):
                    return time.monotonic_ns() - fault.t_ns
            except (aiohttp.ClientError, TimeoutError, OSError, LookupError, ValueError):
                pass  # it is down: that is what is being measured
            await asyncio.sleep(LOOK_AGAIN_S)
    return None


async def until_killed(facts: Facts, fault: Fault) -> int | None:
    """A halt of a spare account is taken and taken back; nanoseconds to the first."""
    scope = f"account:{SPARE_ACCOUNT}"
    async with GatewayClient(facts.gateway_url, facts.credentials(), timeout_s=1.0) as gateway:
        while time.monotonic_ns() - fault.t_ns < DEADLINE_S * 1e9:
            try:
                await gateway.set_trading_state(scope, "HALTED", "chaos")
                taken_ns = time.monotonic_ns() - fault.t_ns
                await gateway.set_trading_state(scope, "ACTIVE", "chaos")
                return taken_ns
            except GatewayError:
                await asyncio.sleep(LOOK_AGAIN_S)
    return None
