# SPDX-License-Identifier: Apache-2.0
"""Reading what a stream has stored.

Direct reads are answered by any replica and may be behind; the leader's read may be stale too while
it is cut off. Only a conditional append proves where the tail is.
"""

from base64 import b64decode
from typing import Any

import msgspec

from tradewind.common.errors import Refused
from tradewind.common.jetstream.bus import Bus
from tradewind.common.jetstream.messages import (
    Record,
    decode_headers,
    decode_record,
    parse_stamp,
    status_of,
)

READ_TIMEOUT_MS = 1000
BATCH_BYTES_MAX = 4 * 1024 * 1024
NO_MESSAGE_FOUND = 10037


async def read_from(bus: Bus, stream: str, seq: int, limit: int) -> list[Record]:
    """Up to `limit` records from sequence `seq` on, as one replica has them now.

    Raises:
        Refused: no replica of the stream answers.
        Unknown: the answer did not end in time.
    """
    return await _ask(bus, stream, {"seq": seq, "batch": limit, "max_bytes": BATCH_BYTES_MAX})


async def read_subject(bus: Bus, stream: str, subject: str, seq: int, limit: int) -> list[Record]:
    """Up to `limit` records on `subject` from sequence `seq` on, as one replica has them now.

    Raises:
        Refused: no replica of the stream answers.
        Unknown: the answer did not end in time.
    """
    question = {
        "seq": seq,
        "next_by_subj": subject,
        "batch": limit,
        "max_bytes": BATCH_BYTES_MAX,
    }
    return await _ask(bus, stream, question)


async def read_last_of_each(bus: Bus, stream: str, subjects: str) -> list[Record]:
    """The last record of every subject that matches, as one replica has them now.

    Raises:
        Refused: no replica of the stream answers.
        Unknown: the answer did not end in time.
    """
    return await _ask(bus, stream, {"multi_last": [subjects]})


async def read_at_leader(bus: Bus, stream: str, seq: int) -> Record | None:
    """The record at `seq` as the stream's leader has it; None if it has none.

    Raises:
        BusError: if the leader does not answer.
    """
    return await _get(bus, stream, {"seq": seq})


async def read_last(bus: Bus, stream: str, subject: str = ">") -> Record | None:
    """The last record of a stream on `subject`, as its leader has it; None if there is none.

    Raises:
        BusError: if the leader does not answer.
    """
    return await _get(bus, stream, {"last_by_subj": subject})


async def stream_tail(bus: Bus, stream: str) -> tuple[int, int]:
    """First and last sequence of a stream, as its leader has them; (1, 0) if there was never one.

    Raises:
        BusError: if the leader does not answer.
    """
    state = (await bus.api(f"STREAM.INFO.{stream}"))["state"]
    first, last = int(state["first_seq"]), int(state["last_seq"])
    return (first or 1), last


async def _ask(bus: Bus, stream: str, question: dict[str, Any]) -> list[Record]:
    body = msgspec.json.encode(question)
    _status, replies = await bus.request_many(f"$JS.API.DIRECT.GET.{stream}", body, READ_TIMEOUT_MS)
    return [decode_record(raw, data) for raw, data in replies if not status_of(raw)]


async def _get(bus: Bus, stream: str, question: dict[str, int | str]) -> Record | None:
    try:
        answer = await bus.api(f"STREAM.MSG.GET.{stream}", question)
    except Refused as error:
        if error.err_code == NO_MESSAGE_FOUND:
            return None
        raise
    message = answer["message"]
    raw = b64decode(message["hdrs"]) if message.get("hdrs") else None
    headers = decode_headers(raw)
    return Record(
        seq=int(message["seq"]),
        ts_ns=parse_stamp(message["time"]),
        subject=message["subject"],
        headers={name: text for name, text in headers.items() if not name.startswith("Nats-")},
        body=b64decode(message.get("data") or b""),
    )
