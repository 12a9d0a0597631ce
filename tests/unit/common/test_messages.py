# SPDX-License-Identifier: Apache-2.0
"""The header block's wire form, and the broker's time stamps."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.common.jetstream.batch import batch_messages
from tradewind.common.jetstream.messages import (
    Message,
    Record,
    decode_headers,
    decode_record,
    encode_headers,
    parse_stamp,
    status_of,
)

STORED = (
    b"NATS/1.0\r\ntraceparent: 00-aa\r\nNats-Expected-Last-Sequence: 6\r\nNats-Stream: S\r\n"
    b"Nats-Subject: s.x\r\nNats-Sequence: 7\r\nNats-Time-Stamp: 2026-11-22T10:11:12.5Z\r\n\r\n"
)


def test_a_record_keeps_its_own_headers_and_drops_the_brokers() -> None:
    ts_ns = 1795342272_500000000
    assert decode_record(STORED, b"b") == Record(7, ts_ns, "s.x", {"traceparent": "00-aa"}, b"b")


def test_a_message_without_the_brokers_headers_is_no_record() -> None:
    with pytest.raises(KeyError):
        decode_record(b"NATS/1.0\r\na: b\r\n\r\n", b"")
    with pytest.raises(KeyError):
        decode_record(None, b"")


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True),
        st.from_regex(r"[!-~]([ -~]{0,30}[!-~])?", fullmatch=True),
        min_size=1,
    )
)
def test_headers_come_back_as_they_were(headers: dict[str, str]) -> None:
    assert decode_headers(encode_headers(headers)) == headers


def test_no_headers_are_no_block() -> None:
    assert encode_headers({}) == b""
    assert decode_headers(None) == {}


@pytest.mark.parametrize("text", ["a\nb: c", "a\r", "\r\nb"])
def test_a_line_break_makes_no_second_header(text: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        encode_headers({"a": text})


def test_an_inline_status_is_read() -> None:
    assert status_of(b"NATS/1.0 503\r\n\r\n") == 503
    assert status_of(b"NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\n\r\n") == 204
    assert status_of(STORED) == 0
    assert status_of(None) == 0


@given(st.integers(min_value=0, max_value=4_000_000_000), st.integers(0, 999_999_999))
def test_a_stamp_is_read_to_the_nanosecond(seconds: int, nanos: int) -> None:
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{nanos:09d}".rstrip("0").rstrip(".")
    assert parse_stamp(f"{text}{fraction}Z") == seconds * 1_000_000_000 + nanos


def test_a_batch_says_its_place_only_at_its_ends() -> None:
    batch = batch_messages([Message("s", b"%d" % place) for place in range(3)], 41)
    headers = [decode_headers(header) for _subject, header, _body in batch]
    assert len({header.pop("Nats-Batch-Id") for header in headers}) == 1
    assert headers == [
        {"Nats-Batch-Sequence": "1", "Nats-Expected-Last-Sequence": "41"},
        {"Nats-Batch-Sequence": "2"},
        {"Nats-Batch-Sequence": "3", "Nats-Batch-Commit": "1"},
    ]


def test_each_attempt_at_a_batch_has_an_id_of_its_own() -> None:
    first, second = (batch_messages([Message("s", b"")] * 2, 0) for _ in range(2))
    assert (
        decode_headers(first[0][1])["Nats-Batch-Id"]
        != decode_headers(second[0][1])["Nats-Batch-Id"]
    )
