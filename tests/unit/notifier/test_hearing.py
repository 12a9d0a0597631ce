# SPDX-License-Identifier: Apache-2.0
"""What is done about FastStream's own ways, as far as no bus is needed for it."""

import asyncio
from contextlib import suppress

import pytest

from tradewind.notifier import hearing
from tradewind.notifier.hearing import Paced

pytestmark = pytest.mark.anyio


class Raising:
    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    async def fetch(self, _batch: int, timeout: float) -> None:
        self.asked += 1
        raise self.error


async def ask_for(subscription: Paced, window_s: float) -> None:
    """Again and again, as FastStream does."""
    with suppress(TimeoutError):
        async with asyncio.timeout(window_s):
            while True:
                with suppress(RuntimeError):
                    await subscription.fetch(1, timeout=1)


async def test_a_bus_that_cannot_answer_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "UNANSWERED_S", 60.0)
    asked = Raising(RuntimeError("no responders"))
    await ask_for(Paced(asked), 0.02)
    assert asked.asked == 1


async def test_without_that_it_is_asked_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "UNANSWERED_S", 0.0)
    asked = Raising(RuntimeError("no responders"))
    await ask_for(Paced(asked), 0.02)
    assert asked.asked > 1


async def test_that_there_is_no_alert_yet_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "UNANSWERED_S", 60.0)
    with pytest.raises(TimeoutError):
        await Paced(Raising(TimeoutError())).fetch(1, timeout=1)
