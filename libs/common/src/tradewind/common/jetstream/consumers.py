# SPDX-License-Identifier: Apache-2.0
"""Durable consumers that only show how far a reader is."""

from tradewind.common.jetstream.bus import Bus


async def set_consumer_floor(bus: Bus, stream: str, durable: str, seq: int) -> None:
    """Moves a durable consumer so that `seq` counts as handled and `seq` + 1 is what it lacks.

    The reader keeps its own position; this one is for operators, who read the lag from it.

    Raises:
        BusError: if it could not be moved; nothing depends on it, try again later.
    """
    await bus.api(f"CONSUMER.RESET.{stream}.{durable}", {"seq": seq + 1})
