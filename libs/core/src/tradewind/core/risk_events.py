# SPDX-License-Identifier: Apache-2.0
"""Outputs about limits and the kill switch."""

from tradewind.core.bounds import Bounds
from tradewind.core.record import record


@record
class LimitsSet:
    """The limits of one account in one instrument are now these."""

    account: str
    symbol: str
    max_order_qty: int
    max_notional: int
    max_position: int
    collar_bps: int
    max_reference_age_ms: int
    version: int


@record
class AccountLimitsSet:
    """The limits of one account over all instruments are now these."""

    account: str
    max_gross_e8: int
    max_rate_age_ms: int
    version: int


@record
class ScopeLimitsSet(Bounds):
    """The limits of a scope are now these, until `expires_ns` if that is not 0."""

    scope: str
    version: int
    actor: str
    second_actor: str
    expires_ns: int


@record
class LimitsProposed:
    """Somebody wants other limits; they hold once somebody else approves. `subject` is whose."""

    subject: str
    version: int
    actor: str
    ts_ns: int


@record
class LimitsApproved:
    """Two people have agreed on a version of limits; it is in force."""

    subject: str
    version: int
    actor: str
    second_actor: str


@record
class ScopeKilled:
    """Nothing new is accepted in a scope until two people clear it; so many orders are to end."""

    scope: str
    kill_id: str
    actor: str
    reason: str
    ts_ns: int
    order_count: int


@record
class KillClearAsked:
    """The first of two people says that a scope may trade again, and what the cause was."""

    scope: str
    kill_id: str
    actor: str
    root_cause: str


@record
class KillCleared:
    """Two people have cleared a scope. Its trading state stays HALTED until it is set."""

    scope: str
    kill_id: str
    actor: str
    second_actor: str
    root_cause: str
