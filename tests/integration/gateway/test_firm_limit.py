# SPDX-License-Identifier: Apache-2.0
"""The firm's limit over two shards: clients race for its room while a process of risk is killed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tradewind.cli.client import GatewayClient, GatewayError, Message
from tradewind.cli.verify import exit_code, verify
from tradewind.common import codec, subjects
from tradewind.common.testing import eventually
from tradewind.core.commands import Command, GiveShare, TakeShare

from .conftest import ANYBODY, OPERATOR, SHARDS, Platform
from .test_alerts import start_risk
from .test_gateway import order

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

LIMIT = 40
BOUND = "max_open_orders"
SPARE = "max_turnover_e8"
ACCOUNTS = ("BENCH0", "BENCH4")
CLIENTS = {"BENCH0": 4, "BENCH4": 1}
"""Most of the clients are in one shard, so it needs more than its half."""

MUCH = "1000000000"
BOUNDS = {
    "scope": "firm",
    "version": 2,
    "max_open_orders": LIMIT,
    "max_move_bps": 10_000,
    "max_jump_bps": 5_000,
    "max_duplicates": 2_000,
    "max_messages": 10_000,
    "max_children": 10,
    "max_orders_per_trade": 1_000_000,
    "allows_self_match": True,
    "allows_gtc": True,
    **dict.fromkeys(
        ("max_order_value", "max_open_value", "max_gross", "max_net", "max_turnover"), MUCH
    ),
}


class Race:
    """Clients that send one order after the other, and what became of them."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.accepted = 0
        self.is_under_way = asyncio.Event()
        self.refused: list[str] = []
        self.waits_s: list[float] = []

    async def run(self, account: str, number: int) -> None:
        """Until the limit is reached; a refused order is tried again under another id."""
        count, since_s = 0, None
        while self.accepted < LIMIT:
            count += 1
            if await self.send(account, f"r{number}-{count}"):
                if since_s is not None:
                    self.waits_s.append(time.monotonic() - since_s)
                since_s = None
            else:
                since_s = since_s or time.monotonic()

    async def send(self, account: str, cl_ord_id: str) -> bool:
        told = await surely(lambda: self._client.submit(order(cl_ord_id, account=account)))
        is_accepted = bool(told["report"]["ord_status"] != "DENIED")
        self.accepted += is_accepted
        if self.accepted >= LIMIT // 4:
            self.is_under_way.set()
        if not is_accepted:
            self.refused.append(told["report"]["reason"])
        return is_accepted


async def surely(ask: Callable[[], Awaitable[Message]]) -> Message:
    """Asks again until the answer says what became of it: safe with the same id or version."""

    async def answer() -> Message | None:
        try:
            told = await ask()
        except GatewayError:
            return None
        return None if told["outcome"] == "durable" else told

    told: Message = await eventually(answer, 20.0)
    return told


async def parts(operator: GatewayClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await operator.limits())["parts"]
    return [row for row in rows if row["bound"] == BOUND]


async def judge_transfers(platform: Platform) -> None:
    """What shards gave is what they took; units that nobody gave are found."""
    auditor = platform.cluster.settings("auditor")
    # Where the race has moved nothing, this does; else it is refused, as it is not next.
    await put(platform, 0, GiveShare(scope="firm", bound=SPARE, shard=1, number=1, units=1_000))

    async def has_moved() -> Message | None:
        report = await verify(auditor, SHARDS, [])
        assert (report["holds"], report["shares"]["problems"]) == (True, [])
        return report["shares"] if report["shares"]["transfers"] else None

    assert (await eventually(has_moved, 20.0))["equal"] is True
    await put(
        platform, 1, TakeShare(scope="venue:NONE", bound=BOUND, shard=0, number=1, units=1_000)
    )
    report = await verify(auditor, SHARDS, [])
    assert exit_code(report) == 1
    assert all(shard["holds"] for shard in report["shards"]), "each by itself did as it was told"
    found = {problem["code"] for problem in report["shares"]["problems"]}
    assert found == {"SHARE_NOT_GIVEN", "SHARES_NOT_WHOLE"}


async def put(platform: Platform, shard: int, command: Command) -> None:
    await platform.bus.publish(subjects.journal_subject(shard, command), codec.encode(command))


async def test_racing_clients_of_two_shards_meet_the_firms_limit_to_the_order(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    for rank in (0, 1):
        start_risk(platform, rank)
    async with (
        GatewayClient(platform.url, OPERATOR) as operator,
        GatewayClient(platform.url, ANYBODY) as client,
    ):
        await surely(lambda: operator.operate("scope-limits", BOUNDS))

        async def is_agreed() -> bool:
            rows = await parts(operator)
            return [(row["limit"], row["is_agreed"]) for row in rows] == [(LIMIT, True)] * SHARDS

        await eventually(is_agreed, 20.0)
        race = Race(client)
        runs = [
            race.run(account, 10 * place + number)
            for place, account in enumerate(ACCOUNTS)
            for number in range(CLIENTS[account])
        ]

        async def harm() -> None:
            await race.is_under_way.wait()
            platform.kill("risk-0")

        await asyncio.wait_for(asyncio.gather(*runs, harm()), 60.0)
        after = [await race.send(account, f"after-{n}") for account in ACCOUNTS for n in range(5)]
        assert not any(after)
        assert race.accepted == LIMIT
        assert set(race.refused) <= {"MAX_OPEN_ORDERS", "MESSAGE_RATE"}
        rows = await parts(operator)
        assert sum(row["used"] for row in rows) == sum(row["part"] for row in rows) == LIMIT
        await judge_transfers(platform)
    with capsys.disabled():
        waits = sorted(round(wait * 1000) for wait in race.waits_s)
        print(f"\n{len(race.refused)} refused; room came after {waits} ms")
