# SPDX-License-Identifier: Apache-2.0
"""Every request beyond a plain order, through a real gateway to real replicas."""

import asyncio
from typing import Any

import pytest

from tradewind.cli.client import GatewayClient, GatewayError
from tradewind.common import subjects
from tradewind.common.jetstream import StreamReader
from tradewind.common.testing import eventually

from .conftest import OPERATOR, SHARDS, SUPERVISOR, TRADER, Platform

pytestmark = [pytest.mark.anyio, pytest.mark.cluster]

CORRUPT = 70
"""How a replica ends at an entry that it cannot apply."""

ORDER = {
    "account": "BENCH0",
    "symbol": "BTC-USD",
    "side": "BUY",
    "ord_type": "LIMIT",
    "time_in_force": "GTC",
    "order_qty": "1",
    "price": "100000",
    "strategy": "s1",
}
ETHER = {
    "symbol": "ETH-USD",
    "venue": "SIM",
    "tick_size": "0.05",
    "lot_size": "0.001",
    "currency": "USD",
}


async def test_traders_send_every_kind_of_request(platform: Platform) -> None:
    async with GatewayClient(platform.url, TRADER) as trader:
        terms = {"ord_type": "STOP_LIMIT", "stop_px": "101000", "price": "101500"}
        stop = await trader.submit({**ORDER, **terms, "cl_ord_id": "stop", "display_qty": "0.5"})
        assert stop["outcome"] == "accepted", stop
        assert (stop["report"]["stop_px"], stop["report"]["display_qty"]) == ("101000", "0.5")
        bad = await trader.submit({**ORDER, "cl_ord_id": "bad", "display_qty": "2"})
        assert bad["report"]["reason"] == "INVALID_DISPLAY_QUANTITY"
        dated = {"time_in_force": "GTD", "expire_ns": 1}
        past = await trader.submit({**ORDER, **dated, "cl_ord_id": "past"})
        assert past["report"]["reason"] == "INVALID_EXPIRE_TIME"
        parent = {**ORDER, "cl_ord_id": "parent", "is_parent": True}
        assert (await trader.submit(parent))["report"]["ord_status"] == "NEW"
        child = {**ORDER, "cl_ord_id": "child", "parent_cl_ord_id": "parent", "strategy": "s2"}
        assert (await trader.submit(child))["outcome"] == "accepted"
        told = await trader.ask_status("BENCH0", "stop")
        assert (told["outcome"], told["report"]["exec_type"]) == ("accepted", "ORDER_STATUS")
        nothing = await trader.ask_status("BENCH0", "never")
        assert (nothing["outcome"], nothing["report"]["reason"]) == ("denied", "UNKNOWN_ORDER")
        flat = {"account": "BENCH0", "cl_ord_id": "f", "symbol": "BTC-USD", "strategy": "s1"}
        flattened = await trader.flatten(flat)
        assert flattened["report"]["reason"] == "NOTHING_TO_FLATTEN"
        request = {"account": "BENCH0", "cl_ord_id": "m", "strategy": "s2"}
        canceled = await trader.mass_cancel(request)
        assert (canceled["outcome"], canceled["report"]["order_count"]) == ("accepted", 1)
        again = await trader.mass_cancel(request)
        assert again["outcome"] == "duplicate"


async def test_operators_entries_are_in_every_shard_in_their_name(platform: Platform) -> None:
    async with GatewayClient(platform.url, OPERATOR) as operator:
        session = {"venue": "SIM", "status": "HALTED", "trading_date": "2026-03-02"}
        halted = await operator.operate("trading-session", session)
        assert [row["outcome"] for row in halted["shards"]] == ["accepted"] * SHARDS
        async with GatewayClient(platform.url, TRADER) as trader:
            denied = await trader.submit({**ORDER, "cl_ord_id": "closed"})
            assert denied["report"]["reason"] == "VENUE_HALTED"
        await operator.operate("trading-session", session | {"status": "OPEN"})
        day = {"trading_date": "2026-03-03"}
        assert (await operator.operate("roll-day", day))["outcome"] == "accepted"
        twice = await operator.operate("roll-day", day)
        assert twice["outcome"] == "denied"
        assert twice["shards"][0]["report"]["reason"] == "INVALID_DATE"
        everything = await operator.operate("mass-cancel", {"cl_ord_id": "all"})
        assert [row["report"]["order_count"] for row in everything["shards"]] == [0] * SHARDS
        adjusted = {
            "account": "BENCH0",
            "cl_ord_id": "a",
            "symbol": "BTC-USD",
            "qty": "2",
            "price": "100000",
            "reason": "give-up",
        }
        assert (await operator.operate("positions/adjust", adjusted))["outcome"] == "accepted"
        (position,) = await operator.positions("BENCH0")
        assert (position["qty"], position["avg_px"]) == ("2", "100000")
        reset = {name: adjusted[name] for name in ("account", "symbol", "reason")}
        await operator.operate("positions/reset", {**reset, "cl_ord_id": "z"})
        (position,) = await operator.positions("BENCH0")
        assert position["qty"] == "0"
    for shard in range(SHARDS):
        assert await actors(platform, shard, "RollDay") == ["ops", "ops"]


