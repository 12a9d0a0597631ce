# SPDX-License-Identifier: Apache-2.0
"""Heartbeats: what each process says of itself, in the STATUS bucket, from its own main loop."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, KeyValue
from tradewind.common.lifecycle import Stop
from tradewind.common.settings import ServiceSettings

BUCKET = "STATUS"


class Heartbeat:
    """Writes one process's heartbeat."""

    def __init__(self, bus: Bus, settings: ServiceSettings, service: str) -> None:
        self._values = KeyValue(bus, BUCKET)
        self._settings = settings
        self._service = service
        self._count = 0

    async def beat(self, **facts: Any) -> None:
        """Writes the heartbeat once. A bus that cannot take it now will get the next one."""
        self._count += 1
        body = {
            "service": self._service,
            "instance": self._settings.instance,
            "pid": os.getpid(),
            "beat": self._count,
            "ts_ns": time.time_ns(),
            **facts,
        }
        key = subjects.status_key(self._service, self._settings.instance)
        try:
            await self._values.put(key, msgspec.json.encode(body))
        except BusError:
            return
        if self._settings.beat_file is not None:
            self._settings.beat_file.touch()

    async def run(self, stop: Stop, facts: Callable[[], dict[str, Any]]) -> None:
        """Beats until `stop`."""
        while not stop.is_set():
            await self.beat(**facts())
            try:
                async with asyncio.timeout(self._settings.status_interval_ms / 1000):
                    await stop.wait()
            except TimeoutError:
                continue
