# SPDX-License-Identifier: Apache-2.0
"""Nothing is let go of before somebody was told."""

import pytest

from tests.unit.notifier.test_webhook import ALERT
from tradewind.common.kills import Kill
from tradewind.notifier import notices, teller
from tradewind.notifier.notices import Notice
from tradewind.notifier.teller import Outcome, Teller, pause_s
from tradewind.notifier.webhook import Answer

pytestmark = pytest.mark.anyio

KILL = notices.of_kill(Kill(scope="firm", kill_id="k-1", actor="kim", reason="prices"))


class Answering:
    """Gives these answers, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.heard: list[Notice] = []

    async def post(self, notice: Notice) -> Answer:
        self.heard.append(notice)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teller, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("answer", "outcome"), [(Answer.TAKEN, Outcome.TOLD), (Answer.FAILED, Outcome.AGAIN)]
)
async def test_an_alert_is_over_once_it_is_taken(answer: Answer, outcome: Outcome) -> None:
    assert await Teller(Answering(answer)).tell_alert("k", 7, ALERT) is outcome


@pytest.mark.parametrize(
    ("said", "answers", "code"),
    [
        ("k is no alert: x", (Answer.TAKEN,), "ALERT_UNREADABLE"),
        (ALERT, (Answer.REFUSED, Answer.TAKEN), "NOTICE_REFUSED"),
    ],
)
async def test_what_cannot_be_told_is_over_once_that_is_told(
    said: object, answers: tuple[Answer, ...], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Answering(*answers)
    telling = Teller(receiver)
    assert await telling.tell_alert("k", 7, said) is Outcome.GIVEN_UP  # type: ignore[arg-type]
    last = receiver.heard[-1]
    assert (last.event, last.payload.custom_details["code"]) == ("undeliverable", code)
    assert telling.given_up == 1
    assert code in caplog.text


@pytest.mark.parametrize("answer", [Answer.FAILED, Answer.REFUSED])
async def test_what_cannot_be_told_is_kept_while_nobody_hears_that(answer: Answer) -> None:
    assert await Teller(Answering(answer)).tell_alert("k", 7, "unreadable") is Outcome.AGAIN
    assert await Teller(Answering(Answer.REFUSED)).tell_alert("k", 7, ALERT) is Outcome.AGAIN


async def test_a_kill_that_is_said_again_and_again_is_told_once() -> None:
    receiver = Answering(Answer.FAILED, Answer.TAKEN)
    telling = Teller(receiver)
    for _ in range(5):
        assert await telling.tell_once(KILL)
    assert receiver.heard == [KILL, KILL]


async def test_a_kill_that_nobody_took_is_told_when_it_is_heard_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver = Answering(*[Answer.FAILED] * 3, Answer.TAKEN)
    telling = Teller(receiver)
    assert not await telling.tell_once(KILL)
    assert "NOTICE_UNTOLD" in caplog.text
    assert await telling.tell_once(KILL)
    assert telling.given_up == 1


async def test_what_was_told_is_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teller, "REMEMBERED_MAX", 2)
    receiver = Answering(Answer.TAKEN)
    telling = Teller(receiver)
    for number in (1, 2, 3, 3, 1):
        kill = Kill(scope="firm", kill_id=f"k-{number}", actor="kim", reason="prices")
        await telling.tell_once(notices.of_kill(kill))
    assert [it.dedup_key[-1] for it in receiver.heard] == ["1", "2", "3", "1"]


def test_pauses_double_up_to_a_limit() -> None:
    assert [pause_s(n) for n in (1, 2, 3, 6, 7, 10_000)] == [0.25, 0.5, 1.0, 8.0, 10.0, 10.0]
