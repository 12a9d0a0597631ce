# SPDX-License-Identifier: Apache-2.0
"""The one table of streams, durable consumers and buckets.

The init job creates what is here; services only verify that it is so.
"""

import asyncio
from typing import Any

from tradewind.common import subjects
from tradewind.common.errors import Refused, SettingsError
from tradewind.common.jetstream.bus import Bus

GIB = 1024**3
REPLICAS = 3
STREAM_NOT_FOUND = 10059
CONSUMER_NOT_FOUND = 10014
NO_SUITABLE_PEERS = 10005
LOOK_AGAIN_S = 0.1
READY_TIMEOUT_S = 15.0
MESSAGE_BYTES_MAX = 64 * 1024
PAGES_MAX = 1_000
ALERTS_KEPT_NS = 90 * 86_400 * 1_000_000_000
"""Since they were last said, and no longer than there is room: the next alert is always raised.

What happened is in the outputs for good."""

Config = dict[str, Any]


ACK_WAIT_NS = 5_000_000_000
"""So long after it was delivered, what nobody acknowledged is delivered again."""
UNTOLD_MAX = 1_000
"""As many alerts as wait to be delivered again; new ones wait behind them."""


def STREAMS(shards: int) -> dict[str, Config]:
    """Every stream, by name, buckets included."""
    table: dict[str, Config] = {}
    for shard in range(shards):
        table[subjects.journal_stream(shard)] = _log(subjects.journal_all(shard))
        table[subjects.events_stream(shard)] = _log(subjects.events_all(shard))
    table["MARKETDATA"] = {
        "subjects": [subjects.market_data("*", "*", "*")],
        "storage": "memory",
        "num_replicas": 1,
        "discard": "old",
        "max_age": 600 * 1_000_000_000,
        "max_bytes": GIB // 8,
        "allow_direct": True,
    }
    table[subjects.FIX_STREAM] = _pages(subjects.FIX_SESSIONS)
    table["AUDIT"] = _log("audit.>") | {"deny_purge": True}
    for bucket, storage in BUCKETS.items():
        table[f"KV_{bucket}"] = _bucket(bucket, storage)
    table["KV_ALERTS"] = _bucket("ALERTS", "file") | {"max_age": ALERTS_KEPT_NS, "discard": "old"}
    for store in ("SNAPSHOTS", "INCIDENTS"):
        table[f"OBJ_{store}"] = _object_store(store)
    return {name: {"name": name, "retention": "limits", **config} for name, config in table.items()}


BUCKETS = {
    "CONFIG": "file",
    "SESSIONS": "file",
    "FIX": "file",
    "STATUS": "memory",
    "LEASES": "memory",
}
"""Key-value buckets and where they are kept: in memory what only running processes say."""


def CONSUMERS(shards: int) -> dict[tuple[str, str], Config]:
    """Durable consumers by (stream, name): each shows how far a reader is.

    One delivers too: who tells people of alerts keeps no position of its own.
    """
    table: dict[tuple[str, str], Config] = {}
    for shard in range(shards):
        journal, events = subjects.journal_stream(shard), subjects.events_stream(shard)
        for durable in ("oms", "venue", "risk", "archiver"):
            table[events, durable] = _consumer(durable)
        table[journal, "archiver"] = _consumer("archiver")
    table[subjects.ALERTS_STREAM, subjects.ALERTS_READER] = _deliveries(
        subjects.ALERTS_READER, subjects.ALERTS
    )
    return table


async def create_all(bus: Bus, shards: int) -> None:
    """Creates what is missing and updates what differs. Repeating it changes nothing.

    Raises:
        BusError: if the bus refuses.
    """
    for name, config in STREAMS(shards).items():
        found = await _stream_config(bus, name)
        if found is None:
            await _create(bus, f"STREAM.CREATE.{name}", config)
        elif _differences(config, found):
            await bus.api(f"STREAM.UPDATE.{name}", found | config, timeout_s=READY_TIMEOUT_S)
    for (stream, durable), config in CONSUMERS(shards).items():
        if await _consumer_config(bus, stream, durable) is None:
            await _create(
                bus,
                f"CONSUMER.CREATE.{stream}.{durable}",
                {"stream_name": stream, "action": "create", "config": config},
            )


async def verify(bus: Bus, shards: int) -> None:
    """Compares the streams on the bus with the table.

    Raises:
        SettingsError: if one is missing or set differently.
    """
    table = STREAMS(shards)
    found = await asyncio.gather(*(_stream_config(bus, name) for name in table))
    for (name, config), actual in zip(table.items(), found, strict=True):
        if actual is None:
            raise SettingsError(
                f"stream {name} does not exist: run `python -m tradewind.common.init_job`",
                code="STREAM_MISSING",
            )
        wrong = _differences(config, actual)
        if wrong:
            raise SettingsError(
                f"stream {name} is set differently ({', '.join(wrong)}): run "
                "`python -m tradewind.common.init_job` of this release",
                code="STREAM_DIFFERS",
            )