async def actors(platform: Platform, shard: int, name: str) -> list[str]:
    """Who is named in the headers of a shard's control entries of this kind."""
    stream = subjects.journal_stream(shard)
    info: dict[str, Any] = await platform.bus.api(f"STREAM.INFO.{stream}")
    last = info["state"]["last_seq"]
    live = subjects.live(subjects.journal_all(shard))
    reader = StreamReader(platform.bus, stream, live, 1)
    await reader.open()
    found: list[str] = []
    seq = 0
    while seq < last:
        for record in await reader.next_batch():
            seq = record.seq
            if record.subject == subjects.journal_control(shard, name):
                found.append(record.headers[subjects.HEADER_ACTOR])
    return found


async def test_an_instrument_comes_and_goes_while_all_runs(platform: Platform) -> None:
    async with (
        GatewayClient(platform.url, OPERATOR) as operator,
        GatewayClient(platform.url, TRADER) as trader,
    ):
        order = {**ORDER, "symbol": "ETH-USD", "cl_ord_id": "e-1", "price": "2000.05"}
        with pytest.raises(GatewayError, match="No such instrument"):
            await trader.submit(order)
        assert (await operator.operate("instruments", ETHER))["outcome"] == "accepted"

        async def is_known() -> bool:
            return ETHER in await trader.instruments()

        await eventually(is_known)
        denied = await trader.submit(order)
        assert denied["report"]["reason"] == "LIMIT_MISSING"
        limits = {"account": "BENCH0", "symbol": "ETH-USD", "version": 1}
        bounds = {"max_order_qty": "5", "max_notional": "10000", "max_position": "5"}
        ages = {"collar_bps": 500, "max_reference_age_ms": 60_000}
        assert (await operator.operate("limits", limits | bounds | ages))["outcome"] == "accepted"
        found = (await operator.limits("BENCH0"))["limits"]
        assert limits | bounds | ages in found
        denied = await trader.submit({**order, "cl_ord_id": "e-2"})
        assert denied["report"]["reason"] == "NO_REFERENCE_PRICE"
        assert (await operator.remove_instrument("ETH-USD"))["outcome"] == "accepted"

        async def is_gone() -> bool:
            return ETHER not in await trader.instruments()

        await eventually(is_gone)


async def test_an_accounts_exposure_is_bounded_over_all_instruments(platform: Platform) -> None:
    async with (
        GatewayClient(platform.url, OPERATOR) as operator,
        GatewayClient(platform.url, TRADER) as trader,
    ):
        bound = {"account": "BENCH0", "max_gross": "100000", "max_rate_age_ms": 1}
        answer = await operator.operate("account-limits", bound | {"version": 1})
        assert answer["outcome"] == "accepted"
        blind = await trader.submit({**ORDER, "cl_ord_id": "g-1"})
        assert blind["report"]["reason"] == "STALE_FX_RATE"
        wider = bound | {"version": 2, "max_rate_age_ms": 60_000}
        assert (await operator.operate("account-limits", wider))["outcome"] == "accepted"
        rate = {"currency": "USD", "rate": "1"}
        assert (await operator.operate("fx-rates", rate))["outcome"] == "accepted"
        assert (await trader.submit({**ORDER, "cl_ord_id": "g-2"}))["outcome"] == "accepted"
        over = await trader.submit({**ORDER, "cl_ord_id": "g-3", "order_qty": "0.00000001"})
        assert over["report"]["reason"] == "MAX_EXPOSURE"
        (limits,) = (await trader.limits("BENCH0"))["account_limits"]
        assert (limits["max_gross"], limits["gross"]) == ("100000", "100000")


