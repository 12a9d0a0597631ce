# SPDX-License-Identifier: Apache-2.0
"""Inputs about limits and the kill switch."""

from tradewind.core.bounds import Bounds
from tradewind.core.record import record


@record
class SetScopeLimits(Bounds):
    """Sets all limits of a scope, whole. `version` counts up; `expires_ns` 0 is for good.

    Limits that expire stand in for those that stay, which hold again afterwards.
    """

    scope: str
    version: int
    actor: str
    expires_ns: int = 0


@record
class ApproveLimits:
    """Another person agrees to what was proposed for `subject`, in just this version."""

    subject: str
    version: int
    actor: str


@record
class KillScope:
    """Stops all new risk in a scope at once and cancels what works there.

    `kill_id` names the decision: said again, it stops nothing twice.
    """

    scope: str
    kill_id: str
    actor: str
    reason: str


@record
class ClearKill:
    """One person's word that a scope may trade again, with the root cause that was found.

    It takes two, about the same kill and cause; neither may be who was stopped.
    """

    scope: str
    kill_id: str
    actor: str
    root_cause: str
