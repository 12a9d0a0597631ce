# SPDX-License-Identifier: Apache-2.0
"""The init job: creates every stream, places leaders, gives an empty journal its first entries.

Run it before the services and after every upgrade; repeating it changes nothing.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from string import ascii_lowercase, digits

import msgspec

from tradewind.common import codec, permissions, placement, streams, subjects
from tradewind.common.errors import BusError, Refused
from tradewind.common.init_job.defaults import (
    ACCOUNTS,
    INSTALLER,
    INSTRUMENTS,
    controls,
    limits_of,
)
from tradewind.common.jetstream import Bus, KeyValue, Message, stream_tail
from tradewind.common.settings import BusSettings, integer
from tradewind.core.commands import Command, DefineInstrument, DivideBounds, OpenSegment

WRONG_LAST_SEQUENCE = 10071
SEGMENT_LENGTH = 6
APPEND_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the job is told.

    `system` may be None: then the meta leader is not moved. `server_version` is what every node has
    to be; empty: whatever it is.
    """

    bus: BusSettings
    system: BusSettings | None
    shards: int
    server_version: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads the bus settings, TRADEWIND_SHARDS.

        Optional: TRADEWIND_NATS_SYSTEM_PASSWORD_FILE, _NATS_VERSION.
        """
        return cls(
            bus=BusSettings.from_env(env),
            system=permissions.system_from_env(env),
            shards=integer(env, "TRADEWIND_SHARDS"),
            server_version=env.get("TRADEWIND_NATS_VERSION", ""),
        )


async def run(settings: Settings) -> dict[str, str]:
    """Does the whole job.

    Returns:
        The leader of each journal and events stream.

    Raises:
        BusError: if the bus refuses or does not answer, or a node has another version.
    """
    if settings.server_version:
        for url in settings.bus.urls:
            await require_version(replace(settings.bus, urls=(url,)), settings.server_version)
    bus = await Bus.connect(settings.bus, name="init-job", timeout_s=30.0)
    system = None
    try:
        if settings.system is not None:
            system = await Bus.connect(settings.system, name="init-job-system")
        await streams.create_all(bus, settings.shards)
        leaders = await placement.place_leaders(bus, system, settings.shards)
        for shard in range(settings.shards):
            await seed_journal(bus, shard, settings.shards)
        await seed_config(bus)
        return leaders
    finally:
        if system is not None:
            await system.close()
        await bus.close()


async def require_version(node: BusSettings, version: str) -> None:
    """Nothing is created on a server that the tests did not run on.

    Raises:
        BusError: code BUS_VERSION.
    """
    bus = await Bus.connect(node, name="init-job-version", timeout_s=30.0)
    try:
        found = bus.server_version
    finally:
        await bus.close()
    if found != version:
        raise BusError(
            f"the server at {node.urls[0]} is version {found}, not {version}: run that one, "
            "which is the version that was tested",
            code="BUS_VERSION",
        )


async def seed_journal(bus: Bus, shard: int, shards: int) -> bool:
    """Gives an empty journal its first entries, all or none; true if it did.

    Raises:
        BusError: if the bus refuses or does not answer.
    """
    _first, last = await stream_tail(bus, subjects.journal_stream(shard))
    if last > 0:
        return False
    messages = [
        Message(subjects.journal_subject(shard, command), codec.encode(command))
        for command in first_commands(shard, shards)
    ]
    try:
        await bus.append_batch(messages, expected_last_seq=0, timeout_ms=APPEND_TIMEOUT_MS)
    except Refused as error:
        if error.err_code == WRONG_LAST_SEQUENCE:
            return False
        raise
    return True


def first_commands(shard: int, shards: int) -> list[Command]:
    """The segment's name, the instruments, limits of accounts, and the bounds of all scopes.

    Several shards divide the bounds that span them; nothing has traded yet.
    """
    division = DivideBounds(shards=shards, is_new=True, actor=INSTALLER)
    alphabet = ascii_lowercase + digits
    segment = "".join(secrets.choice(alphabet) for _ in range(SEGMENT_LENGTH))
    return [
        OpenSegment(segment=segment, shard=shard),
        *INSTRUMENTS,
        *(
            limits_of(account, instrument.symbol)
            for account in ACCOUNTS
            for instrument in INSTRUMENTS
        ),
        *controls(),
        *([division] if shards > 1 else []),
    ]


async def seed_config(bus: Bus) -> None:
    """Writes the instruments where gateways and consoles look them up, if they are not there."""
    config = KeyValue(bus, "CONFIG")
    for instrument in INSTRUMENTS:
        key = f"instrument.{instrument.symbol}"
        if await config.get(key) is None:
            await config.put(key, instrument_body(instrument))


def instrument_body(instrument: DefineInstrument) -> bytes:
    """An instrument as the CONFIG bucket holds it."""
    return msgspec.json.encode(asdict(instrument))