async def test_limits_of_scopes_take_two_people_a_new_version_and_say_what_they_refuse(
    platform: Platform,
) -> None:
    async with (
        GatewayClient(platform.url, OPERATOR) as operator,
        GatewayClient(platform.url, SUPERVISOR) as second,
        GatewayClient(platform.url, TRADER) as trader,
    ):
        bound = {"scope": "account:BENCH1", "version": 1, "max_order_value": "50000"}
        assert (await operator.operate("scope-limits", bound))["outcome"] == "accepted"
        order = {**ORDER, "account": "BENCH1"}
        over = (await trader.submit({**order, "cl_ord_id": "s-1"}))["report"]
        assert over["reason"] == "MAX_NOTIONAL"
        assert over["text"].startswith("C02 10000000000000 of 5000000000000 in account:BENCH1")
        assert (await operator.operate("logic", {"flag": "four-eyes"}))["outcome"] == "accepted"
        stale = await operator.operate("scope-limits", bound)
        assert stale["shards"][0]["report"]["reason"] == "STALE_VERSION"
        wider = bound | {"version": 2, "max_order_value": "200000"}
        assert (await operator.operate("scope-limits", wider))["outcome"] == "accepted"
        assert (await trader.submit({**order, "cl_ord_id": "s-2"}))["outcome"] == "denied"
        proposed = (await operator.limits())["proposed"]
        assert [row["subject"] for row in proposed] == ["SetScopeLimits account:BENCH1"]
        word = {"subject": "SetScopeLimits account:BENCH1", "version": 2}
        alone = await operator.operate("approve-limits", word)
        assert alone["shards"][0]["report"]["reason"] == "SECOND_PERSON_NEEDED"
        assert (await second.operate("approve-limits", word))["outcome"] == "accepted"
        assert (await trader.submit({**order, "cl_ord_id": "s-3"}))["outcome"] == "accepted"
        found = await operator.limits()
        (row,) = [row for row in found["scope_limits"] if row["scope"] == "account:BENCH1"]
        assert (row["max_order_value"], row["actor"]) == ("200000", "ops")
        assert row["second_actor"] == "second"
        assert not found["proposed"]
    await poison_and_skip(platform, subjects.shard_of("BENCH1", SHARDS), order)


async def poison_and_skip(platform: Platform, shard: int, order: dict[str, Any]) -> None:
    """No replica can apply an entry; one person alone does not help, whomever they name."""
    replica = f"oms-{shard}-0"
    poison = await platform.bus.publish(f"journal.{shard}.cmd.BENCH1", b"{}")
    wanted = {"shard": shard, "seq": poison.seq, "reason": "unreadable"}

    async def stops(text: str) -> None:
        process = platform.processes.pop(replica)
        assert await asyncio.to_thread(process.wait, 20.0) == CORRUPT
        assert text in platform.log(replica)

    await stops("Two people may decide")
    async with (
        GatewayClient(platform.url, OPERATOR) as operator,
        GatewayClient(platform.url, SUPERVISOR) as second,
        GatewayClient(platform.url, TRADER) as trader,
    ):
        with pytest.raises(GatewayError) as refused:
            await operator.operate("skip-entry", wanted | {"second_actor": "second"})
        assert refused.value.code == "UNKNOWN_FIELD", "whoever it is says so, not the first"
        for _word in range(2):
            assert (await operator.operate("skip-entry", wanted))["outcome"] == "durable"
        platform.start_replica(shard)
        await stops("ops has asked for it: another person has to")
        assert (await second.operate("skip-entry", wanted))["outcome"] == "durable"
        platform.start_replica(shard)
        refusals: list[str | None] = []

        async def is_taken() -> bool:
            """Until the gateway has heard what came of the words, it takes no new orders."""
            try:
                answer = await trader.submit({**order, "cl_ord_id": "behind"})
            except GatewayError as error:
                refusals.append(error.code)
                return False
            return bool(answer["outcome"] in ("accepted", "duplicate"))

        await eventually(is_taken, 20.0)
        assert set(refusals) <= {"NOT_PROCESSING"}
        assert "skipped by ops and second: unreadable" in platform.log(replica)
