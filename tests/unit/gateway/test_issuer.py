# SPDX-License-Identifier: Apache-2.0
"""The issuer's keys: asked for when needed, not more often; kept a while, and no longer."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tradewind.cli.suite.ports import free_ports
from tradewind.common.testing import eventually
from tradewind.gateway import issuer as module
from tradewind.gateway.errors import Refusal
from tradewind.gateway.issuer import IssuerKeys, fetch
from tradewind.gateway.people_file import Issuer as Told
from tradewind.gateway.tokens import PublicKey, read_keys

from .issuer import AUDIENCE, Issuer, Served

pytestmark = pytest.mark.anyio

KEPT_S = 100


class Source:
    """What the issuer would answer, and how often it was asked."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        self.is_away = False
        self.asked = 0
        self.now_s = 0.0
        self.issuer.add("one")

    async def __call__(self, _told: Told) -> Mapping[str, PublicKey]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise TimeoutError
        return read_keys(self.issuer.jwks())


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    monkeypatch.setattr(module, "WAIT_S", 5.0)
    return Source()


@pytest.fixture
async def keys(source: Source) -> IssuerKeys:
    told = Told("https://id.example", AUDIENCE, keys_kept_s=KEPT_S)
    return IssuerKeys(told, source, lambda: source.now_s)


async def stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_new_key_is_found_while_requests_wait_for_it(
    source: Source, keys: IssuerKeys
) -> None:
    running = asyncio.create_task(keys.run())
    assert isinstance(await keys.of("one"), PublicKey)
    for kid in ("two", "three", "four"):
        source.issuer.add(kid)
        before = source.asked
        found = await asyncio.gather(*(keys.of(kid) for _ in range(100)))
        assert all(isinstance(each, PublicKey) for each in found)
        assert source.asked - before == 1, "once for all who wait"
    await stopped(running)


async def test_a_key_that_is_taken_back_is_gone_with_the_next_answer(
    source: Source, keys: IssuerKeys
) -> None:
    source.issuer.add("two")
    running = asyncio.create_task(keys.run())
    assert isinstance(await keys.of("one"), PublicKey)
    del source.issuer.private["one"]
    refused = await keys.of("nonsense")
    assert isinstance(refused, Refusal)
    assert refused.code == "TOKEN_INVALID"
    refused = await keys.of("one")
    assert isinstance(refused, Refusal)
    await stopped(running)


async def test_whatever_is_asked_the_issuer_is_not_asked_without_a_pause(
    source: Source, keys: IssuerKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.05)
    running = asyncio.create_task(keys.run())
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for number in range(4):
        await asyncio.gather(*(keys.of(f"{number}-{each}") for each in range(50)))
    took_s = loop.time() - began_s
    assert source.asked <= took_s / 0.05 + 2
    await stopped(running)


async def test_too_many_that_wait_are_refused_at_once(
    source: Source, keys: IssuerKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    waiting = [asyncio.create_task(keys.of("x")) for _ in range(2)]
    await asyncio.sleep(0)
    refused = await keys.of("x")
    assert isinstance(refused, Refusal)
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_without_the_issuer_its_keys_hold_for_a_while_and_then_nothing_does(
    source: Source, keys: IssuerKeys, caplog: pytest.LogCaptureFixture
) -> None:
    running = asyncio.create_task(keys.run())
    assert isinstance(await keys.of("one"), PublicKey)
    source.is_away = True
    source.now_s = KEPT_S
    assert isinstance(await keys.of("one"), PublicKey)
    assert keys.facts() == {"keys": 1, "heard_s": KEPT_S}
    source.now_s = KEPT_S + 1
    refused = await keys.of("one")
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.http_status) == ("ISSUER_AWAY", 503)
    assert keys.facts()["keys"] == 0
    assert "cannot be had: TimeoutError" in caplog.text
    source.is_away = False
    assert isinstance(await keys.of("one"), PublicKey)
    await stopped(running)


async def test_an_issuer_that_never_answers_proves_nobody(
    keys: IssuerKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.01)
    refused = await keys.of("one")
    assert isinstance(refused, Refusal)
    assert refused.code == "ISSUER_AWAY"


async def test_of_another_issuer_nothing_of_the_first_is_believed(
    source: Source, keys: IssuerKeys
) -> None:
    running = asyncio.create_task(keys.run())
    assert isinstance(await keys.of("one"), PublicKey)
    source.is_away = True
    keys.turn_to(Told("https://other.example", AUDIENCE))
    refused = await keys.of("one")
    assert isinstance(refused, Refusal)
    assert refused.code == "ISSUER_AWAY"
    await stopped(running)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Issuer, Served]]:
    (port,) = free_ports(1)
    announced = Issuer(f"http://127.0.0.1:{port}", tmp_path / "issuer")
    announced.add("one")
    process = Served(tmp_path / "issuer", port)
    yield announced, process
    process.stop()


async def failure(told: Told) -> str:
    try:
        await fetch(told)
    except module.UNHEARD as error:
        return str(error)
    return ""


async def test_keys_come_from_where_the_issuer_announces_them(
    served: tuple[Issuer, Served],
) -> None:
    announced, process = served
    told = Told(announced.name, AUDIENCE)

    async def is_up() -> bool:
        return not await failure(told)

    await eventually(is_up)
    assert set(await fetch(told)) == {"one"}
    assert process.asked >= 2
    assert announced.folder is not None
    document = announced.folder / ".well-known" / "openid-configuration"
    jwks = announced.folder / "jwks.json"
    honest = document.read_text()
    for shown, complaint in (
        ({"issuer": "https://id.example", "jwks_uri": f"{announced.name}/jwks.json"}, "it says"),
        ({"issuer": announced.name, "jwks_uri": "http://id.example/jwks.json"}, "no https"),
        ({"issuer": announced.name, "jwks_uri": "file:///etc/passwd"}, "no https"),
        ({"issuer": announced.name, "jwks_uri": f"{announced.name}/.well-known"}, "answered with"),
        ({"issuer": announced.name, "jwks_uri": f"{announced.name}/none"}, "answered with 404"),
        ({"issuer": announced.name}, "jwks_uri"),
    ):
        document.write_text(json.dumps(shown))
        assert complaint in await failure(told)
    document.write_text(honest)
    jwks.write_text(" " * 300_000)
    assert "more than" in await failure(told)
    process.stop()
    assert await failure(told)


async def test_keys_may_come_from_a_file(tmp_path: Path) -> None:
    signs = Issuer("the desk")
    signs.add("one", "EdDSA")
    path = tmp_path / "jwks.json"
    told = Told("the desk", AUDIENCE, jwks_file=str(path))
    assert "No such file" in await failure(told)
    path.write_bytes(signs.jwks())
    assert set(await fetch(told)) == {"one"}
