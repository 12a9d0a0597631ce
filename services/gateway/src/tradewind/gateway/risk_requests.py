# SPDX-License-Identifier: Apache-2.0
"""What operators may say about scopes: their limits, and who approves them."""

from typing import Annotated

from msgspec import Meta, Struct

from tradewind.core.bounds import COUNT_MAX, LOSS_WINDOW_MS_MAX, WINDOW_MS_MAX
from tradewind.gateway.admin_requests import Scope as TradingScope
from tradewind.gateway.admin_requests import Why
from tradewind.gateway.governance_requests import Build, Count
from tradewind.gateway.requests import ClOrdId, Nanoseconds, Number

Scope = Annotated[
    str,
    Meta(
        pattern=r"\A(firm|(account|symbol|strategy|client|venue):(\*|[A-Za-z0-9_.:-]{1,64})"
        r"|account:(\*|[A-Za-z0-9_-]{1,32})/symbol:(\*|[A-Za-z0-9_-]{1,32}))\Z"
    ),
]
Ratio = Annotated[int, Meta(ge=0, le=1_000_000)]
Times = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Many = Annotated[int, Meta(ge=0, le=2**53)]
Window = Annotated[int, Meta(ge=1, le=WINDOW_MS_MAX)]
LossWindow = Annotated[int, Meta(ge=1, le=LOSS_WINDOW_MS_MAX)]
Subject = Annotated[str, Meta(pattern=r"\ASet(Limits|AccountLimits|ScopeLimits) \S{1,128}\Z")]


class AcknowledgeBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/alerts/acknowledge: who takes an alert, and what about it."""

    alert_id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,512}\Z")]
    note: Why


class ScopeLimitsBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/scope-limits: all limits of a scope; what is left out is unbounded.

    Amounts are in the base currency. Quantities need a scope that names one instrument.
    """

    scope: Scope
    version: Count
    expires_ns: Nanoseconds | None = None
    max_order_qty: Number | None = None
    max_long: Number | None = None
    max_short: Number | None = None
    max_order_value: Number | None = None
    max_open_value: Number | None = None
    max_gross: Number | None = None
    max_net: Number | None = None
    max_credit: Number | None = None
    max_parent_value: Number | None = None
    max_turnover: Number | None = None
    max_loss: Number | None = None
    max_drawdown: Number | None = None
    max_move_bps: Ratio | None = None
    max_jump_bps: Ratio | None = None
    max_duplicates: Times | None = None
    duplicate_window_ms: Window = 1_000
    max_messages: Times | None = None
    flood_messages: Times | None = None
    message_window_ms: Window = 1_000
    max_repeats: Times | None = None
    repeat_window_ms: Window = 1_000
    max_losses: Times | None = None
    loss_window_ms: LossWindow = 3_600_000
    max_open_orders: Many | None = None
    max_children: Many | None = None
    max_orders_per_trade: Many | None = None
    allows_self_match: bool | None = None
    allows_gtc: bool | None = None
    approved_build: Build | None = None


class ApproveLimitsBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/approve-limits: the second person's word to one proposed version."""

    subject: Subject
    version: Count


class KillBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/kill: stops new risk in one scope and cancels what works there."""

    scope: TradingScope
    kill_id: ClOrdId
    reason: Why


class ClearKillBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/clear-kill: one of the two words that a killed scope may trade."""

    scope: TradingScope
    kill_id: ClOrdId
    root_cause: Why
