# SPDX-License-Identifier: Apache-2.0
"""The benchmark's arithmetic, and that its orders are what a gateway would journal."""

from itertools import islice
from pathlib import Path

import msgspec

from tradewind.cli.bench import orders
from tradewind.cli.bench.figures import percentiles_us, ratio
from tradewind.cli.bench.order_path import Samples, venue_latencies
from tradewind.common import codec, subjects
from tradewind.common.init_job.defaults import BENCH_ACCOUNTS
from tradewind.common.jetstream import Message
from tradewind.core.commands import SubmitOrder
from tradewind.core.types import Side


def test_percentiles_are_nearest_ranks_in_microseconds() -> None:
    samples_ns = [number * 1000 for number in range(1000)]
    assert percentiles_us(samples_ns) == {"p50": 500.0, "p99": 990.0, "p999": 999.0}
    assert percentiles_us([7000]) == {"p50": 7.0, "p99": 7.0, "p999": 7.0}
    assert percentiles_us([]) == {"p50": None, "p99": None, "p999": None}


def test_a_ratio_of_nothing_is_nothing() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is None
    assert ratio(1.0, None) is None
    assert ratio(1.0, 0.0) is None


def test_resting_orders_are_spread_over_the_accounts_and_their_shards() -> None:
    requests = list(islice(orders.resting("run", 1000, 2), 16))
    commands = [codec.decode_command(request.body) for request in requests]
    assert [request.cl_ord_id for request in requests] == [f"run-{n}" for n in range(16)]
    for request, command in zip(requests, commands, strict=True):
        assert isinstance(command, SubmitOrder)
        assert (command.side, command.price) == (Side.BUY, 500)
        assert request.shard == subjects.shard_of(command.account, 2)
        assert request.subject == f"journal.{request.shard}.cmd.{command.account}"
    assert {subjects.shard_of(account, 2) for account in BENCH_ACCOUNTS} == {0, 1}


def test_crossing_orders_buy_above_and_sell_below_the_market() -> None:
    commands = [
        codec.decode_command(request.body) for request in islice(orders.crossing("r", 1000, 2), 16)
    ]
    terms = {(it.side, it.price) for it in commands if isinstance(it, SubmitOrder)}
    assert terms == {(Side.BUY, 1050), (Side.SELL, 950)}


def test_the_venues_own_log_is_joined_by_order_id(tmp_path: Path) -> None:
    samples = Samples()
    samples.sent_wall_ns = {"a": 1_000, "b": 2_000}
    samples.order_ids = {"a": "seg-0-1", "b": "seg-0-2"}
    log = tmp_path / "venue.jsonl"
    lines = [
        {"kind": "in", "ts_ns": 5_000, "msg": {"op": "new", "cl_id": "seg-0-1"}},
        {"kind": "in", "ts_ns": 6_000, "msg": {"op": "cancel", "cl_id": "seg-0-2"}},
        {"kind": "in", "ts_ns": 9_000, "msg": {"op": "new", "cl_id": "seg-0-2"}},
        {"kind": "in", "ts_ns": 9_500, "msg": {"op": "new", "cl_id": "somebody-else"}},
    ]
    log.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines) + b"\n")
    assert venue_latencies(log, samples) == [4_000, 7_000]
    assert venue_latencies(None, samples) == []


def test_reports_of_others_are_not_counted() -> None:
    samples = Samples()
    samples.on_report(Message("live.events.0.order.X", b'{"exec_type":"TRADE"}'))
    assert samples.accepted_ns == []
