# SPDX-License-Identifier: Apache-2.0
"""Whether a process is ready: asked from the outside."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, KeyValue
from tradewind.common.settings import BusSettings
from tradewind.common.status import BUCKET
from tradewind.orchestrator.plan import ProcessSpec, Ready
from tradewind.orchestrator.process import Process

HTTP_TIMEOUT_S = 1.0


class Readiness:
    """Checks; connects to the bus when the first heartbeat is asked for."""

    def __init__(self, bus_settings: BusSettings) -> None:
        self._bus_settings = bus_settings
        self._connecting = asyncio.Lock()
        self.bus: Bus | None = None

    async def holds(self, spec: ProcessSpec, process: Process) -> bool:
        """Whether the process is ready now."""
        match spec.ready:
            case Ready.ALIVE:
                return process.is_alive
            case Ready.EXIT:
                return not process.is_alive and await process.ended() == 0
            case Ready.HTTP:
                return await http_ok(spec.ready_url)
            case Ready.STATUS:
                return await self._beats(spec, process)

    async def close(self) -> None:
        """Leaves the bus."""
        if self.bus is not None:
            await self.bus.close()

    async def _beats(self, spec: ProcessSpec, process: Process) -> bool:
        try:
            async with self._connecting:
                if self.bus is None:
                    self.bus = await Bus.connect(self._bus_settings, name="orchestrator")
            entry = await KeyValue(self.bus, BUCKET).get(spec.ready_key)
        except BusError:
            return False
        if entry is None:
            return False
        beat: dict[str, Any] = msgspec.json.decode(entry.value)
        role_fits = not spec.ready_roles or beat.get("role") in spec.ready_roles
        return beat.get("pid") == process.identity.pid and role_fits


async def http_ok(url: str) -> bool:
    """Whether a GET is answered with 200 now."""
    answer = await http_get(url)
    return answer is not None and answer[0] == 200


async def http_get(url: str) -> tuple[int, bytes] | None:
    """Status and body of the answer to a GET; None if there is none."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    request = f"GET {target} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
    try:
        async with asyncio.timeout(HTTP_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                writer.write(request.encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    status = head.split(maxsplit=2)[1:2]
    return (int(status[0]), body) if status else None
