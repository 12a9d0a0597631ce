# SPDX-License-Identifier: Apache-2.0
"""Bytes are messages, or garbled, or break a rule that has a number."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.fix.framer import MESSAGE_BYTES_MAX, Framer, TooLong
from tradewind.fix.message import Garbled, Malformed, Sent, decode, encode
from tradewind.fix.stamps import stamp, time_ns

AT = "20260302-10:00:00.000"
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
BODIES = st.dictionaries(st.integers(1000, 99_999), TEXTS, max_size=8)


def raw(body: str, *, msg_type: str = "D", seq: str = "7", more: str = "") -> bytes:
    """A message with a right length and checksum, whatever is in it."""
    fields = f"35={msg_type}|49=A|56=B|34={seq}|52={AT}|{more}{body}".replace("|", "\x01").encode()
    start = b"8=FIX.4.4\x019=%d\x01" % len(fields)
    return start + fields + b"10=%03d\x01" % (sum(start + fields) % 256)


@given(BODIES, st.integers(1, 10**9), st.booleans())
def test_what_is_encoded_is_read_again(body: dict[int, str], seq: int, is_again: bool) -> None:
    sent = Sent(seq, "8", tuple(body.items()), AT)
    data = encode(sent, sender="A", target="B", again_at=AT if is_again else "")
    message = decode(data)
    assert (message.msg_type, message.seq, message.is_poss_dup) == ("8", seq, is_again)
    assert {tag: message.fields[tag] for tag in body} == body
    assert (message.get(122) == AT) is is_again


@pytest.mark.parametrize("value", ["a\x01b", ""])
def test_a_value_that_would_break_the_message_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="tag 58"):
        encode(Sent(1, "8", ((58, value),), AT), sender="A", target="B")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"8=FIX.4.4\x01",
        raw("55=X|").replace(b"55=X", b"55=Y"),
        raw("55=X|").replace(b"9=", b"9=1"),
        raw("55=X|").replace(b"FIX.4.4", b"FIX.4.2"),
        raw("55=X|", seq=""),
        raw("55=X|", seq="x"),
        raw("55=X|")[:-1],
    ],
)
def test_bytes_that_cannot_be_trusted_are_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        decode(data)


@pytest.mark.parametrize(
    ("data", "reason", "tag"),
    [
        (raw("x=1|"), 0, 0),
        (raw("nothing|"), 0, 0),
        (raw("0=1|"), 0, 0),
        (raw("55=|"), 4, 55),
        (raw("55=X|55=X|"), 13, 55),
        (raw("55=X|").replace(b"49=A\x01", b""), None, 49),
    ],
)
def test_a_message_that_breaks_a_rule_says_which(data: bytes, reason: int | None, tag: int) -> None:
    if reason is None:
        data = _again(data)
        reason = 1
    with pytest.raises(Malformed) as caught:
        decode(data)
    assert (caught.value.reason, caught.value.tag) == (reason, tag)
    assert (caught.value.seq, caught.value.msg_type) == (7, "D")


def _again(data: bytes) -> bytes:
    """With its length and checksum made right."""
    fields = data.split(b"\x01", 2)[2].rpartition(b"10=")[0]
    start = b"8=FIX.4.4\x019=%d\x01" % len(fields)
    return start + fields + b"10=%03d\x01" % (sum(start + fields) % 256)


@given(st.lists(BODIES, min_size=1, max_size=5), st.data())
def test_however_a_stream_is_cut_it_has_the_same_messages(
    bodies: list[dict[int, str]], data: st.DataObject
) -> None:
    sent = [
        encode(Sent(number, "8", tuple(body.items()), AT), sender="A", target="B")
        for number, body in enumerate(bodies, 1)
    ]
    noise = data.draw(st.sampled_from([b"", b"noise", b"8=FIX.4.4\x019=x\x01", b"8=FI", b"10=000"]))
    stream = noise + noise.join(sent)
    framer, found = Framer(), []
    while stream:
        length = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[:length])
        stream = stream[length:]
    assert found == sent


@given(st.binary(max_size=2_000))
def test_no_bytes_make_the_framer_or_the_reader_fail(data: bytes) -> None:
    for start in (b"", b"8=FIX.4.4\x01", b"8=FIX.4.4\x019=20\x01"):
        for message in Framer().feed(start + data):
            with suppress(Garbled, Malformed):
                decode(message)


def test_a_message_that_nobody_would_read_ends_the_connection() -> None:
    with pytest.raises(TooLong):
        Framer().feed(b"8=FIX.4.4\x019=%d\x01" % MESSAGE_BYTES_MAX)


def test_noise_is_not_kept() -> None:
    framer = Framer()
    for _ in range(100):
        framer.feed(b"x" * 10_000)
    assert len(framer._buffer) < 20


@given(st.integers(0, 4 * 10**18))
def test_times_are_exact(moment_ns: int) -> None:
    assert time_ns(stamp(moment_ns)) == moment_ns
    whole_ms = moment_ns // 10**6 * 10**6
    assert len(stamp(whole_ms)) == len(AT)


@pytest.mark.parametrize("text", ["", "20260302", "20261302-10:00:00", "20260302-10:00:00.1", "x"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"UTCTimestamp|does not match"):
        time_ns(text)
