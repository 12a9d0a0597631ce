# SPDX-License-Identifier: Apache-2.0
"""REST calls: what is answered, what is journaled, and that refusals journal nothing."""

import json
from typing import Any

import pytest

from tradewind.common import subjects
from tradewind.common.errors import Refused, Unknown
from tradewind.core.commands import (
    CancelOrder,
    Entry,
    ReplaceOrder,
    RequestStatus,
)
from tradewind.core.reports import of_no_order
from tradewind.core.types import ExecType, OrdStatus, Reason
from tradewind.gateway import openapi
from tradewind.gateway.errors import CODES

from .conftest import NOW_NS, ORDER, Harness, Published, answer_all, call

pytestmark = pytest.mark.anyio


async def test_an_order_is_answered_with_its_report_in_decimals(harness: Harness) -> None:
    answer_all(harness, cum_qty=3, cum_notional=3 * 10_001 + 1, last_qty=3, last_px=10_001)
    response = await call(harness, "POST", "/v1/orders", ORDER)
    assert response.status_code == 200
    body = response.json()
    assert (body["outcome"], body["seq"]) == ("accepted", 1)
    assert body["report"]["order_qty"] == "0.5"
    assert body["report"]["price"] == "100.01"
    assert body["report"]["last_qty"] == "0.00000003"
    assert body["report"]["avg_px"] == "100.0133333333"
    assert "cum_notional" not in body["report"]


async def test_a_refusal_by_the_core_is_an_answer_too(harness: Harness) -> None:
    answer_all(
        harness,
        exec_type=ExecType.DENIED,
        ord_status=OrdStatus.DENIED,
        reason=Reason.MAX_NOTIONAL,
    )
    response = await call(harness, "POST", "/v1/orders", ORDER)
    assert response.status_code == 200
    assert response.json()["outcome"] == "denied"
    assert response.json()["report"]["reason"] == "MAX_NOTIONAL"


async def test_a_repeated_order_is_answered_with_the_original(harness: Harness) -> None:
    answer_all(
        harness,
        exec_type=ExecType.DENIED,
        ord_status=OrdStatus.FILLED,
        reason=Reason.DUPLICATE_CL_ORD_ID,
    )
    response = await call(harness, "POST", "/v1/orders", ORDER)
    assert response.status_code == 200
    assert response.json()["outcome"] == "duplicate"
    assert response.json()["report"]["ord_status"] == "FILLED"


async def test_without_an_output_in_time_the_answer_is_durable(harness: Harness) -> None:
    response = await call(harness, "POST", "/v1/orders", ORDER)
    assert response.status_code == 202
    assert response.json() == {"outcome": "durable", "cl_ord_id": "c-1", "shard": 0, "seq": 1} | {
        "shard": subjects.shard_of("DEMO", 2)
    }


async def test_a_definite_no_of_the_journal_is_said(harness: Harness) -> None:
    harness.bus.refuses = True
    response = await call(harness, "POST", "/v1/orders", ORDER)
    assert (response.status_code, response.json()["code"]) == (503, "JOURNAL_UNAVAILABLE")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unknown("no answer"), 504, "OUTCOME_UNKNOWN"),
        (Refused("no leader"), 503, "JOURNAL_UNAVAILABLE"),
    ],
)
async def test_an_unknown_outcome_is_never_called_a_refusal(
    harness: Harness, error: Exception, status: int, code: str
) -> None:
    harness.bus.acks_at_once = False
    publish = harness.bus.publish_nowait

    def fail(*arguments: Any, **named: Any) -> Any:
        acked = publish(*arguments, **named)
        acked.set_exception(error)
        return acked

    harness.bus.publish_nowait = fail  # type: ignore[method-assign]
    response = await call(harness, "POST", "/v1/orders", ORDER)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["cl_ord_id"] == "c-1"
    assert "same cl_ord_id" in response.json()["detail"]


