# SPDX-License-Identifier: Apache-2.0
"""Who may say and hear what on the bus: one user per service, least privilege.

Everything is derived from the subject builders. `admin` is for the init job and for breaking the
glass; nobody else may create, change, purge or delete a stream.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tradewind.common import subjects
from tradewind.common.settings import BusSettings, secret

SYSTEM_USER = "sys"
"""The one user of the system account: moves the meta leader, reads servers' events."""
SYSTEM_PASSWORD_FILE = "TRADEWIND_NATS_SYSTEM_PASSWORD_FILE"

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
    "notifier",
    "auditor",
    "telemetry",
    "bench",
)
"""Users of the application account."""


def system_from_env(env: Mapping[str, str]) -> BusSettings | None:
    """How to reach the bus as the system account's user; None without SYSTEM_PASSWORD_FILE.

    Raises:
        SettingsError: if the file cannot be read.
    """
    if not env.get(SYSTEM_PASSWORD_FILE):
        return None
    bus = BusSettings.from_env(env)
    return BusSettings(urls=bus.urls, user=SYSTEM_USER, password=secret(env, SYSTEM_PASSWORD_FILE))


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
    table = _order_path(every) | _control_plane(every) | _readers(every)
    return {"admin": Permission(publish=(">",), subscribe=(">",))} | {
        name: _service(name, publish, subscribe) for name, (publish, subscribe) in table.items()
    }


_Table = dict[str, tuple[list[str], list[str]]]
"""What each user says and what it hears."""

_OPERATORS_SAY = (
    "SetTradingState",
    "SetTradingSession",
    "RollDay",
    "DefineInstrument",
    "RemoveInstrument",
    "MassCancel",
    "AdjustPosition",
    "ResetPosition",
    "SetLimits",
    "SetAccountLimits",
    "SetScopeLimits",
    "ApproveLimits",
    "KillScope",
    "ClearKill",
    "SetFxRate",
    "SetLogic",
    "ApproveBuild",
    "RevokeBuild",
    "AskSkip",
    "DivideBounds",
)
"""Control entries that operators make through a gateway."""
_QUESTIONS = [subjects.query_oms("*", "*"), subjects.query_risk("*")]
_DIGESTS = [subjects.digest("*")]
_MARKET_DATA = [subjects.market_data("*", "*", "*")]


def _order_path(every: range) -> _Table:
    outputs = [subjects.events_all(shard) for shard in every]
    read_all = _read_journal(every) + _read_events(every)
    return {
        "gateway": _gateway(every),
        "oms": (
            [
                *outputs,
                *_control(every, "AdvanceTime"),
                *_control(every, "ReportDivergence"),
                *_DIGESTS,
                *read_all,
                *_snapshots_read(),
                *_snapshots_write(),
                *_floor(_events(every), "oms"),
            ],
            [
                *_journal_live(every),
                *_events_live(every),
                subjects.query_oms("*", "*"),
                *_DIGESTS,
                subjects.process_ended(),
            ],
        ),
        "venue": (
            [
                *(subjects.journal_venue(shard, "*") for shard in every),
                *_control(every, "SetTradingSession"),
                *_read_events(every),
                *_floor(_events(every), "venue"),
                *_bucket_read("CONFIG", "LEASES", "FIX"),
                "$KV.LEASES.venue.*",
                "$KV.FIX.venue.*.*",
                subjects.query_oms("*", "to-cancel"),
            ],
            [
                *_events_live(every),
                *_bucket_live("CONFIG", "LEASES"),
                subjects.process_ended(),
                subjects.kill(),
            ],
        ),
        "bench": (
            [
                *_commands(every),
                *(raw_subject(shard) for shard in every),
                *_QUESTIONS,
                *_read_events(every),
                *_bucket_read("STATUS"),
            ],
            [*_events_live(every), *_bucket_live("STATUS")],
        ),
    }


def _gateway(every: range) -> tuple[list[str], list[str]]:
    return (
        [
            *_commands(every),
            *(entry for name in _OPERATORS_SAY for entry in _control(every, name)),
            *_control(every, "AdvanceTime"),
            *_QUESTIONS,
            *_read_events(every),
            *_bucket_read("CONFIG", "STATUS", "SESSIONS", "ALERTS"),
            "$KV.CONFIG.instrument.*",
            "$KV.SESSIONS.*",
            "$KV.ALERTS.alert.*",
            subjects.FIX_SESSIONS,
            *_read([subjects.FIX_STREAM]),
            subjects.kill(),
            subjects.nonce_used(),
            subjects.query_gateway("nonces"),
        ],
        [
            *_events_live(every),
            *_MARKET_DATA,
            *_bucket_live("CONFIG", "STATUS"),
            subjects.process_ended(),
            subjects.kill(),
            subjects.nonce_used(),
            subjects.query_gateway("nonces"),
        ],
    )


