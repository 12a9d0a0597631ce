# SPDX-License-Identifier: Apache-2.0
"""Journaled time: an idle shard moves, so that its replicas can be seen to live.

The entry is appended only if nothing else came in between: anything that did has carried the
time already. The working replica goes first; the others only if it does not.
"""

import asyncio

from tradewind.common import codec, subjects
from tradewind.common.errors import Refused, Unknown
from tradewind.common.jetstream import Bus
from tradewind.core.commands import AdvanceTime
from tradewind.oms.appender import Appender
from tradewind.oms.replica import Replica

STANDBY_FACTOR = 0.3


async def keep_time(
    bus: Bus, replica: Replica, appender: Appender, *, instance: str, rank: int, interval_ms: int
) -> None:
    """Journals time whenever the shard has been idle for the interval; runs until cancelled."""
    command = AdvanceTime(source=instance)
    body = codec.encode(command)
    subject = subjects.journal_subject(replica.shard, command)
    while True:
        seen = replica.seq
        extra = 0 if appender.is_leading else STANDBY_FACTOR * (1 + rank)
        await asyncio.sleep(interval_ms / 1000 * (1 + extra))
        if replica.seq != seen or replica.seq == 0 or replica.is_shadow:
            continue
        try:
            await bus.publish(subject, body, expected_last_seq=seen)
        except (Refused, Unknown):
            continue
