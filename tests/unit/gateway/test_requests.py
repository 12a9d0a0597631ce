# SPDX-License-Identifier: Apache-2.0
"""Bad requests get a stable code, whatever is wrong with them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tradewind.core.commands import (
    CancelOrder,
    FlattenPosition,
    MassCancel,
    ReplaceOrder,
    RequestStatus,
    SubmitOrder,
)
from tradewind.core.types import TimeInForce
from tradewind.gateway.errors import CODES, Refusal
from tradewind.gateway.intake import Intake
from tradewind.gateway.requests import decode_order_request, split_frame

from .conftest import NOW_NS, ORDER, key, two_instruments

SUBMIT = {"type": "submit", **ORDER}


def outcome(text: str | bytes) -> Any:
    """The command, or the refusal's code."""
    request = decode_order_request(text)
    if isinstance(request, Refusal):
        return request.code
    intake = Intake(two_instruments(), order_ttl_ms=5_000, now_ns=lambda: NOW_NS)
    made = intake.command(key(), request)
    return made.code if isinstance(made, Refusal) else made


BAD: list[tuple[dict[str, Any], str]] = [
    ({"order_qty": "-1"}, "NOT_POSITIVE"),
    ({"order_qty": "0"}, "NOT_POSITIVE"),
    ({"order_qty": "0.000000001"}, "OFF_GRID"),
    ({"order_qty": "NaN"}, "BAD_NUMBER"),
    ({"order_qty": "Infinity"}, "BAD_NUMBER"),
    ({"order_qty": "1e3"}, "BAD_NUMBER"),
    ({"order_qty": " 1"}, "BAD_NUMBER"),
    ({"order_qty": ""}, "BAD_NUMBER"),
    ({"order_qty": "9" * 41}, "INVALID_FIELD"),
    ({"order_qty": "999999999999999999"}, "TOO_LARGE"),
    ({"order_qty": 1}, "INVALID_FIELD"),
    ({"order_qty": 0.5}, "INVALID_FIELD"),
    ({"order_qty": None}, "INVALID_FIELD"),
    ({"price": "100.001"}, "OFF_GRID"),
    ({"price": "-100"}, "NOT_POSITIVE"),
    ({"price": None}, "PRICE_MISSING"),
    ({"ord_type": "MARKET"}, "PRICE_NOT_ALLOWED"),
    ({"ord_type": "STOP"}, "PRICE_NOT_ALLOWED"),
    ({"ord_type": "STOP_LIMIT"}, "STOP_PRICE_MISSING"),
    ({"ord_type": "PEGGED"}, "INVALID_FIELD"),
    ({"stop_px": "99"}, "STOP_PRICE_NOT_ALLOWED"),
    ({"ord_type": "STOP_LIMIT", "stop_px": "99.001"}, "OFF_GRID"),
    ({"ord_type": "STOP_LIMIT", "stop_px": 99}, "INVALID_FIELD"),
    ({"display_qty": "0"}, "NOT_POSITIVE"),
    ({"is_post_only": "yes"}, "INVALID_FIELD"),
    ({"side": "buy"}, "INVALID_FIELD"),
    ({"time_in_force": "GTD"}, "EXPIRE_TIME_MISSING"),
    ({"time_in_force": "GTX"}, "INVALID_FIELD"),
    ({"expire_ns": NOW_NS}, "EXPIRE_TIME_NOT_ALLOWED"),
    ({"time_in_force": "GTD", "expire_ns": 0}, "INVALID_FIELD"),
    ({"time_in_force": "GTD", "expire_ns": "tomorrow"}, "INVALID_FIELD"),
    ({"algorithm": ""}, "INVALID_FIELD"),
    ({"build": "b" * 65}, "INVALID_FIELD"),
    ({"symbol": "ETH-USD"}, "UNKNOWN_INSTRUMENT"),
    ({"symbol": "BTC.>"}, "INVALID_FIELD"),
    ({"account": "ALPHA"}, "ACCOUNT_NOT_ALLOWED"),
    ({"account": "A" * 33}, "INVALID_FIELD"),
    ({"account": "DEMO.>"}, "INVALID_FIELD"),
    ({"account": "DEMO\n"}, "INVALID_FIELD"),
    ({"account": ""}, "INVALID_FIELD"),
    ({"cl_ord_id": "x" * 37}, "INVALID_FIELD"),
    ({"cl_ord_id": 'a"b'}, "INVALID_FIELD"),
    ({"cl_ord_id": ""}, "INVALID_FIELD"),
    ({"strategy": "s" * 33}, "INVALID_FIELD"),
    ({"extra": 1}, "UNKNOWN_FIELD"),
    ({"client": "somebody-else"}, "UNKNOWN_FIELD"),
    ({"type": "teleport"}, "INVALID_FIELD"),
]


@pytest.mark.parametrize(("change", "code"), BAD)
def test_a_bad_field_has_its_code(change: dict[str, Any], code: str) -> None:
    assert outcome(json.dumps(SUBMIT | change)) == code
    assert code in CODES