async def test_cancel_and_replace_name_the_order_in_the_path(harness: Harness) -> None:
    harness.instruments.remember("DEMO", "c-1", "BTC-USD")
    await call(harness, "DELETE", "/v1/orders/c-1?account=DEMO&request_id=x-1")
    body = {"account": "DEMO", "cl_ord_id": "r-1", "order_qty": "1", "price": "99"}
    await call(harness, "PUT", "/v1/orders/c-1", body)
    cancel, replace = (item.command for item in harness.bus.published)
    assert isinstance(cancel, CancelOrder)
    assert isinstance(replace, ReplaceOrder)
    assert (cancel.cl_ord_id, cancel.orig_cl_ord_id) == ("x-1", "c-1")
    assert (replace.cl_ord_id, replace.orig_cl_ord_id, replace.price) == ("r-1", "c-1", 9_900)


async def test_a_replace_of_an_order_of_another_gateway_asks_for_its_instrument(
    harness: Harness,
) -> None:
    shard = subjects.shard_of("DEMO", 2)
    order = {"account": "DEMO", "symbol": "X-Y", "order_qty": 1, "cum_qty": 0, "price": 1}
    harness.bus.answers[subjects.query_oms(shard, "order")] = {"ok": True, "order": order}
    body = {"account": "DEMO", "cl_ord_id": "r-1", "order_qty": "20", "price": "15"}
    await call(harness, "PUT", "/v1/orders/c-9", body)
    command = harness.bus.published[0].command
    assert isinstance(command, ReplaceOrder)
    assert (command.order_qty, command.price) == (2, 3)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "MALFORMED_JSON"),
        (b"{", 400, "MALFORMED_JSON"),
        (b"\xff", 400, "MALFORMED_JSON"),
        (b"[]", 400, "INVALID_FIELD"),
        ({**ORDER, "x": 1}, 400, "UNKNOWN_FIELD"),
        ({**ORDER, "order_qty": "NaN"}, 422, "BAD_NUMBER"),
        ({**ORDER, "order_qty": "-1"}, 422, "NOT_POSITIVE"),
        ({**ORDER, "price": "100.001"}, 422, "OFF_GRID"),
        ({**ORDER, "cl_ord_id": "x" * 37}, 400, "INVALID_FIELD"),
        ({**ORDER, "account": "ALPHA"}, 403, "ACCOUNT_NOT_ALLOWED"),
        (b" " * 20_000, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_bad_input_gets_a_code_and_no_entry(
    harness: Harness, body: Any, status: int, code: str
) -> None:
    response = await call(harness, "POST", "/v1/orders", body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "Traceback" not in response.text
    assert not harness.bus.published


async def test_a_replayed_request_is_refused_and_not_journaled(harness: Harness) -> None:
    body = json.dumps(ORDER).encode()
    headers = harness.signed("POST", "/v1/orders", body)
    assert (await call(harness, "POST", "/v1/orders", body, headers=headers)).status_code == 202
    again = await call(harness, "POST", "/v1/orders", body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (401, "REPLAYED_NONCE")
    assert len(harness.bus.published) == 1


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "UNKNOWN_KEY"), ({"TW-Key": "k1"}, "BAD_SIGNATURE"), ({"TW-Key": "k9"}, "UNKNOWN_KEY")],
)
async def test_an_unsigned_request_is_refused(
    harness: Harness, headers: dict[str, str], code: str
) -> None:
    response = await call(harness, "POST", "/v1/orders", ORDER, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, code)


async def test_an_unexpected_error_shows_an_incident_and_nothing_else(harness: Harness) -> None:
    def explode(*_arguments: Any, **_named: Any) -> Any:
        raise RuntimeError("secret detail")

    harness.bus.publish_nowait = explode  # type: ignore[method-assign]
    response = await call(harness, "POST", "/v1/orders", ORDER)
    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL")
    assert "Incident" in response.text
    assert "secret detail" not in response.text


async def test_the_trace_of_the_caller_travels_with_the_order(harness: Harness) -> None:
    traceparent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    body = json.dumps(ORDER).encode()
    headers = harness.signed("POST", "/v1/orders", body) | {"traceparent": traceparent}
    response = await call(harness, "POST", "/v1/orders", body, headers=headers)
    ours = response.headers["traceparent"]
    assert (ours[:36], ours[52:], ours != traceparent) == (traceparent[:36], "-01", True)
    published = harness.bus.published[0].headers
    assert (published["traceparent"], published["Tw-Parent"]) == (ours, "b" * 16)


