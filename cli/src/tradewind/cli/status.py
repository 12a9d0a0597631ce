# SPDX-License-Identifier: Apache-2.0
"""What a running suite says of itself: processes, heartbeats, stream leaders."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table

from tradewind.cli.suite.facts import Facts
from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, KeyValue
from tradewind.common.status import BUCKET

NS_PER_MS = 1_000_000


async def read_status(facts: Facts, table: Mapping[str, Any], bus: Bus) -> dict[str, Any]:
    """Everything that `tradewind status --json` prints; `table` says who runs."""
    beats = await heartbeats(bus)
    return {
        "is_up": bool(table.get("is_up")),
        "console_url": facts.console_url,
        "gateway_url": facts.gateway_url,
        "processes": table.get("processes", []),
        "heartbeats": beats,
        "shards": [_shard(shard, beats) for shard in range(facts.shards)],
        "streams": await stream_leaders(bus, facts.shards),
    }


async def heartbeats(bus: Bus) -> list[dict[str, Any]]:
    """Every heartbeat, with its age by the broker's stamp."""
    now_ns = time.time_ns()
    beats = []
    for entry in await KeyValue(bus, BUCKET).entries():
        beat = msgspec.json.decode(entry.value, type=dict[str, Any])
        beat["age_ms"] = max(0, (now_ns - entry.ts_ns) // NS_PER_MS)
        beat.pop("processes", None)
        beats.append(beat)
    return sorted(beats, key=lambda beat: (beat["service"], beat["instance"]))


async def stream_leaders(bus: Bus, shards: int) -> list[dict[str, Any]]:
    """Which node leads each journal and events stream, and how far it is."""
    found = []
    for shard in range(shards):
        for stream in (subjects.journal_stream(shard), subjects.events_stream(shard)):
            try:
                info = await bus.api(f"STREAM.INFO.{stream}", None)
            except BusError as error:
                found.append({"stream": stream, "leader": None, "text": error.text})
                continue
            found.append(
                {
                    "stream": stream,
                    "leader": info.get("cluster", {}).get("leader"),
                    "messages": info["state"]["messages"],
                    "last_seq": info["state"]["last_seq"],
                }
            )
    return found


def render(status: dict[str, Any]) -> RenderableType:
    """The status for people."""
    processes = Table(title="processes", title_justify="left", box=None, pad_edge=False)
    for column in ("process", "phase", "pid", "restarts", "role", "beat"):
        processes.add_column(column, justify="right" if column in ("pid", "restarts") else "left")
    beats = {beat["instance"]: beat for beat in status["heartbeats"]}
    for row in status["processes"]:
        beat = beats.get(row["name"], {})
        processes.add_row(
            row["name"],
            row["phase"],
            str(row["pid"] or ""),
            str(row["restarts"] or ""),
            str(beat.get("role", "")),
            f"{beat['age_ms']} ms ago" if beat else "",
        )
    streams = Table(title="\nstreams", title_justify="left", box=None, pad_edge=False)
    for column in ("stream", "leader", "last sequence"):
        streams.add_column(column)
    for row in status["streams"]:
        streams.add_row(row["stream"], str(row["leader"]), str(row.get("last_seq", "")))
    shards = Table(title="\nshards", title_justify="left", box=None, pad_edge=False)
    for column in ("shard", "leader", "entries", "outputs", "live orders", "builds"):
        shards.add_column(column)
    for row in status["shards"]:
        numbers = (str(row[key]) for key in ("shard", "leader", "seq", "ordinal", "live"))
        shards.add_row(*numbers, " ".join(row["builds"]))
    return Group(processes, streams, shards)


def _shard(shard: int, beats: list[dict[str, Any]]) -> dict[str, Any]:
    replicas = [b for b in beats if b["service"] == "oms" and b.get("shard") == shard]
    leader = next((b for b in replicas if b["role"] == "leader"), None)
    first = leader or (replicas[0] if replicas else {})
    return {
        "shard": shard,
        "leader": leader["instance"] if leader else None,
        "replicas": [b["instance"] for b in replicas],
        "builds": sorted({b["build"] for b in replicas if "build" in b}),
        "seq": first.get("seq", 0),
        "ordinal": first.get("ordinal", 0),
        "live": first.get("live_orders", 0),
        "takeovers": sum(b.get("takeovers", 0) for b in replicas),
    }
