# SPDX-License-Identifier: Apache-2.0
"""Trades until asked to stop, through however many lives of the gateway."""

import asyncio
import logging
import time
from decimal import Decimal

from tradewind.cli.client import GatewayClient, GatewayError, GatewaySocket, Message
from tradewind.cli.demo_strategy.settings import DemoSettings
from tradewind.cli.demo_strategy.strategy import DemoStrategy
from tradewind.cli.demo_strategy.touch import Touch
from tradewind.common.lifecycle import Stop

RECONNECT_S = 0.25

log = logging.getLogger(__name__)


async def run(settings: DemoSettings, stop: Stop) -> None:
    """Trades until `stop`, through however many lives of the gateway."""
    touch = Touch(settings.feed_url, settings.symbol)
    following = asyncio.ensure_future(touch.follow())
    strategy: DemoStrategy | None = None
    try:
        while not stop.is_set():
            try:
                strategy = strategy or await _begin(settings)
                await _trade(settings, strategy, touch, stop)
            except GatewayError as error:
                log.info("%s: %s", error.code, error.text)
                await _pause(stop, RECONNECT_S)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _begin(settings: DemoSettings) -> DemoStrategy:
    async with GatewayClient(settings.gateway_url, settings.credentials) as client:
        found = [item for item in await client.instruments() if item["symbol"] == settings.symbol]
    if not found:
        raise GatewayError(f"instrument {settings.symbol} is not there yet", code="NOT_READY")
    tick_size = Decimal(found[0]["tick_size"])
    return DemoStrategy(settings.account, settings.symbol, tick_size, time.time_ns() // 1_000_000)


async def _trade(settings: DemoSettings, strategy: DemoStrategy, touch: Touch, stop: Stop) -> None:
    """One connection's life."""
    early: list[Message] = []
    listeners = [early.append]
    socket = await GatewaySocket.connect(
        settings.gateway_url, settings.credentials, lambda message: listeners[0](message)
    )
    try:
        async with GatewayClient(settings.gateway_url, settings.credentials) as client:
            orders = await client.orders(settings.account, is_open_only=True)
            strategy.resync(orders, await client.positions(settings.account))
        listeners[0] = strategy.take
        while socket.is_open and not stop.is_set():
            now_s = time.monotonic()
            for message in strategy.due(now_s):
                socket.send(message)
            if touch.is_fresh:
                socket.send(strategy.next(touch.bid, touch.ask, now_s))
            await _pause(stop, 1 / settings.orders_per_s)
        for message in strategy.cancels(time.monotonic()):
            socket.send(message)
        if socket.is_open and strategy.working:
            await asyncio.sleep(RECONNECT_S)
    finally:
        await socket.close()


async def _pause(stop: Stop, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
