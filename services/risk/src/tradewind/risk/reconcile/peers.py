# SPDX-License-Identifier: Apache-2.0
"""Whether another process of risk has a drop copy, by its heartbeats."""

import asyncio
import time
from typing import Any, NoReturn

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import KeyValue

BEATS_WITHIN_MS = 3_000
RETRY_S = 0.5


class Peers:
    """What the others have said last."""

    def __init__(self, status: KeyValue, instance: str) -> None:
        """`instance` is this process, which is none of its peers."""
        self._status = status
        self._instance = instance
        self._seeing_ms: dict[str, int] = {}

    def see(self, now_ms: int) -> bool:
        """Whether one of them has a drop copy now. `now_ms` is monotonic."""
        return any(now_ms - ms <= BEATS_WITHIN_MS for ms in self._seeing_ms.values())

    async def follow(self) -> NoReturn:
        """Hears their heartbeats, for ever."""
        while True:
            try:
                async for entry in self._status.watch(subjects.status_key("risk", "*")):
                    self.hear(entry.value)
            except BusError:
                pass
            await asyncio.sleep(RETRY_S)

    def hear(self, beat: bytes) -> None:
        """One of them says how it is."""
        facts = msgspec.json.decode(beat, type=dict[str, Any])
        instance = facts["instance"]
        if instance == self._instance:
            return
        if facts.get("drop_copy") == "up":
            self._seeing_ms[instance] = time.monotonic_ns() // 1_000_000
        else:
            self._seeing_ms.pop(instance, None)
