# SPDX-License-Identifier: Apache-2.0
"""Inputs about limits."""

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
