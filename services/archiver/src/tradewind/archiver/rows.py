# SPDX-License-Identifier: Apache-2.0
"""Record -> rows. Pure. The archive keeps bytes and judges nothing.

A body that this build cannot decode is archived as it is; it only has no decoded row.
"""

from dataclasses import fields
from operator import attrgetter
from typing import Any

import msgspec

from tradewind.common import codec, subjects
from tradewind.common.errors import CodecError
from tradewind.common.fingerprint import fingerprint
from tradewind.common.jetstream import Record
from tradewind.common.trace import HEADER as TRACE_HEADER
from tradewind.core.events import InstrumentDefined, OrderReport

Row = tuple[Any, ...]

_COLUMN_HEADERS = frozenset(
    {subjects.HEADER_ENTRY, subjects.HEADER_INDEX, subjects.HEADER_CHAIN, TRACE_HEADER}
)
_report_values = attrgetter(*(field.name for field in fields(OrderReport)))
_instrument_values = attrgetter(*(field.name for field in fields(InstrumentDefined)))


class _Tag(msgspec.Struct):
    type: str = ""


_tag_decoder = msgspec.json.Decoder(_Tag)


def type_of(body: bytes) -> str:
    """The type tag of a body; empty if it has none that can be read."""
    try:
        return _tag_decoder.decode(body).type
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def record_row(stream: str, segment: str, record: Record) -> Row:
    """A row of `records`."""
    headers = record.headers
    others = {key: headers[key] for key in sorted(headers) if key not in _COLUMN_HEADERS}
    return (
        stream,
        segment,
        record.seq,
        record.ts_ns,
        record.subject,
        type_of(record.body),
        record.body,
        fingerprint(record),
        _number(headers.get(subjects.HEADER_ENTRY, "")),
        _number(headers.get(subjects.HEADER_INDEX, "")),
        headers.get(subjects.HEADER_CHAIN, ""),
        headers.get(TRACE_HEADER, ""),
        msgspec.json.encode(others).decode() if others else "",
    )


def decoded_row(stream: str, segment: str, record: Record) -> tuple[str, Row] | None:
    """The name of the decoded table and its row, for those events that have one."""
    kind = type_of(record.body)
    if kind not in (OrderReport.__name__, InstrumentDefined.__name__):
        return None
    try:
        event = codec.decode_event(record.body)
    except CodecError:
        return None
    key = (stream, segment, record.seq)
    if isinstance(event, OrderReport):
        return "order_reports", key + _report_values(event)
    return "instruments", key + _instrument_values(event)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
