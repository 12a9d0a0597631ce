# SPDX-License-Identifier: Apache-2.0
"""What goes over the bus, and the header block's wire form.

Headers that begin with `Nats-` are the broker's own business: they are taken out of a record, so
that it is the same whether it was heard live or read from the store.
"""

from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

NO_RESPONDERS = 503


@dataclass(frozen=True, slots=True)
class PubAck:
    """The broker has stored it on a quorum: in which stream, at which sequence (the last one's)."""

    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish, or a core message that was heard."""

    subject: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """One stored message of a stream. `ts_ns` is the broker's stamp of it."""

    seq: int
    ts_ns: int
    subject: str
    headers: dict[str, str]
    body: bytes


def encode_headers(headers: Mapping[str, str], own: str = "") -> bytes:
    """The header block of a message; nothing if it has no headers. `own` are whole lines of ours.

    Raises:
        ValueError: if a line break would make two headers of one.
    """
    if not headers and not own:
        return b""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        raise ValueError("a header may not contain a line break")
    return f"NATS/1.0\r\n{lines}{own}\r\n".encode()


def status_of(raw: bytes | None) -> int:
    """The inline status of a header block (404, 503 and so on); 0 if it has none."""
    if raw is None or raw[8:9] != b" ":
        return 0
    return int(raw[9:12])


def decode_headers(raw: bytes | None) -> dict[str, str]:
    """All headers of a block, the broker's included."""
    if raw is None:
        return {}
    headers = {}
    for line in raw.decode("utf-8", "replace").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name] = value.strip()
    return headers


def decode_record(raw: bytes | None, body: bytes) -> Record:
    """The record in a republished or directly read message.

    Raises:
        KeyError: if the broker's headers are missing.
    """
    own: dict[str, str] = {}
    brokers: dict[str, str] = {}
    for line in (raw or b"").decode("utf-8", "replace").split("\r\n")[1:-2]:
        name, _colon, value = line.partition(":")
        (brokers if name.startswith("Nats-") else own)[name] = value.strip()
    return Record(
        int(brokers["Nats-Sequence"]),
        parse_stamp(brokers["Nats-Time-Stamp"]),
        brokers["Nats-Subject"],
        own,
        body,
    )


def parse_stamp(stamp: str) -> int:
    """Nanoseconds since the epoch of the broker's `2026-11-22T10:11:12.123456789Z`."""
    fraction = stamp[20:-1]
    return _seconds(stamp[:19]) * 1_000_000_000 + (int(fraction.ljust(9, "0")) if fraction else 0)


@lru_cache(maxsize=64)
def _seconds(text: str) -> int:
    year, month, day = int(text[0:4]), int(text[5:7]), int(text[8:10])
    return timegm((year, month, day, int(text[11:13]), int(text[14:16]), int(text[17:19])))