def _control_plane(every: range) -> _Table:
    return {
        "risk": (
            [
                *_control(every, "SetReferencePrice"),
                *_control(every, "SetLimits"),
                *_control(every, "SetTradingState"),
                *_control(every, "GiveShare"),
                *_control(every, "TakeShare"),
                *_control(every, "AgreeBound"),
                *_QUESTIONS,
                *_read_events(every),
                *_floor(_events(every), "risk"),
                *_bucket_read("CONFIG", "STATUS", "ALERTS"),
                "$KV.ALERTS.*.*",
            ],
            [
                *_events_live(every),
                *_MARKET_DATA,
                subjects.query_risk("*"),
                *_bucket_live("CONFIG", "STATUS", "ALERTS"),
            ],
        ),
        "marketdata": (
            [*_MARKET_DATA, *_bucket_read("CONFIG")],
            [*_bucket_live("CONFIG"), *_MARKET_DATA],
        ),
        "orchestrator": (
            [
                *_QUESTIONS,
                *_bucket_read("CONFIG", "STATUS"),
                subjects.process_ended(),
                *_leaders([*_journals(every), *_events(every)]),
            ],
            [*_bucket_live("CONFIG", "STATUS"), *_DIGESTS],
        ),
    }


def _readers(every: range) -> _Table:
    read_all = _read_journal(every) + _read_events(every)
    return {
        "archiver": (
            [
                *read_all,
                *_floor([*_journals(every), *_events(every)], "archiver"),
                *_bucket_read("CONFIG"),
                subjects.archived(),
            ],
            [
                *_journal_live(every),
                *_events_live(every),
                *_bucket_live("CONFIG"),
                subjects.archived(),
                subjects.process_ended(),
            ],
        ),
        "console": (
            [*_QUESTIONS, *_read_events(every), *_bucket_read("CONFIG", "STATUS", "ALERTS")],
            [*_events_live(every), *_bucket_live("CONFIG", "STATUS"), *_MARKET_DATA, *_DIGESTS],
        ),
        "notifier": (
            _deliveries(subjects.ALERTS_STREAM, subjects.ALERTS_READER),
            [subjects.kill(), subjects.process_ended()],
        ),
        "telemetry": (
            [*read_all, *_bucket_read("STATUS")],
            [
                *_journal_live(every),
                *_events_live(every),
                *_bucket_live("STATUS"),
                subjects.archived(),
            ],
        ),
        "auditor": (
            [*_QUESTIONS, *read_all, *_snapshots_read(), *_bucket_read("CONFIG", "STATUS")],
            [
                *_journal_live(every),
                *_events_live(every),
                *_bucket_live("CONFIG", "STATUS"),
                *_MARKET_DATA,
                *_DIGESTS,
            ],
        ),
    }


def _service(name: str, publish: Iterable[str], subscribe: Iterable[str]) -> Permission:
    facts = (
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.CONSUMER.INFO.*.*",
        f"$KV.STATUS.{subjects.status_key(name, '*')}",
    )
    return Permission(publish=(*publish, *facts), subscribe=(f"{inbox_prefix(name)}.>", *subscribe))


def _control(every: range, name: str) -> list[str]:
    return [subjects.journal_control(shard, name) for shard in every]


def _commands(every: range) -> list[str]:
    return [subjects.journal_client(shard, "*") for shard in every]


def _journals(every: range) -> list[str]:
    return [subjects.journal_stream(shard) for shard in every]


def _events(every: range) -> list[str]:
    return [subjects.events_stream(shard) for shard in every]


def _journal_live(every: range) -> list[str]:
    return [subjects.live(subjects.journal_all(shard)) for shard in every]


def _events_live(every: range) -> list[str]:
    return [subjects.live(subjects.events_all(shard)) for shard in every]


def _read_journal(every: range) -> list[str]:
    return _read(_journals(every))


def _read_events(every: range) -> list[str]:
    return _read(_events(every))


def _read(streams: Iterable[str]) -> list[str]:
    return [
        api
        for stream in streams
        for api in (f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.STREAM.MSG.GET.{stream}")
    ]


def _floor(streams: Iterable[str], durable: str) -> list[str]:
    return [f"$JS.API.CONSUMER.RESET.{stream}.{durable}" for stream in streams]


def _deliveries(stream: str, durable: str) -> list[str]:
    return [f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", f"$JS.ACK.{stream}.{durable}.>"]


def _leaders(streams: Iterable[str]) -> list[str]:
    return [f"$JS.API.STREAM.LEADER.STEPDOWN.{stream}" for stream in streams]


def _snapshots_read() -> list[str]:
    return ["$JS.API.DIRECT.GET.OBJ_SNAPSHOTS"]


def _snapshots_write() -> list[str]:
    return ["$O.SNAPSHOTS.C.*", "$O.SNAPSHOTS.M.*", "$JS.API.STREAM.PURGE.OBJ_SNAPSHOTS"]


def _bucket_read(*buckets: str) -> list[str]:
    return [f"$JS.API.DIRECT.GET.KV_{bucket}" for bucket in buckets]


def _bucket_live(*buckets: str) -> list[str]:
    return [subjects.live(f"$KV.{bucket}.>") for bucket in buckets]
