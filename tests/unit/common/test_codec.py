# SPDX-License-Identifier: Apache-2.0
"""The wire: the same message, the same bytes; anything else is refused by name."""

import json
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.common.codec import CHAIN_START, decode_command, decode_event, encode, link
from tradewind.common.errors import CodecError
from tradewind.core.commands import COMMANDS, AdvanceTime, SetReferencePrice
from tradewind.core.events import EVENTS, TimeAdvanced
from tradewind.core.testing import BOUNDS, SUBMIT

INTEGERS = st.integers(-(2**63), 2**63 - 1)


def strategy_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    return {int: INTEGERS, bool: st.booleans(), str: st.text(max_size=20)}[kind]


def messages(known: dict[str, type[Any]]) -> st.SearchStrategy[Any]:
    each = [
        st.builds(cls, **{field.name: strategy_of(field.type) for field in fields(cls)})
        for cls in known.values()
    ]
    return st.one_of(each)


@given(messages(COMMANDS))
def test_every_command_comes_back_as_it_went(command: Any) -> None:
    body = encode(command)
    assert decode_command(body) == command
    assert encode(decode_command(body)) == body


@given(messages(EVENTS))
def test_every_event_comes_back_as_it_went(event: Any) -> None:
    body = encode(event)
    assert decode_event(body) == event
    assert encode(decode_event(body)) == body


def test_the_wire_form_is_this() -> None:
    body = encode(SetReferencePrice(symbol="BTC-USD", price=5))
    assert body == b'{"v":1,"type":"SetReferencePrice","data":{"symbol":"BTC-USD","price":5}}'


def test_a_field_that_came_later_is_written_only_where_it_is_set() -> None:
    assert b"losses" not in encode(BOUNDS)
    assert decode_command(encode(BOUNDS)) == BOUNDS
    bounded = replace(BOUNDS, max_losses=3)
    assert b'"approved_build":"","max_losses":3,"scope":"firm"' in encode(bounded)
    assert decode_command(encode(bounded)) == bounded


def test_enums_come_back_as_enums() -> None:
    command = decode_command(encode(SUBMIT))
    assert {f.name: type(getattr(command, f.name)) for f in fields(command)} == {
        f.name: type(getattr(SUBMIT, f.name)) for f in fields(SUBMIT)
    }


GOOD = json.loads(encode(SUBMIT))


def with_data(**changes: Any) -> bytes:
    return json.dumps(GOOD | {"data": GOOD["data"] | changes}).encode()


def without(name: str) -> bytes:
    return json.dumps(
        GOOD | {"data": {k: v for k, v in GOOD["data"].items() if k != name}}
    ).encode()


REFUSED = {
    "unknown field": with_data(colour="red"),
    "unknown field of the envelope": json.dumps(GOOD | {"more": 1}).encode(),
    "missing field": without("price"),
    "text for a number": with_data(price="1000"),
    "number for a text": with_data(account=5),
    "float for an integer": with_data(price=1000.5),
    "whole float for an integer": with_data(price=1000.0),
    "exponent for an integer": encode(SUBMIT).replace(b'"price":1000', b'"price":1e3'),
    "boolean for an integer": with_data(price=True),
    "null": with_data(price=None),
    "NaN": encode(SUBMIT).replace(b'"price":1000', b'"price":NaN'),
    "unknown side": with_data(side="LEFT"),
    "lower case side": with_data(side="buy"),
    "newer version": json.dumps(GOOD | {"v": 2}).encode(),
    "older version": json.dumps(GOOD | {"v": 0}).encode(),
    "version as text": json.dumps(GOOD | {"v": "1"}).encode(),
    "no version": json.dumps({k: v for k, v in GOOD.items() if k != "v"}).encode(),
    "unknown type": json.dumps(GOOD | {"type": "SubmitOrderTwice"}).encode(),
    "data that is a list": json.dumps(GOOD | {"data": []}).encode(),
    "trailing garbage": encode(SUBMIT) + b"x",
    "a second message": encode(SUBMIT) * 2,
    "half a message": encode(SUBMIT)[:-5],
    "nothing": b"",
    "not an object": b"[]",
    "not JSON": b"\x00\x01",
    "not UTF-8": encode(SUBMIT).replace(b"client", b"cl\xff\xfe"),
    "not UTF-8 in the type": b'{"v":1,"type":"\xff","data":{}}',
    "a lone surrogate": encode(SUBMIT).replace(b'"client"', b'"\\ud800"'),
    "a byte order mark": b"\xef\xbb\xbf" + encode(SUBMIT),
    "endless nesting": b'{"v":1,"type":"AdvanceTime","data":' + b"[" * 100_000,
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_is_not_a_message_of_ours_is_refused(body: bytes) -> None:
    assert body != encode(SUBMIT)
    with pytest.raises(CodecError) as caught:
        decode_command(body)
    assert caught.value.code == "BAD_MESSAGE"
    assert caught.value.text


def test_a_command_is_no_event_and_an_event_no_command() -> None:
    with pytest.raises(CodecError, match="unknown here"):
        decode_event(encode(AdvanceTime(source="x")))
    with pytest.raises(CodecError, match="unknown here"):
        decode_command(encode(TimeAdvanced(ts_ns=1)))


@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(body: bytes) -> None:
    with pytest.raises(CodecError):
        decode_command(body)


@given(st.data())
def test_a_flipped_byte_is_refused_or_is_another_well_formed_message(data: st.DataObject) -> None:
    body = bytearray(encode(SUBMIT))
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        again = decode_command(bytes(body))
    except CodecError:
        return
    assert encode(again) != encode(SUBMIT)


def test_the_chain_depends_on_every_body_and_on_their_order() -> None:
    ab = link(link(CHAIN_START, b"a"), b"b")
    assert (
        len({ab, link(link(CHAIN_START, b"b"), b"a"), link(CHAIN_START, b"ab"), CHAIN_START}) == 4
    )
    assert len(ab) == len(CHAIN_START) == 64