async def require_consumer(bus: Bus, stream: str, durable: str) -> None:
    """For who has messages delivered.

    Raises:
        SettingsError: if there is no such consumer.
    """
    if await _consumer_config(bus, stream, durable) is None:
        raise SettingsError(
            f"{stream} has no consumer {durable}: run `python -m tradewind.common.init_job`",
            code="CONSUMER_MISSING",
        )


def _log(subject: str) -> Config:
    """An append-only stream whose acks mean a quorum's disks. Full means refused, never dropped."""
    return {
        "subjects": [subject],
        "storage": "file",
        "num_replicas": REPLICAS,
        "discard": "new",
        "max_bytes": 16 * GIB,
        "max_age": 0,
        "max_msg_size": MESSAGE_BYTES_MAX,
        "duplicate_window": 100_000_000,
        "deny_delete": True,
        "allow_direct": True,
        "allow_atomic": True,
        "republish": {"src": ">", "dest": subjects.live(">")},
    }


def _pages(subject: str) -> Config:
    """The last pages of each subject: the oldest go, and a full stream takes none."""
    return {
        "subjects": [subject],
        "storage": "file",
        "num_replicas": REPLICAS,
        "discard": "new",
        "max_bytes": 4 * GIB,
        "max_msgs_per_subject": PAGES_MAX,
        "max_msg_size": 4 * MESSAGE_BYTES_MAX,
        "duplicate_window": 100_000_000,
        "deny_delete": True,
        "allow_direct": True,
    }


def _bucket(bucket: str, storage: str) -> Config:
    return {
        "subjects": [f"$KV.{bucket}.>"],
        "storage": storage,
        "num_replicas": REPLICAS,
        "discard": "new",
        "max_bytes": GIB // 16,
        "max_msgs_per_subject": 1,
        "duplicate_window": 100_000_000,
        "deny_delete": True,
        "allow_rollup_hdrs": True,
        "allow_direct": True,
        "republish": {"src": ">", "dest": subjects.live(">")},
    }


def _object_store(store: str) -> Config:
    return {
        "subjects": [f"$O.{store}.C.>", f"$O.{store}.M.>"],
        "storage": "file",
        "num_replicas": REPLICAS,
        "discard": "new",
        "max_bytes": 16 * GIB,
        "allow_rollup_hdrs": True,
        "allow_direct": True,
    }


def _consumer(durable: str) -> Config:
    return {
        "durable_name": durable,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "num_replicas": 1,
        "mem_storage": True,
    }


def _deliveries(durable: str, subject: str) -> Config:
    """What is delivered until it is acknowledged; where it stands is on a quorum's disks."""
    return {
        "durable_name": durable,
        "filter_subject": subject,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": ACK_WAIT_NS,
        "max_deliver": -1,
        "max_ack_pending": UNTOLD_MAX,
    }


def _differences(wanted: Config, actual: Config) -> list[str]:
    """What is set differently, as text. The server leaves out what is false, 0 or its default."""
    wrong = []
    for key, value in wanted.items():
        found = actual.get(key)
        if not value and not found:
            continue
        if isinstance(value, dict) and isinstance(found, dict):
            wrong += _differences(value, found)
        elif found != value:
            wrong.append(f"{key} is {found!r}, not {value!r}")
    return wrong


async def _create(bus: Bus, api: str, request: Config) -> None:
    """Creates; waits for nodes that were started but are not yet seen by the meta leader."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + READY_TIMEOUT_S
    while True:
        try:
            await bus.api(api, request, timeout_s=READY_TIMEOUT_S)
        except Refused as error:
            if error.err_code != NO_SUITABLE_PEERS or loop.time() > deadline_s:
                raise
            await asyncio.sleep(LOOK_AGAIN_S)
        else:
            return


async def _stream_config(bus: Bus, name: str) -> Config | None:
    try:
        answer = await bus.api(f"STREAM.INFO.{name}", timeout_s=READY_TIMEOUT_S)
    except Refused as error:
        if error.err_code == STREAM_NOT_FOUND:
            return None
        raise
    config: Config = answer["config"]
    return config


async def _consumer_config(bus: Bus, stream: str, durable: str) -> Config | None:
    try:
        answer = await bus.api(f"CONSUMER.INFO.{stream}.{durable}", timeout_s=READY_TIMEOUT_S)
    except Refused as error:
        if error.err_code == CONSUMER_NOT_FOUND:
            return None
        raise
    config: Config = answer["config"]
    return config
