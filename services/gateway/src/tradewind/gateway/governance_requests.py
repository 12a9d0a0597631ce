# SPDX-License-Identifier: Apache-2.0
"""What operators may say about limits, rates and what shards run on: bodies under /v1/admin."""

from typing import Annotated

from msgspec import Meta, Struct

from tradewind.gateway.admin_requests import Currency, Why
from tradewind.gateway.requests import Account, Number, Symbol

Count = Annotated[int, Meta(ge=1, le=2**53)]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
Milliseconds = Annotated[int, Meta(ge=1, le=86_400_000)]
Flag = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,64}\Z")]
Build = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.+-]{1,64}\Z")]
Shard = Annotated[int, Meta(ge=0, le=1_023)]


class LimitsBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/limits. The notional is in the instrument's currency."""

    account: Account
    symbol: Symbol
    max_order_qty: Number
    max_notional: Number
    max_position: Number
    collar_bps: BasisPoints
    max_reference_age_ms: Milliseconds
    version: Count


class AccountLimitsBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/account-limits: gross exposure in the base currency."""

    account: Account
    max_gross: Number
    max_rate_age_ms: Milliseconds
    version: Count


class FxRateBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/fx-rates: what one unit of the currency is worth in the base one."""

    currency: Currency
    rate: Number


class LogicBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/logic: switches a change of behaviour on, for good."""

    flag: Flag


class BuildBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/builds: whether replicas of a build may append."""

    build: Build
    is_approved: bool


class SkipBody(Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /v1/admin/skip-entry: an entry that no replica can apply should be a no-op.

    It becomes one when two people have said so, each in a request of their own.
    """

    shard: Shard
    seq: Count
    reason: Why