@pytest.mark.parametrize("missing", [name for name in SUBMIT if name not in ("type", "price")])
def test_a_missing_field_is_named(missing: str) -> None:
    body = {name: value for name, value in SUBMIT.items() if name != missing}
    refused = decode_order_request(json.dumps(body))
    assert isinstance(refused, Refusal)
    assert refused.code == "MISSING_FIELD"
    assert missing in refused.text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MALFORMED_JSON"),
        ("{", "MALFORMED_JSON"),
        ("null", "INVALID_FIELD"),
        ("[]", "INVALID_FIELD"),
        ('"submit"', "INVALID_FIELD"),
        (b"\xff\xfe", "MALFORMED_JSON"),
        ("[" * 5_000, "INVALID_FIELD"),
        (json.dumps(SUBMIT).replace('"0.5"', "NaN"), "MALFORMED_JSON"),
        (json.dumps(SUBMIT).replace('"0.5"', "Infinity"), "MALFORMED_JSON"),
        (json.dumps(SUBMIT) + "}", "MALFORMED_JSON"),
        (json.dumps(SUBMIT)[:-1] + ', "account": "DEMO"}', "DUPLICATE_FIELD"),
    ],
)
def test_what_is_no_request_has_its_code(text: str | bytes, code: str) -> None:
    assert outcome(text) == code


def test_a_limit_order_becomes_integers_on_the_grid() -> None:
    command = outcome(json.dumps(SUBMIT))
    assert isinstance(command, SubmitOrder)
    assert (command.order_qty, command.price) == (50_000_000, 10_001)
    assert command.void_after_ns == NOW_NS + 5_000_000_000
    assert command.client == "tester"


def test_a_market_order_has_no_price() -> None:
    body = {name: value for name, value in SUBMIT.items() if name != "price"}
    command = outcome(json.dumps(body | {"ord_type": "MARKET", "time_in_force": "IOC"}))
    assert isinstance(command, SubmitOrder)
    assert command.price == 0


def test_an_order_carries_all_its_terms_and_whose_it_is() -> None:
    terms = {
        "ord_type": "STOP_LIMIT",
        "time_in_force": "GTD",
        "stop_px": "99.5",
        "display_qty": "0.1",
        "expire_ns": NOW_NS + 1,
        "algorithm": "twap",
        "build": "1.2+abc",
        "parent_cl_ord_id": "p-1",
    }
    command = outcome(json.dumps(SUBMIT | terms))
    assert isinstance(command, SubmitOrder)
    assert (command.stop_px, command.display_qty) == (9_950, 10_000_000)
    assert (command.expire_ns, command.time_in_force) == (NOW_NS + 1, TimeInForce.GTD)
    assert (command.client, command.strategy) == ("tester", "s1")
    assert (command.algorithm, command.build) == ("twap", "1.2+abc")
    assert (command.parent_cl_ord_id, command.is_parent) == ("p-1", False)


def test_an_order_that_names_no_algorithm_was_made_by_hand() -> None:
    command = outcome(json.dumps(SUBMIT))
    assert isinstance(command, SubmitOrder)
    assert (command.algorithm, command.build) == ("NONE", "NONE")


def test_a_mass_cancel_is_of_an_account_or_of_a_part_of_it() -> None:
    body = {"type": "mass_cancel", "account": "DEMO", "cl_ord_id": "m"}
    everything = MassCancel(account="DEMO", cl_ord_id="m", client="tester")
    assert outcome(json.dumps(body)) == everything
    assert outcome(json.dumps(body | {"symbol": "X-Y", "strategy": "s1"})) == replace(
        everything, symbol="X-Y", strategy="s1"
    )
    assert outcome(json.dumps(body | {"account": "ALPHA"})) == "ACCOUNT_NOT_ALLOWED"


def test_a_status_request_and_a_flatten_become_commands() -> None:
    status = {"type": "status", "account": "DEMO", "cl_ord_id": "c-1"}
    assert outcome(json.dumps(status)) == RequestStatus(
        account="DEMO", cl_ord_id="c-1", client="tester"
    )
    flatten = {"type": "flatten", "account": "DEMO", "cl_ord_id": "f", "symbol": "X-Y"}
    assert outcome(json.dumps(flatten)) == "MISSING_FIELD"
    command = outcome(json.dumps(flatten | {"strategy": "s1"}))
    assert isinstance(command, FlattenPosition)
    assert (command.symbol, command.strategy, command.client) == ("X-Y", "s1", "tester")


def test_a_cancel_names_its_order() -> None:
    body = {"type": "cancel", "account": "DEMO", "cl_ord_id": "x", "orig_cl_ord_id": "c-1"}
    assert outcome(json.dumps(body)) == CancelOrder(
        account="DEMO", cl_ord_id="x", orig_cl_ord_id="c-1", client="tester"
    )


def test_a_replace_uses_the_grid_of_its_order_only() -> None:
    instruments = two_instruments()
    intake = Intake(instruments, order_ttl_ms=5_000, now_ns=lambda: NOW_NS)
    body = {
        "type": "replace",
        "account": "DEMO",
        "cl_ord_id": "r",
        "orig_cl_ord_id": "c-1",
        "order_qty": "20",
        "price": "15",
    }
    request = decode_order_request(json.dumps(body))
    assert not isinstance(request, Refusal)
    refused = intake.command(key(), request)
    assert isinstance(refused, Refusal)
    assert refused.code == "ORDER_NOT_KNOWN_HERE"
    instruments.remember("DEMO", "c-1", "X-Y")
    command = intake.command(key(), request)
    assert isinstance(command, ReplaceOrder)
    assert (command.order_qty, command.price) == (2, 3)


def test_a_frame_is_one_message_or_an_array_of_them() -> None:
    assert split_frame('{"a":1}') == ['{"a":1}']
    found = split_frame('[{"a":1},{"b":2}]')
    assert not isinstance(found, Refusal)
    assert [bytes(item) for item in found if not isinstance(item, str)] == [b'{"a":1}', b'{"b":2}']
    assert isinstance(split_frame("[1,"), Refusal)