async def test_a_status_request_about_no_order_is_denied(harness: Harness) -> None:
    def answer(published: Published, seq: int) -> None:
        command = published.command
        assert isinstance(command, RequestStatus)
        entry = Entry(seq=seq, ts_ns=NOW_NS, command=command)
        report = of_no_order(command, entry, ExecType.ORDER_STATUS, Reason.UNKNOWN_ORDER)
        harness.output(published.shard, seq, report)

    harness.bus.on_published = answer
    response = await call(harness, "POST", "/v1/orders/c-9/status?account=DEMO")
    assert response.json()["outcome"] == "denied"
    assert response.json()["report"]["reason"] == "UNKNOWN_ORDER"
    missing = await call(harness, "POST", "/v1/orders/c-9/status")
    assert missing.json()["code"] == "INVALID_FIELD"


async def test_a_report_tells_every_term_of_the_order_and_its_fee(harness: Harness) -> None:
    answer_all(
        harness,
        exec_type=ExecType.TRADE,
        stop_px=9_950,
        display_qty=10_000_000,
        expire_ns=NOW_NS,
        algorithm="twap",
        fee_e8=-125_000_000,
        fee_currency="USD",
    )
    report = (await call(harness, "POST", "/v1/orders", ORDER)).json()["report"]
    assert (report["stop_px"], report["display_qty"]) == ("99.5", "0.1")
    assert (report["expire_ns"], report["algorithm"]) == (NOW_NS, "twap")
    assert (report["fee"], report["fee_currency"]) == ("-1.25", "USD")
    assert "fee_e8" not in report


async def test_positions_show_money_and_averages(harness: Harness) -> None:
    shard = subjects.shard_of("DEMO", 2)
    position = {
        "account": "DEMO",
        "symbol": "BTC-USD",
        "qty": -200_000_000,
        "cost": -200_000_000 * 10_000,
        "realised": 12_345,
        "buy_working": 0,
        "sell_working": 1,
        "bought_qty": 0,
        "sold_qty": 200_000_000,
    }
    other = position | {"account": "ALPHA"}
    harness.bus.answers[subjects.query_oms(shard, "positions")] = {
        "ok": True,
        "positions": [position, other],
    }
    response = await call(harness, "GET", "/v1/positions")
    (found,) = response.json()["positions"]
    assert (found["qty"], found["cost"], found["avg_px"]) == ("-2", "-200", "100")
    assert found["realised"] == "0.0000012345"


async def test_a_query_that_nobody_answers_says_so(harness: Harness) -> None:
    response = await call(harness, "GET", "/v1/orders?account=DEMO")
    assert (response.status_code, response.json()["code"]) == (503, "QUERY_TIMEOUT")
    response = await call(harness, "GET", "/v1/orders?account=ALPHA")
    assert (response.status_code, response.json()["code"]) == (403, "ACCOUNT_NOT_ALLOWED")


async def test_readiness_follows_the_bus(harness: Harness) -> None:
    assert (await call(harness, "GET", "/readyz", headers={})).status_code == 200
    harness.bus.is_connected = False
    assert (await call(harness, "GET", "/readyz", headers={})).status_code == 503
    assert (await call(harness, "GET", "/livez", headers={})).status_code == 200


async def test_paths_that_do_not_exist_have_codes_too(harness: Harness) -> None:
    response = await call(harness, "GET", "/v2/x", headers={})
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    response = await call(harness, "PATCH", "/v1/orders", headers={})
    assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_a_flag_is_true_or_false(harness: Harness) -> None:
    response = await call(harness, "GET", "/v1/orders?open_only=maybe")
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_FIELD")


async def test_the_openapi_document_lists_exactly_the_routes(harness: Harness) -> None:
    response = await call(harness, "GET", "/v1/openapi.json", headers={})
    document = response.json()
    served = {
        (method.lower(), route.path)
        for route in harness.application.routes
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD"
    }
    written = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert written == served
    assert document["components"]["schemas"]["SubmitBody"]["additionalProperties"] is False
    problem = openapi.DOCUMENT["components"]["schemas"]["Problem"]["properties"]
    assert problem["code"]["enum"] == sorted(CODES)
