# SPDX-License-Identifier: Apache-2.0
"""Changes of behaviour, each switched on by a journal entry (`SetLogic`).

A journal means for ever what it meant when it was written: code that decides differently than
before asks `is_on`, so that an old journal replays as it did, and replicas of two builds agree
until people switch. A build that meets a flag it does not know cannot follow, and stops.
"""

from tradewind.core.state import State

REDUCING_REPLACES = "reducing-replaces"
"""Under REDUCING, a replace that leaves an order no larger than it was is accepted."""

RISK_CONTROLS = "risk-controls"
"""What no scope bounds is denied; limits have versions that count up; refusals say how much."""

FOUR_EYES = "four-eyes"
"""Limits hold once a second person has approved them."""

REVISED_CONTROLS = "revised-controls"
"""Contents are remembered as far as any scope looks (C07), prices over a time without any, and
moves are rounded up (C04, C22); what nobody has needs no price, and is nothing to remove once its
profits are reset (C13); a child without its parent does not grow (C14); an adopted order takes no
id that somebody used (C06)."""

KNOWN = frozenset({REDUCING_REPLACES, RISK_CONTROLS, FOUR_EYES, REVISED_CONTROLS})


class UnknownLogicError(ValueError):
    """This build does not know a change of behaviour that the journal switched on."""


def is_on(state: State, flag: str) -> bool:
    """The change is in force at this entry."""
    return flag in state.logic


def require_known(flag: str) -> None:
    """Refuses to go on with half of what is meant.

    Raises:
        UnknownLogicError: if this build does not have the change.
    """
    if flag not in KNOWN:
        raise UnknownLogicError(f"logic flag {flag!r} is unknown to this build")
