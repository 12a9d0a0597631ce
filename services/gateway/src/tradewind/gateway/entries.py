# SPDX-License-Identifier: Apache-2.0
"""Entries that operators make: in one shard or in all of them, each with the operator's name."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.common import trace
from tradewind.core.commands import (
    AdjustPosition,
    Command,
    ResetPosition,
    SetAccountLimits,
    SetLimits,
)
from tradewind.gateway.auth import Key
from tradewind.gateway.calls import Calls, json_response, problem_response

Finish = Callable[[], Awaitable[None]]


AccountCommand = AdjustPosition | ResetPosition | SetLimits | SetAccountLimits


@dataclass(frozen=True, slots=True)
class OperatorEntries:
    """Puts operators' commands into journals and says what became of them."""

    calls: Calls
    shards: int

    async def signed(self, request: Request, scope: str = "admin") -> tuple[Key, bytes]:
        """An operator's key and the body; anybody else is refused."""
        return await self.calls.signed(request, scope)

    async def everywhere(
        self, request: Request, key: Key, command: Command, finish: Finish | None = None
    ) -> Response:
        """One entry in each shard."""
        return await self.in_shards(request, key, command, list(range(self.shards)), finish)

    async def of_account(self, request: Request, key: Key, command: AccountCommand) -> Response:
        """One entry in the shard of the command's account."""
        shard = self.calls.journal.shard_of(command.account)
        return await self.in_shards(request, key, command, [shard])

    async def in_shards(
        self,
        request: Request,
        key: Key,
        command: Command,
        shards: list[int],
        finish: Finish | None = None,
    ) -> Response:
        """One entry in each of these shards, all named in the answer; `finish` if all accepted."""
        traceparent, parent = self.calls.sampler.joined(request.headers.get(trace.HEADER))
        results = await asyncio.gather(
            *(
                self.calls.journaled(shard, command, traceparent, actor=key.client, parent=parent)
                for shard in shards
            )
        )
        rows: list[dict[str, Any]] = []
        for shard, (failed, seq, answer) in zip(shards, results, strict=True):
            if failed is not None:
                rows.append({"shard": shard, "seq": None, **failed.body()})
                continue
            outcome = "durable" if answer is None else answer.outcome
            row: dict[str, Any] = {"shard": shard, "seq": seq, "outcome": outcome}
            rows.append(row if answer is None else row | {"report": msgspec.Raw(answer.report)})
        failures = [failed for failed, _seq, _answer in results if failed is not None]
        if failures:
            return problem_response(failures[0], {"shards": rows}, traceparent)
        outcome = _worst([row["outcome"] for row in rows])
        if outcome == "accepted" and finish is not None:
            await finish()
        status = 202 if outcome == "durable" else 200
        return json_response(status, {"outcome": outcome, "shards": rows}, traceparent)


def _worst(outcomes: list[str]) -> str:
    """What the operator has to know first: one refusal is the answer, so is one silence."""
    for outcome in ("denied", "durable", "duplicate"):
        if outcome in outcomes:
            return outcome
    return "accepted"
