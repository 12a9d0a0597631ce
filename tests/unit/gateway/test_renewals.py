# SPDX-License-Identifier: Apache-2.0
"""A session lives as long as the last token of the same person; no other token changes anything."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tradewind.common.testing import eventually
from tradewind.gateway.auth import Person
from tradewind.gateway.throttle import Throttle

from .conftest import ORDER, Harness, person
from .test_ws import FakeSocket, codes, hello

pytestmark = pytest.mark.anyio

KIM = replace(person("read", "trade"), throttle=Throttle(0))
OTHERS: dict[str, tuple[Person, str]] = {
    "another subject": (replace(KIM, subject="u-2"), "OTHER_PERSON"),
    "the subject by another name": (replace(KIM, client="lee"), "OTHER_PERSON"),
    "more roles": (person("read", "trade", "admin"), "OTHER_ROLES"),
    "fewer roles": (person("read"), "OTHER_ROLES"),
    "other accounts": (person("read", "trade", accounts=("OTHER",)), "OTHER_ROLES"),
}


def token(name: str, of: Person = KIM, until_ms: int = 1) -> Person:
    return replace(of, token_id=name, not_after_ms=until_ms)


class Talk:
    """A session that somebody opened, and goes on."""

    def __init__(self, harness: Harness, first: dict[str, Any]) -> None:
        socket: Any = FakeSocket()
        socket.say(first)
        self.socket = socket
        self.running = asyncio.ensure_future(harness.sessions.endpoint(socket))

    async def renew(self, text: str) -> dict[str, Any]:
        """What is answered to that token."""
        count = len(self.socket.heard)
        self.socket.say({"type": "renew", "token": text})
        await eventually(lambda: len(self.socket.heard) > count)
        answer: dict[str, Any] = self.socket.heard[-1]
        return answer

    async def close(self) -> None:
        self.socket.leave()
        await self.running


@pytest.fixture
def kims(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """Kim has a token, and a later one."""
    monkeypatch.setattr("tradewind.gateway.auth.LOOK_S", 0.001)
    harness.people.known |= {"first": token("first"), "second": token("second", until_ms=99)}
    return harness


def opened(kims: Harness) -> Talk:
    return Talk(kims, {"type": "token", "token": "first"})


async def test_a_session_lives_until_its_last_token_ends(kims: Harness) -> None:
    talk = opened(kims)
    assert await talk.renew("second") == {"type": "renewed", "until_ms": 99}
    kims.people.over.add("first")
    await asyncio.sleep(0.02)
    talk.socket.say({"type": "submit", **ORDER})
    await eventually(lambda: len(kims.bus.published) == 1)
    command: Any = kims.bus.published[0].command
    assert (command.client, talk.socket.closed) == ("kim", None)
    kims.people.over.add("second")
    await talk.running
    assert talk.socket.closed == (4001, "TOKEN_EXPIRED")


@pytest.mark.parametrize("case", OTHERS)
async def test_a_token_that_is_not_the_same_persons_for_the_same_things_is_refused(
    kims: Harness, case: str
) -> None:
    other, code = OTHERS[case]
    kims.people.known["other"] = token("other", other)
    talk = opened(kims)
    answer = await talk.renew("other")
    assert (answer["type"], answer["error"]["code"]) == ("error", code)
    kims.people.over.add("first")
    await talk.running
    assert talk.socket.closed == (4001, "TOKEN_EXPIRED"), "the one before still counts"


async def test_a_token_that_proves_nobody_changes_nothing(kims: Harness) -> None:
    talk = opened(kims)
    assert (await talk.renew("forged"))["error"]["code"] == "TOKEN_INVALID"
    assert (await talk.renew("second"))["type"] == "renewed"
    await talk.close()


async def test_a_session_of_a_key_is_no_persons(kims: Harness) -> None:
    talk = Talk(kims, hello(kims))
    assert (await talk.renew("first"))["error"]["code"] == "OTHER_PERSON"
    await talk.close()


async def test_orders_pass_while_the_issuer_is_slow_and_offers_do_not_gather(
    kims: Harness,
) -> None:
    talk = opened(kims)
    await eventually(lambda: talk.socket.heard)
    kims.people.is_back.clear()
    talk.socket.say({"type": "renew", "token": "second"})
    await eventually(lambda: kims.people.waiting == 1)
    for _offer in range(2):
        talk.socket.say({"type": "renew", "token": "second"})
    talk.socket.say({"type": "submit", **ORDER})
    await eventually(lambda: len(kims.bus.published) == 1)
    assert codes(talk.socket) == ["RATE_LIMITED"], "one is looked at, one waits"
    kims.people.is_back.set()
    await eventually(lambda: [m["type"] for m in talk.socket.heard].count("renewed") == 2)
    await talk.close()
