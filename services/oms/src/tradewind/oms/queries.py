# SPDX-License-Identifier: Apache-2.0
"""Questions that a replica answers from its own state."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from typing import Any

import msgspec

from tradewind.common import subjects
from tradewind.common.jetstream import Bus
from tradewind.core.decide_kill import cancels, is_killed
from tradewind.core.exposure import gross_e8
from tradewind.core.positions import ATTRIBUTES
from tradewind.core.state import Order, Position
from tradewind.oms.appender import Appender
from tradewind.oms.replica import Replica
from tradewind.oms.share_answers import shares_of

LIMIT_MAX = 1001
"""A page as large as clients may ask for, and one more that tells whether another follows."""
CHECKPOINTS_SHOWN = 200


class Queries:
    """Answers as JSON: {"ok": true, ...} or {"ok": false, "error": {"code", "text"}}."""

    def __init__(self, replica: Replica, appender: Appender, instance: str) -> None:
        self._replica = replica
        self._appender = appender
        self._instance = instance

    async def serve(self, bus: Bus) -> None:
        """Binds the answers to their subjects; any one replica answers, but all tell digests."""
        shard = self._replica.shard
        shared: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "orders": self.orders,
            "order": self.order,
            "positions": self.positions,
            "ledgers": self.ledgers,
            "limits": self.limits,
            "shares": self.shares,
            "kills": self.kills,
            "to-cancel": self.to_cancel,
            "state": self.state,
        }
        for what, answer in shared.items():
            await bus.serve(
                subjects.query_oms(shard, what),
                _handler(answer),
                queue=subjects.query_oms_group(shard),
            )
        await bus.serve(subjects.query_oms(shard, "digests"), _handler(self.digests))

    def orders(self, question: dict[str, Any]) -> dict[str, Any]:
        """The newest orders first: {"accounts", "open_only", "limit", "before_seq"}.

        `accounts` is null for all; `before_seq`, if given, leaves out that entry's and newer ones.
        """
        state = self._replica.machine.state
        accounts, before_seq = question.get("accounts"), question.get("before_seq")
        limit = min(int(question.get("limit") or LIMIT_MAX), LIMIT_MAX)
        table = state.live_orders if question.get("open_only") else state.orders
        wanted = (
            order
            for order in reversed(table.values())
            if (accounts is None or order.account in accounts)
            and (before_seq is None or order.seq < before_seq)
        )
        return {"orders": [_plain(order) for order in islice(wanted, limit)]}

    def order(self, question: dict[str, Any]) -> dict[str, Any]:
        """One order by any of its request ids: {"account", "cl_ord_id"}; null if there is none.

        Then `denied` is the reason if the id is one of a denied request, and `is_retired` says that
        the order ended on an earlier day.
        """
        state = self._replica.machine.state
        account, cl_ord_id = question["account"], question["cl_ord_id"]
        order = state.order_of(account, cl_ord_id)
        if order is not None:
            return {"order": _plain(order)}
        use = state.id_uses.get((account, cl_ord_id))
        return {
            "order": None,
            "denied": use.reason if use is not None else "",
            "is_retired": use is not None and use.order_id in state.retired,
        }

    def positions(self, question: dict[str, Any]) -> dict[str, Any]:
        """Positions of the shard, or of one {"account"}, after the output `ordinal`.

        `mark` is the reference price, null without one.
        """
        table, wanted = self._replica.machine.state.positions, question.get("account")
        return {
            "ordinal": self._replica.ordinal,
            "positions": [
                self._marked({"account": account, "symbol": symbol}, table[account, symbol])
                for account, symbol in sorted(table)
                if wanted in (None, account)
            ],
        }

    def ledgers(self, _question: dict[str, Any]) -> dict[str, Any]:
        """Positions by every attribute: any view of them is a sum of these rows."""
        table = self._replica.machine.state.ledgers
        return {
            "ledgers": [
                self._marked(dict(zip(ATTRIBUTES, key, strict=True)), table[key])
                for key in sorted(table)
            ]
        }

    def limits(self, _question: dict[str, Any]) -> dict[str, Any]:
        """All limits of the shard."""
        state = self._replica.machine.state
        of_accounts, accounts = state.limits, state.account_limits
        return {
            "shard": state.shard,
            "limits": [asdict(of_accounts[key]) for key in sorted(of_accounts)],
            "account_limits": [
                asdict(accounts[account]) | {"gross_e8": gross_e8(state, account)}
                for account in sorted(accounts)
            ],
            "scope_limits": [
                asdict(table[scope])
                for table in (state.scope_limits, state.temporary_limits)
                for scope in sorted(table)
            ],
            "proposed": [asdict(state.proposed[subject]) for subject in sorted(state.proposed)],
            "parts": shares_of(state)["holdings"],
        }

    def shares(self, _question: dict[str, Any]) -> dict[str, Any]:
        """The shard's parts of bounds that span shards."""
        return shares_of(self._replica.machine.state)

    def kills(self, _question: dict[str, Any]) -> dict[str, Any]:
        """What is stopped, and the orders there whose end no venue has confirmed yet."""
        state = self._replica.machine.state
        return {
            "kills": [asdict(state.kills[scope]) for scope in sorted(state.kills)],
            "clearings": [asdict(state.clearings[scope]) for scope in sorted(state.clearings)],
            "unconfirmed": [
                _plain(order) for order in state.live_orders.values() if is_killed(state, order)
            ][:LIMIT_MAX],
        }

    def to_cancel(self, question: dict[str, Any]) -> dict[str, Any]:
        """Requests that end what may work, oldest first: {"scope", "venue", "after"}.

        `last` is what to ask `after` next; 0: that was all.
        """
        state, after = self._replica.machine.state, int(question.get("after") or 0)
        wanted = cancels(state, question["scope"], question["venue"])
        left = [(seq, request) for seq, request in wanted if seq > after]
        told = left[:LIMIT_MAX]
        return {
            "requests": [asdict(request) for _seq, request in told],
            "last": told[-1][0] if len(left) > LIMIT_MAX else 0,
        }

    def _marked(self, names: dict[str, str], position: Position) -> dict[str, Any]:
        mark = self._replica.machine.state.references.get(names["symbol"])
        return {**names, **asdict(position), "mark": None if mark is None else mark.price}

    def state(self, _question: dict[str, Any]) -> dict[str, Any]:
        """Where this replica is, with the digest of its whole state."""
        replica = self._replica
        return {
            "shard": replica.shard,
            "instance": self._instance,
            "role": self._appender.role,
            "build": replica.build,
            "seq": replica.seq,
            "ordinal": replica.ordinal,
            "ts_ns": replica.machine.state.ts_ns,
            "chain": replica.chain,
            "digest": replica.machine.digest(),
        }

    def digests(self, _question: dict[str, Any]) -> dict[str, Any]:
        """Digest and chain now, and at the last fixed sequence numbers."""
        newest_first = reversed(self._replica.checkpoints.values())
        points = [asdict(point) for point in islice(newest_first, CHECKPOINTS_SHOWN)]
        return {**self.state({}), "checkpoints": points[::-1]}


def _handler(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[bytes], Any]:
    async def handle(body: bytes) -> bytes:
        try:
            question = msgspec.json.decode(body or b"{}", type=dict[str, Any])
            return msgspec.json.encode({"ok": True, **answer(question)})
        except (msgspec.MsgspecError, KeyError, ValueError, TypeError) as error:
            text = f"the question was not understood: {error}"
            return msgspec.json.encode(
                {"ok": False, "error": {"code": "BAD_QUESTION", "text": text}}
            )

    return handle


def _plain(order: Order) -> dict[str, Any]:
    plain = asdict(order)
    del plain["venue_exec_ids"]
    return plain
