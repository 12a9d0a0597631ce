# SPDX-License-Identifier: Apache-2.0
"""How long to wait between sessions: twice as long each time, unless one was worth the wait."""

FIRST_S = 0.05
MAX_S = 5.0
WORTH_S = 1.0
"""A session that was open for so long was worth it."""


class Backoff:
    """Of one shard's sessions. A venue that breaks connections now and then is no dead venue."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def after(self, open_s: float) -> float:
        """The pause after a session that was open for so long, 0 if it never was."""
        if open_s > WORTH_S:
            self._next_s = FIRST_S
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, MAX_S)
        return pause_s
