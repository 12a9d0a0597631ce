# SPDX-License-Identifier: Apache-2.0
"""The thin layer over nats-py: what services use, and all of it.

Stream and consumer administration is raw JSON: nats-py drops settings that it does not know.
"""

from tradewind.common.jetstream.bus import Bus, Subscription
from tradewind.common.jetstream.consumers import set_consumer_floor
from tradewind.common.jetstream.direct import (
    read_at_leader,
    read_last,
    read_subject,
    stream_tail,
)
from tradewind.common.jetstream.kv import KeyValue, KvEntry
from tradewind.common.jetstream.messages import Message, PubAck, Record
from tradewind.common.jetstream.objects import ObjectInfo, ObjectStore
from tradewind.common.jetstream.pull import Delivery, PullLoop
from tradewind.common.jetstream.reader import StreamReader

__all__ = [
    "Bus",
    "Delivery",
    "KeyValue",
    "KvEntry",
    "Message",
    "ObjectInfo",
    "ObjectStore",
    "PubAck",
    "PullLoop",
    "Record",
    "StreamReader",
    "Subscription",
    "read_at_leader",
    "read_last",
    "read_subject",
    "set_consumer_floor",
    "stream_tail",
]
