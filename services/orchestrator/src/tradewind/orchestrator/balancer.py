# SPDX-License-Identifier: Apache-2.0
"""Leaders of streams back to their places: the broker leaves them where a failover put them.

Two shards that are led by one node are lost together for some seconds when that node dies.
"""

import asyncio
import logging
from collections.abc import Callable

from tradewind.common import placement
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


async def keep_placed(
    bus: Bus, system: Bus | None, shards: int, may_lead: Callable[[str, str], bool]
) -> None:
    """Moves leaders, one by one, to nodes that were in sync at two looks; runs until cancelled.

    `may_lead` says of a stream and a node whether its copy is whole: in sync is no proof of that.

    The leader of JetStream itself goes last, and only with a connection of the system account: a
    journal that is lost together with it waits for two elections instead of one.
    """
    seen: dict[str, str] = {}
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            found = await placement.misplaced(bus, shards)
        except BusError:
            found = {}
        again = [
            stream
            for stream, node in found.items()
            if seen.get(stream) == node and may_lead(stream, node)
        ]
        seen = found
        for stream in again:
            log.warning("%s goes back to %s", stream, found[stream])
            await placement.move_leader(bus, stream, found[stream])
        if not found and system is not None:
            await _keep_meta_placed(bus, system, shards)


async def _keep_meta_placed(bus: Bus, system: Bus, shards: int) -> None:
    try:
        node = await placement.meta_misplaced(bus, system, shards)
    except BusError:
        return
    if node:
        log.warning("JetStream is led from %s again", node)
        await placement.move_meta(system, node)
