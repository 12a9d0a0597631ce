# SPDX-License-Identifier: Apache-2.0
"""What the same bus does without us: scratch streams like the journals, led by the same nodes."""

from tradewind.cli.bench.target import Target
from tradewind.common import placement, streams, subjects
from tradewind.common.jetstream import Bus
from tradewind.common.permissions import raw_subject


def raw_stream(shard: int) -> str:
    """Name of a shard's scratch stream."""
    return f"RAW_{shard}"


async def prepare(target: Target) -> None:
    """Creates the scratch streams with the journals' settings, and places all leaders.

    Raises:
        BusError: if the bus refuses.
    """
    admin = await Bus.connect(target.bus("admin"), name="bench-admin")
    try:
        table = streams.STREAMS(target.shards)
        for shard in range(target.shards):
            journal = subjects.journal_stream(shard)
            config = {
                **table[journal],
                "name": raw_stream(shard),
                "subjects": [raw_subject(shard)],
            }
            await admin.api(f"STREAM.CREATE.{raw_stream(shard)}", config, timeout_s=10.0)
        leaders = await placement.place_leaders(admin, None, target.shards)
        for shard in range(target.shards):
            node = leaders[subjects.journal_stream(shard)]
            await placement.place_stream(admin, raw_stream(shard), node)
    finally:
        await admin.close()
