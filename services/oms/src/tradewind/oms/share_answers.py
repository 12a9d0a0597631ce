# SPDX-License-Identifier: Apache-2.0
"""What a shard says of its parts of bounds that span shards."""

from dataclasses import asdict
from typing import Any

from tradewind.core import scopes, shares, uses
from tradewind.core.bounds import UNSET
from tradewind.core.state import State


def shares_of(state: State) -> dict[str, Any]:
    """Each divided bound: its limit, the part of it here and what is used; transfers of it."""
    return {
        "holdings": [_holding(state, *key) for key in sorted(state.shares)],
        "sent": [
            {"scope": scope, "bound": bound, "shard": int(shard), **asdict(transfer)}
            for (scope, bound, shard), transfer in sorted(
                state.transfers.items(), key=lambda item: item[0]
            )
        ],
    }


def _holding(state: State, scope: str, bound: str) -> dict[str, Any]:
    limits = scopes.in_force(state, scope)
    return {
        "scope": scope,
        "bound": bound,
        **asdict(state.shares[scope, bound]),
        "version": 0 if limits is None else limits.version,
        "limit": UNSET if limits is None else getattr(limits, bound),
        "part": UNSET if limits is None else shares.part(state, limits, bound),
        "used": uses.used(state, scope, bound),
        "needed": uses.needed(state, scope, bound),
    }
