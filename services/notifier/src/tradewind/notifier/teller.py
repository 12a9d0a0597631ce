# SPDX-License-Identifier: Apache-2.0
"""Decides what is told, and what becomes of what cannot be.

Nothing is let go of before somebody was told: an alert that cannot be read, or that the receiver
refuses for good, is over once the receiver has taken the notice which says so.
"""

import asyncio
import logging
from enum import Enum, auto
from typing import Protocol

from tradewind.common.alerts import Alert
from tradewind.notifier import notices
from tradewind.notifier.notices import Notice, Undeliverable
from tradewind.notifier.webhook import Answer

log = logging.getLogger(__name__)

UNREADABLE = "ALERT_UNREADABLE"
REFUSED = "NOTICE_REFUSED"
PAUSE_FIRST_S = 0.25
PAUSE_MAX_S = 10.0
PAUSES_S = (0.0, 0.25, 1.0, 4.0)
"""Before each attempt at what no stream keeps for us."""
REMEMBERED_MAX = 1_000


class Receiver(Protocol):
    """Who takes notices."""

    async def post(self, notice: Notice) -> Answer:
        """Calls once."""


class Outcome(Enum):
    """What becomes of a message of the bucket."""

    TOLD = auto()
    AGAIN = auto()
    GIVEN_UP = auto()


def pause_s(deliveries: int) -> float:
    """How long to wait after an attempt, the first is 1: doubled each time, up to a limit."""
    return float(min(PAUSE_FIRST_S * 2 ** min(deliveries - 1, 16), PAUSE_MAX_S))


class Teller:
    """Tells a receiver."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._remembered: dict[str, None] = {}
        self.told = 0
        self.failed = 0
        self.given_up = 0

    async def tell_alert(self, key: str, revision: int, said: Alert | str) -> Outcome:
        """How an alert stands now; `said` is a reason if what is there cannot be read."""
        if isinstance(said, str):
            return await self._give_up(UNREADABLE, key, revision, said)
        match await self._post(notices.of_alert(said, revision)):
            case Answer.TAKEN:
                return Outcome.TOLD
            case Answer.REFUSED:
                reason = "the receiver refuses this notice"
                return await self._give_up(REFUSED, key, revision, reason)
            case Answer.FAILED:
                return Outcome.AGAIN

    async def tell_once(self, notice: Notice) -> bool:
        """What no stream keeps: tried a few times, and once only if it is heard again.

        Returns:
            Whether the receiver has taken it.
        """
        if notice.notice_id in self._remembered:
            return True
        for pause in PAUSES_S:
            await asyncio.sleep(pause)
            if await self._post(notice) is Answer.TAKEN:
                self._remembered[notice.notice_id] = None
                while len(self._remembered) > REMEMBERED_MAX:
                    del self._remembered[next(iter(self._remembered))]
                return True
        self.given_up += 1
        log.error("NOTICE_UNTOLD: %s: %s", notice.notice_id, notice.payload.summary)
        return False

    async def _give_up(self, code: str, key: str, revision: int, reason: str) -> Outcome:
        lost = Undeliverable(code=code, key=key, revision=revision, reason=reason)
        log.error("%s: %s, revision %d: %s", code, key, revision, reason)
        if await self._post(notices.of_undeliverable(lost)) is not Answer.TAKEN:
            return Outcome.AGAIN
        self.given_up += 1
        return Outcome.GIVEN_UP

    async def _post(self, notice: Notice) -> Answer:
        answer = await self._receiver.post(notice)
        if answer is Answer.TAKEN:
            self.told += 1
        else:
            self.failed += 1
        return answer
