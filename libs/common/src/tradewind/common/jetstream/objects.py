# SPDX-License-Identifier: Apache-2.0
"""An object store: things larger than a message, in the layout that every NATS client knows.

An object's chunks are messages on `$O.<store>.C.<nuid>`, what is known of it is one message on
`$O.<store>.M.<name in base64>`, stored after the last chunk: an object is there as a whole or not
at all. Its SHA-256 is checked on every read.
"""

import asyncio
import secrets
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256

import msgspec

from tradewind.common.errors import BusError, CorruptionError
from tradewind.common.jetstream.bus import Bus
from tradewind.common.jetstream.direct import read_last_of_each, read_subject
from tradewind.common.jetstream.messages import PubAck

CHUNK_BYTES = 128 * 1024
CHUNKS_UNDER_WAY = 4
"""Few, since orders are written to the same disks."""
CHUNKS_PER_READ = 32
PUT_TIMEOUT_MS = 10_000
_DIGEST = "SHA-256="


class _Options(msgspec.Struct):
    max_chunk_size: int = CHUNK_BYTES


class ObjectInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an object without reading it."""

    name: str
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    options: _Options = msgspec.field(default_factory=_Options)
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str = ""
    deleted: bool = False


_info_decoder = msgspec.json.Decoder(ObjectInfo)


class ObjectStore:
    """One store. Objects are never changed: a name is put once."""

    def __init__(self, bus: Bus, store: str) -> None:
        self._bus = bus
        self._store = store
        self._stream = f"OBJ_{store}"

    async def put(
        self, name: str, content: Iterable[bytes], metadata: Mapping[str, str]
    ) -> ObjectInfo:
        """Stores an object, given in pieces of any size.

        Raises:
            BusError: if it could not be stored; then none of it stays, or nobody sees it.
        """
        nuid = secrets.token_hex(11)
        try:
            size, chunks, digest = await self._put_chunks(nuid, content)
            info = ObjectInfo(
                name=name,
                metadata=dict(metadata),
                bucket=self._store,
                nuid=nuid,
                size=size,
                chunks=chunks,
                digest=digest,
            )
            await self._bus.publish(
                self._meta_subject(name),
                msgspec.json.encode(info),
                {"Nats-Rollup": "sub"},
                timeout_ms=PUT_TIMEOUT_MS,
            )
        except BaseException:
            with suppress(BusError):
                await self._purge(self._chunk_subject(nuid))
            raise
        return info

    async def get(self, info: ObjectInfo) -> bytes:
        """The content of an object.

        Raises:
            CorruptionError: if it is not what was put.
            BusError: if it cannot be read now.
        """
        pieces: list[bytes] = []
        seq = 1
        while len(pieces) < info.chunks:
            records = await read_subject(
                self._bus, self._stream, self._chunk_subject(info.nuid), seq, CHUNKS_PER_READ
            )
            if not records:
                break
            pieces += [record.body for record in records]
            seq = records[-1].seq + 1
        content = b"".join(pieces)
        if len(content) != info.size or _digest_text(sha256(content).digest()) != info.digest:
            raise CorruptionError(
                f"{self._store}/{info.name} is not what was stored: "
                f"{len(content)} of {info.size} bytes, or another SHA-256",
                code="OBJECT_DAMAGED",
            )
        return content

    async def infos(self) -> list[ObjectInfo]:
        """All objects, as one replica of the store knows them now.

        Raises:
            BusError: if the store does not answer.
        """
        records = await read_last_of_each(self._bus, self._stream, f"$O.{self._store}.M.>")
        found = [_info_decoder.decode(record.body) for record in records]
        return [info for info in found if not info.deleted]

    async def delete(self, info: ObjectInfo) -> None:
        """Removes an object, first from the list.

        Raises:
            BusError: if the store refuses or does not answer.
        """
        await self._purge(self._meta_subject(info.name))
        await self._purge(self._chunk_subject(info.nuid))

    async def _put_chunks(self, nuid: str, content: Iterable[bytes]) -> tuple[int, int, str]:
        subject, size, chunks, hashed = self._chunk_subject(nuid), 0, 0, sha256()
        under_way: deque[asyncio.Future[PubAck]] = deque()
        try:
            for chunk in _pieces(content):
                ack = self._bus.publish_nowait(subject, chunk, timeout_ms=PUT_TIMEOUT_MS)
                under_way.append(ack)
                hashed.update(chunk)
                size, chunks = size + len(chunk), chunks + 1
                if len(under_way) == CHUNKS_UNDER_WAY:
                    await under_way.popleft()
        finally:
            outcomes = await asyncio.gather(*under_way, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return size, chunks, _digest_text(hashed.digest())

    async def _purge(self, subject: str) -> None:
        await self._bus.api(f"STREAM.PURGE.{self._stream}", {"filter": subject})

    def _meta_subject(self, name: str) -> str:
        return f"$O.{self._store}.M.{urlsafe_b64encode(name.encode()).decode()}"

    def _chunk_subject(self, nuid: str) -> str:
        return f"$O.{self._store}.C.{nuid}"


def _pieces(content: Iterable[bytes]) -> Iterable[bytes]:
    for piece in content:
        for start in range(0, len(piece), CHUNK_BYTES):
            yield piece[start : start + CHUNK_BYTES]


def _digest_text(digest: bytes) -> str:
    return _DIGEST + urlsafe_b64encode(digest).decode()
