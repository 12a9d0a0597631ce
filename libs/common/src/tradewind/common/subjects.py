# SPDX-License-Identifier: Apache-2.0
"""Every subject and name on the bus is built here and nowhere else."""

from urllib.parse import quote
from zlib import crc32

from tradewind.core.commands import (
    ApplyVenueReport,
    CancelOrder,
    Command,
    FlattenPosition,
    MassCancel,
    ReplaceOrder,
    RequestStatus,
    StatePosition,
    SubmitOrder,
    TakeSession,
)
from tradewind.core.events import (
    Event,
    MassCancelReport,
    OrderAdopted,
    OrderReport,
    PositionStated,
    SessionTaken,
    VenueRequest,
)

OF_CLIENTS = (
    SubmitOrder,
    CancelOrder,
    ReplaceOrder,
    MassCancel,
    RequestStatus,
    FlattenPosition,
)

LIVE = "live."
"""Prefix under which a stream's records are republished once they are committed."""

HEADER_ENTRY = "Tw-Entry"
"""Journal sequence of the entry that an output follows from."""
HEADER_INDEX = "Tw-Index"
"""Position of an output among its entry's outputs, from 0."""
HEADER_CHAIN = "Tw-Chain"
"""Rolling hash of all outputs of the shard up to and with this one."""

HEADER_ACTOR = "Tw-Actor"
"""Operator who asked for a journal entry that does not name one itself."""

HEADER_AT = "Tw-At"
"""When its writer got what an entry is about: a gateway a request, a connector a report; in ns."""
HEADER_SENT = "Tw-Sent"
"""When a connector had sent the request that a report answers, in ns."""
HEADER_PARENT = "Tw-Parent"
"""Span of the caller's own in which a request was made."""

HEADER_BY = "Tw-By"
"""Instance that appended an output: the shard's leader is who appended last."""


def shard_of(account: str, shards: int) -> int:
    """The shard of an account: stable for ever, as long as the number of shards is."""
    return crc32(account.encode()) % shards


def account_in(shard: int, shards: int, name: str) -> str:
    """An account of this shard's: the name itself, or with the first number that belongs there."""
    names = (name, *(f"{name}-{number}" for number in range(100 * shards)))
    return next(account for account in names if shard_of(account, shards) == shard)


def shard_of_order(order_id: str) -> int:
    """The shard that made an order id (`<segment>-<shard>-<seq>`).

    Raises:
        ValueError: if this is no order id of ours.
    """
    _segment, shard, _seq = order_id.split("-")
    return int(shard)


def journal_stream(shard: int) -> str:
    """Stream of a shard's inputs."""
    return f"JOURNAL_{shard}"


def events_stream(shard: int) -> str:
    """Stream of a shard's outputs."""
    return f"EVENTS_{shard}"


def journal_all(shard: int) -> str:
    """All inputs of a shard."""
    return f"journal.{shard}.>"


def events_all(shard: int) -> str:
    """All outputs of a shard."""
    return f"events.{shard}.>"


def live(subject: str) -> str:
    """Where a stream's committed records are heard live."""
    return LIVE + subject


def journal_subject(shard: int, command: Command) -> str:
    """Where a command is journaled. A mass cancel of no account is an operator's."""
    if isinstance(command, OF_CLIENTS) and command.account:
        return journal_client(shard, command.account)
    match command:
        case ApplyVenueReport() | TakeSession() | StatePosition():
            return journal_venue(shard, command.venue)
        case _:
            return journal_control(shard, type(command).__name__)


def journal_client(shard: int | str, account: str) -> str:
    """Clients' requests."""
    return f"journal.{shard}.cmd.{account}"


def journal_venue(shard: int | str, venue: str) -> str:
    """Venues' reports and sessions."""
    return f"journal.{shard}.venue.{venue}"


def journal_control(shard: int | str, name: str) -> str:
    """Limits, prices, states, instruments, time."""
    return f"journal.{shard}.control.{name}"


def events_subject(shard: int, event: Event) -> str:
    """Where an output is appended."""
    match event:
        case OrderReport() | MassCancelReport() if event.account:
            return f"events.{shard}.order.{event.account}"
        case VenueRequest() | SessionTaken() | PositionStated() | OrderAdopted():
            return f"events.{shard}.venue.{event.venue}"
        case _:
            return f"events.{shard}.risk.{type(event).__name__}"


FIX_STREAM = "FIX"
FIX_SESSIONS = "fix.*"
"""FIX clients' sessions: their stream, and all of their subjects."""


def fix_session(name: str) -> str:
    """Pages of a FIX client's session; names may have anything in them."""
    return f"fix.{quote(name, safe='').replace('.', '%2E')}"


ALERTS_STREAM = "KV_ALERTS"
ALERTS = "$KV.ALERTS.alert.*"
"""Every change of an alert: the stream behind the bucket, and what of it alerts are."""
ALERTS_READER = "notifier"
"""The durable consumer from which people are told."""


def market_data(venue: str, symbol: str, kind: str) -> str:
    """Market data of one kind: quote, trade, depth, status."""
    return f"md.{venue}.{symbol}.{kind}"


def query_oms(shard: int | str, what: str) -> str:
    """Questions to a shard's replicas: orders, order, positions, state, digests."""
    return f"query.oms.{shard}.{what}"


def query_oms_group(shard: int) -> str:
    """Queue group in which the replicas of a shard share questions."""
    return f"oms-{shard}"


def query_risk(what: str) -> str:
    """Questions to risk: positions, reconcile."""
    return f"query.risk.{what}"


def query_gateway(what: str) -> str:
    """Questions of one gateway to all: nonces."""
    return f"query.gateway.{what}"


def nonce_used() -> str:
    """Where a gateway tells the others of a nonce: a plain subject, nothing waits for it."""
    return "nonce.used"


def digest(shard: int | str) -> str:
    """Where replicas publish the digest of their state."""
    return f"digest.{shard}"


def process_ended() -> str:
    """Where a supervisor tells at once that it has seen a process end."""
    return "process.ended"


def kill() -> str:
    """Where a kill is told at once: a plain subject, for which no leader is needed."""
    return "kill.switch"


def archived() -> str:
    """Where the archiver that writes tells what is stored."""
    return "archive.stored"


def status_key(service: str, instance: str) -> str:
    """Key of a heartbeat in the STATUS bucket."""
    return f"{service}.{instance}"
