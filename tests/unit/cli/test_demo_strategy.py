# SPDX-License-Identifier: Apache-2.0
"""The demo strategy repeats what was not answered, unchanged, and keeps its position small."""

from decimal import Decimal
from typing import Any

from tradewind.cli.client import Message
from tradewind.cli.demo_strategy.strategy import (
    GIVE_UP_AFTER_S,
    MAX_POSITION,
    REPEAT_AFTER_S,
    DemoStrategy,
)

BID, ASK = 9_999, 10_001


def made(seed: int = 7) -> DemoStrategy:
    return DemoStrategy("DEMO", "BTC-USD", Decimal("0.01"), seed)


def report(request: Message, order_id: str, exec_type: str, status: str, **more: Any) -> Message:
    body = {
        "account": "DEMO",
        "strategy": "demo",
        "order_id": order_id,
        "cl_ord_id": request["cl_ord_id"],
        "exec_type": exec_type,
        "ord_status": status,
        "side": request.get("side", "BUY"),
        "order_qty": request.get("order_qty", "1"),
        "last_qty": "0",
    }
    return {"type": "report", "report": body | more}


def test_an_unanswered_request_is_repeated_unchanged_until_it_is_answered() -> None:
    strategy = made()
    first = strategy.next(BID, ASK, 0.0)
    assert strategy.due(REPEAT_AFTER_S / 2) == []
    assert strategy.due(REPEAT_AFTER_S + 0.1) == [first]
    assert strategy.due(REPEAT_AFTER_S + 0.2) == []
    strategy.take(error(first, "OUTCOME_UNKNOWN"))
    assert strategy.due(3 * REPEAT_AFTER_S) == [first]
    strategy.take(report(first, "o-1", "PENDING_NEW", "PENDING_NEW"))
    assert strategy.due(9 * REPEAT_AFTER_S) == []


def test_a_refused_request_is_not_repeated() -> None:
    strategy = made()
    first = strategy.next(BID, ASK, 0.0)
    strategy.take(error(first, "OFF_GRID"))
    assert strategy.due(GIVE_UP_AFTER_S / 2) == []


def test_ids_differ_between_requests_and_runs() -> None:
    ids = [
        strategy.next(BID, ASK, 0.0)["cl_ord_id"]
        for strategy in (made(1_700_000_000_000), made(1_700_000_000_001))
        for _ in range(100)
    ]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 36


def test_it_leans_against_its_position() -> None:
    strategy = made()
    strategy.position = MAX_POSITION
    assert {strategy.next(BID, ASK, 0.0)["side"] for _ in range(50)} == {"SELL"}
    strategy.position = -MAX_POSITION
    assert {strategy.next(BID, ASK, 0.0)["side"] for _ in range(50)} == {"BUY"}


def test_fills_move_the_position_and_finished_orders_are_forgotten() -> None:
    strategy = made()
    request = strategy.next(BID, ASK, 0.0) | {"side": "SELL"}
    strategy.take(report(request, "o-1", "NEW", "NEW"))
    assert set(strategy.working) == {"o-1"}
    strategy.take(report(request, "o-1", "TRADE", "FILLED", last_qty="0.03"))
    assert strategy.position == Decimal("-0.03")
    assert not strategy.working


def test_reports_of_others_are_none_of_its_business() -> None:
    strategy = made()
    request = strategy.next(BID, ASK, 0.0)
    strategy.take(report(request, "o-1", "TRADE", "NEW", last_qty="5", strategy="desk"))
    strategy.take(report(request, "o-2", "TRADE", "NEW", last_qty="5", account="ALPHA"))
    assert strategy.position == 0
    assert not strategy.working


def test_it_changes_its_mind_about_orders_that_work() -> None:
    strategy = made()
    for number in range(4):
        request = strategy.next(BID, ASK, 0.0)
        strategy.take(report(request, f"o-{number}", "NEW", "NEW"))
    kinds = [strategy.next(BID, ASK, 0.0) for _ in range(20)]
    assert {item["type"] for item in kinds} == {"cancel"}
    assert all(item["orig_cl_ord_id"] for item in kinds)


def error(request: Message, code: str) -> Message:
    body = {"code": code, "text": ""}
    return {"type": "error", "cl_ord_id": request["cl_ord_id"], "error": body}
