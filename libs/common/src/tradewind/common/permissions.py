# SPDX-License-Identifier: Apache-2.0
"""Who may say and hear what on the bus: one user per service, least privilege.

Everything is derived from the subject builders. `admin` is for the init job and for breaking the
glass; nobody else may create, change, purge or delete a stream.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tradewind.common import subjects

SYSTEM_USER = "sys"
"""The one user of the system account: moves the meta leader, reads servers' events."""

NAMES = (
    "admin",
    "gateway",
    "oms",
    "risk",
    "marketdata",
    "venue",
    "archiver",
    "orchestrator",
    "console",
    "auditor",
    "bench",
)
"""Users of the application account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What one user may publish on and subscribe to; replies to requests are always allowed."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def inbox_prefix(user: str) -> str:
    """Where a user receives replies. Its own, so that nobody can listen in."""
    return f"_IB.{user}"


def raw_subject(shard: int) -> str:
    """Subject of the benchmark's scratch stream."""
    return f"raw.{shard}"


def users(shards: int) -> dict[str, Permission]:
    """The permissions of every user of the application account, by name."""
    every = range(shards)
    journal = [subjects.journal_stream(shard) for shard in every]
    events = [subjects.events_stream(shard) for shard in every]
    journal_live = [subjects.live(subjects.journal_all(shard)) for shard in every]
    events_live = [subjects.live(subjects.events_all(shard)) for shard in every]
    commands = [subjects.journal_client(shard, "*") for shard in every]
    states = _control(every, "SetTradingState")
    questions = [subjects.query_oms("*", "*"), subjects.query_risk("*")]
    digests = [subjects.digest("*")]
    market_data = [subjects.market_data("*", "*", "*")]
    config, status = _bucket_read("CONFIG"), _bucket_read("STATUS")
    config_live, status_live = [_bucket_live("CONFIG")], [_bucket_live("STATUS")]
    read_events, read_all = _read(events), _read(journal + events)
    table = {
        "gateway": (
            [*commands, *states, *questions, *read_events, *config, *status],
            [*events_live, *config_live, *status_live],
        ),
        "oms": (
            [
                *(subjects.events_all(shard) for shard in every),
                *_control(every, "AdvanceTime"),
                *digests,
                *read_all,
                *_floor(events, "oms"),
            ],
            [*journal_live, *events_live, subjects.query_oms("*", "*"), *digests],
        ),
        "risk": (
            [
                *_control(every, "SetReferencePrice"),
                *_control(every, "SetLimits"),
                *states,
                *questions,
                *read_events,
                *_floor(events, "risk"),
                *config,
                *status,
            ],
            [*events_live, *market_data, subjects.query_risk("*"), *config_live, *status_live],
        ),
        "marketdata": ([*market_data, *config], [*config_live, *market_data]),
        "venue": (
            [
                *(subjects.journal_venue(shard, "*") for shard in every),
                *read_events,
                *_floor(events, "venue"),
                *config,
            ],
            [*events_live, *config_live],
        ),
        "archiver": (
            [*read_all, *_floor(journal + events, "archiver"), *config],
            [*journal_live, *events_live, *config_live],
        ),
        "orchestrator": ([*questions, *config, *status], [*config_live, *status_live, *digests]),
        "console": (
            [*questions, *read_events, *config, *status],
            [*events_live, *config_live, *status_live, *market_data, *digests],
        ),
        "auditor": (
            [*questions, *read_all, *config, *status],
            [*journal_live, *events_live, *config_live, *status_live, *market_data, *digests],
        ),
        "bench": (
            [
                *commands,
                *(raw_subject(shard) for shard in every),
                *questions,
                *read_events,
                *status,
            ],
            [*events_live, *status_live],
        ),
    }
    return {"admin": Permission(publish=(">",), subscribe=(">",))} | {
        name: _service(name, publish, subscribe) for name, (publish, subscribe) in table.items()
    }


def _service(name: str, publish: Iterable[str], subscribe: Iterable[str]) -> Permission:
    facts = (
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.CONSUMER.INFO.*.*",
        f"$KV.STATUS.{subjects.status_key(name, '*')}",
    )
    return Permission(publish=(*publish, *facts), subscribe=(f"{inbox_prefix(name)}.>", *subscribe))


def _control(shards: Iterable[int], name: str) -> list[str]:
    return [subjects.journal_control(shard, name) for shard in shards]


def _read(streams: Iterable[str]) -> list[str]:
    return [
        api
        for stream in streams
        for api in (f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.STREAM.MSG.GET.{stream}")
    ]


def _floor(streams: Iterable[str], durable: str) -> list[str]:
    return [f"$JS.API.CONSUMER.RESET.{stream}.{durable}" for stream in streams]


def _bucket_read(bucket: str) -> list[str]:
    return [f"$JS.API.DIRECT.GET.KV_{bucket}", f"$JS.API.DIRECT.GET.KV_{bucket}.>"]


def _bucket_live(bucket: str) -> str:
    return subjects.live(f"$KV.{bucket}.>")
