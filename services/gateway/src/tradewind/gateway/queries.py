# SPDX-License-Identifier: Apache-2.0
"""Questions to the order-management replicas, with the answers as clients see them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.grid import Grid
from tradewind.common.jetstream import Bus
from tradewind.core.bounds import UNSET
from tradewind.gateway import views
from tradewind.gateway.auth import Key
from tradewind.gateway.errors import Refusal, RefusedRequest, refusal
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.pages import Page
from tradewind.gateway.projection import projected

TIMEOUT_MS = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Positions after a shard's output of that ordinal."""

    shard: int
    ordinal: int
    positions: list[dict[str, Any]]


class Queries:
    """Asks the shards and filters by what a key may see."""

    def __init__(self, bus: Bus, instruments: Instruments, shards: int) -> None:
        self._bus = bus
        self._instruments = instruments
        self._shards = shards

    async def orders(
        self, key: Key, account: str | None, *, is_open_only: bool, page: Page
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Orders of one account, or of all that the key may use, and where the next page begins.

        Shard by shard, in each the newest first: what is entered meanwhile moves no page.
        """
        wanted = {account} if account is not None else set(key.accounts)
        question = {
            "accounts": None if "*" in wanted else sorted(wanted),
            "open_only": is_open_only,
        }
        found: list[dict[str, Any]] = []
        for shard in (shard for shard in self._shards_of(wanted) if shard >= page.shard):
            before_seq = page.before_seq if shard == page.shard else None
            left = page.limit + 1 - len(found)
            told = await self._ask(
                shard, "orders", {**question, "limit": left, "before_seq": before_seq}
            )
            found += [order | {"shard": shard} for order in told["orders"]]
            if len(found) > page.limit:
                break
        shown = found[: page.limit]
        more = str(Page(shown[-1]["shard"], shown[-1]["seq"])) if len(found) > len(shown) else None
        return [self._order_view(order) for order in shown], more

    async def order(self, account: str, cl_ord_id: str) -> dict[str, Any]:
        """One order by any of the ids it has had.

        Raises:
            RefusedRequest: UNKNOWN_ORDER if there is none, ORDER_DENIED if there never was one
                because the request was denied, ORDER_RETIRED if it ended on an earlier day.
        """
        shard = subjects.shard_of(account, self._shards)
        question = {"account": account, "cl_ord_id": cl_ord_id}
        answer = await self._ask(shard, "order", question)
        order = answer.get("order")
        if order is None:
            raise RefusedRequest(_why_not(answer))
        self._instruments.remember(account, cl_ord_id, order["symbol"])
        return self._order_view(order)

    async def positions(
        self, key: Key, account: str | None, by: tuple[str, ...] | None
    ) -> list[dict[str, Any]]:
        """Positions of one account, or of all that the key may use.

        `by` names the attributes to tell them apart by, None for account and symbol. Positions in
        different instruments are never added up.
        """
        what = "positions" if by is None else "ledgers"
        answers = await self._ask_all(key, account, what, {})
        rows = [
            row
            for answer in answers
            for row in answer[what]
            if account in (None, row["account"]) and key.may_use(row["account"])
        ]
        found = []
        for row in rows if by is None else projected(rows, by):
            grid = self._instruments.grid(row["symbol"])
            if grid is not None:
                found.append(views.of_position(row, grid))
        return found

    async def positions_now(self, account: str) -> Standing:
        """An account's positions, and up to which output."""
        shard = subjects.shard_of(account, self._shards)
        answer = await self._ask(shard, "positions", {"account": account})
        grids = ((row, self._instruments.grid(row["symbol"])) for row in answer["positions"])
        rows = [views.of_position(row, grid) for row, grid in grids if grid is not None]
        return Standing(shard, answer["ordinal"], rows)

    async def limits(self, key: Key, account: str | None) -> dict[str, Any]:
        """Limits of one account, or of all that the key may use, in decimals."""
        answers = await self._ask_all(key, account, "limits", {})

        def rows(kind: str) -> list[dict[str, Any]]:
            return [
                row
                for answer in answers
                for row in answer[kind]
                if account in (None, row["account"])
                and key.may_use(row["account"])
                # Those of other shards' accounts are there too, but decide nothing.
                and subjects.shard_of(row["account"], self._shards) == answer["shard"]
            ]

        grids = ((row, self._instruments.grid(row["symbol"])) for row in rows("limits"))
        return {
            "limits": [views.of_limits(row, grid) for row, grid in grids if grid is not None],
            "account_limits": [views.of_account_limits(row) for row in rows("account_limits")],
            "scope_limits": self._of_scopes(key, answers, "scope_limits"),
            "proposed": self._of_scopes(key, answers, "proposed"),
            "parts": self._parts(key, answers),
        }

    def _parts(self, key: Key, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """For keys of all accounts: which part of a bound over all shards each of them has."""
        if "*" not in key.accounts:
            return []
        rows = [
            row | {"shard": answer["shard"]}
            for answer in answers
            for row in answer.get("parts", ())
            if row["limit"] != UNSET
        ]
        rows.sort(key=lambda row: (row["scope"], row["bound"], row["shard"]))
        return [views.of_part(row, self._grid_of(row["scope"])) for row in rows]

    def _of_scopes(
        self, key: Key, answers: list[dict[str, Any]], kind: str
    ) -> list[dict[str, Any]]:
        """For keys of all accounts: each scope's limits, and the shards in which they hold."""
        if "*" not in key.accounts:
            return []
        found: list[dict[str, Any]] = []
        shards: list[list[int]] = []
        for answer in answers:
            for row in answer[kind]:
                if row not in found:
                    found.append(row)
                    shards.append([])
                shards[found.index(row)].append(answer["shard"])
        return [
            views.of_scope_limits(row, self._grid_of(row.get("scope", ""))) | {"shards": where}
            for row, where in zip(found, shards, strict=True)
        ]

    def _grid_of(self, scope: str) -> Grid | None:
        return self._instruments.grid(scope.rpartition("symbol:")[2])

    async def kills(self) -> dict[str, Any]:
        """What the kill switch has stopped, by shard, with orders that still may trade."""
        answers = await asyncio.gather(
            *(self._ask(shard, "kills", {}) for shard in range(self._shards))
        )
        return {
            "kills": [
                row | {"shard": shard}
                for shard, answer in enumerate(answers)
                for row in answer["kills"]
            ],
            "unconfirmed": [
                self._order_view(order) for answer in answers for order in answer["unconfirmed"]
            ],
        }

    async def states(self) -> list[dict[str, Any]]:
        """Where each shard is; a shard that does not answer says so."""
        return await asyncio.gather(*(self._state(shard) for shard in range(self._shards)))

    async def _state(self, shard: int) -> dict[str, Any]:
        try:
            return await self._ask(shard, "state", {})
        except RefusedRequest as error:
            return {"shard": shard, "ok": False, "code": error.refusal.code}

    async def _ask_all(
        self, key: Key, account: str | None, what: str, question: dict[str, Any]
    ) -> list[dict[str, Any]]:
        wanted = {account} if account is not None else set(key.accounts)
        return await asyncio.gather(
            *(self._ask(shard, what, question) for shard in self._shards_of(wanted))
        )

    def _shards_of(self, accounts: Iterable[str]) -> list[int]:
        names = set(accounts)
        if "*" in names:
            return list(range(self._shards))
        return sorted({subjects.shard_of(name, self._shards) for name in names})

    async def _ask(self, shard: int, what: str, question: dict[str, Any]) -> dict[str, Any]:
        try:
            body = await self._bus.request(
                subjects.query_oms(shard, what), msgspec.json.encode(question), TIMEOUT_MS
            )
        except BusError as error:
            raise RefusedRequest(refusal("QUERY_TIMEOUT")) from error
        answer: dict[str, Any] = msgspec.json.decode(body)
        if not answer.get("ok"):
            raise RefusedRequest(refusal("QUERY_TIMEOUT", str(answer.get("text", ""))))
        return answer

    def _order_view(self, order: dict[str, Any]) -> dict[str, Any]:
        return views.of_order(order, self._instruments.grid(order.get("symbol", "")))


def _why_not(answer: dict[str, Any]) -> Refusal:
    """Why there is no order of an id."""
    if answer.get("denied"):
        return refusal("ORDER_DENIED", f"{answer['denied']}:")
    return refusal("ORDER_RETIRED" if answer.get("is_retired") else "UNKNOWN_ORDER")
