# SPDX-License-Identifier: Apache-2.0
"""Outputs about entries that no replica can apply."""

from tradewind.core.record import record


@record
class SkipAsked:
    """Somebody has said that the entry `seq` should count as a no-op; alone, that skips nothing."""

    seq: int
    actor: str
    reason: str


@record
class EntrySkipped:
    """The entry `seq` counts as a no-op by the decision of two people."""

    seq: int
    actor: str
    second_actor: str
    reason: str
