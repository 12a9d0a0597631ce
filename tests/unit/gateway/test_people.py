# SPDX-License-Identifier: Apache-2.0
"""Who a token's subject is here, what its roles allow, and what takes that back."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tradewind.common.errors import SettingsError
from tradewind.gateway.auth import Authenticator, Key, Person
from tradewind.gateway.errors import Refusal
from tradewind.gateway.issuer import IssuerKeys
from tradewind.gateway.nonces import Nonces
from tradewind.gateway.people import MAX_THROTTLES, People
from tradewind.gateway.people_file import Issuer as Told
from tradewind.gateway.people_file import PeopleFile, load_people
from tradewind.gateway.tokens import PublicKey, read_keys

from .issuer import AUDIENCE, Issuer

pytestmark = pytest.mark.anyio

NOW_S = 1_700_000_000
FILE: dict[str, Any] = {
    "issuer": {"name": "https://id.example", "audience": AUDIENCE},
    "roles": {
        "trader": {"scopes": ["read", "trade"], "accounts": ["A"]},
        "viewer": {"scopes": ["read"], "accounts": ["*"]},
        "risk": {"scopes": ["read", "admin"], "accounts": ["*"]},
        "night": {"scopes": ["kill"], "accounts": []},
    },
    "people": {"u-1": "kim"},
}


def told(**changes: Any) -> PeopleFile:
    return msgspec.json.decode(json.dumps(FILE | changes), type=PeopleFile)


class Desk:
    """People, their issuer, and a clock."""

    def __init__(self) -> None:
        self.issuer = Issuer("https://id.example")
        self.issuer.add("one")
        self.now_s = NOW_S
        self.people = People(told(), IssuerKeys(told().issuer, self.ask), self.now_ms)

    async def ask(self, _issuer: Told) -> Mapping[str, PublicKey]:
        return read_keys(self.issuer.jwks())

    def now_ms(self) -> int:
        return self.now_s * 1_000

    async def of(self, **claims: Any) -> Person | Refusal:
        running = asyncio.create_task(self.people.run())
        try:
            return await self.people.check(self.issuer.token("one", self.now_s, **claims))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def person(self, **claims: Any) -> Person:
        found = await self.of(**claims)
        assert isinstance(found, Person), found
        return found


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def code(found: object) -> str:
    return found.code if isinstance(found, Refusal) else ""


async def test_roles_say_what_may_be_done_and_where(desk: Desk) -> None:
    person = await desk.person()
    assert (person.client, person.subject, person.is_named) == ("kim", "u-1", True)
    assert person.permits("trade", "A") is None
    assert code(person.permits("trade", "B")) == "ACCOUNT_NOT_ALLOWED"
    assert code(person.permits("admin")) == "SCOPE_MISSING"
    assert person.accounts == {"A"}


async def test_a_role_does_not_widen_another(desk: Desk) -> None:
    """Reading everywhere and trading in A is not trading everywhere."""
    person = await desk.person(groups=["trader", "viewer", "unheard of"])
    assert person.permits("read", "B") is None
    assert person.permits("trade", "A") is None
    assert code(person.permits("trade", "B")) == "ACCOUNT_NOT_ALLOWED"
    assert person.accounts == {"A", "*"}


async def test_who_has_no_role_may_do_nothing(desk: Desk) -> None:
    for groups in (None, [], ["unheard of"]):
        person = await desk.person(groups=groups)
        assert code(person.permits("read")) == "SCOPE_MISSING"
        assert not person.accounts
    night = await desk.person(groups=["night"])
    assert night.permits("kill") is None
    assert code(night.permits("admin")) == "SCOPE_MISSING"
    assert (await desk.person(groups=["risk"])).permits("kill") is None


async def test_a_person_is_the_subject_whatever_the_address(desk: Desk) -> None:
    one = await desk.person(sub="u-7", email="a@id.example")
    same = await desk.person(sub="u-7", email="b@id.example")
    other = await desk.person(sub="u-8", email="a@id.example")
    assert one.client == same.client == "u-7"
    assert other.client == "u-8"


@pytest.mark.parametrize("subject", ["kim", "a b", "a/b", "é", "x" * 65, "client:x"])
async def test_a_subject_that_could_be_taken_for_somebody_else_needs_a_name(
    desk: Desk, subject: str
) -> None:
    assert code(await desk.of(sub=subject)) == "TOKEN_INVALID"
    desk.people.renew(told(people={subject: "lee", "u-1": "kim"}))
    assert (await desk.person(sub=subject)).client == "lee"


async def test_the_client_of_a_key_is_a_person_only_if_the_file_says_so(desk: Desk) -> None:
    key = Key("k", b"s", frozenset({"*"}), frozenset({"admin"}), client="ops")
    authenticator = Authenticator({"k": key}, desk.now_ms, Nonces(), desk.people)
    running = asyncio.create_task(desk.people.run())
    token = desk.issuer.token("one", NOW_S, sub="ops")
    assert code(await authenticator.of_token(token)) == "TOKEN_INVALID"
    desk.people.renew(told(people={"u-9": "ops"}))
    same = await authenticator.of_token(desk.issuer.token("one", NOW_S, sub="u-9"))
    assert isinstance(same, Person)
    assert same.client == key.client, "one person, by key and by token"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    without = Authenticator({"k": key}, desk.now_ms, Nonces())
    assert code(await without.of_token(token)) == "TOKENS_NOT_TAKEN"


@pytest.mark.parametrize("revoked", [{"tokens": ["t-1"]}, {"people": ["u-1"]}])
async def test_what_is_revoked_is_refused_and_ends_sessions(
    desk: Desk, revoked: dict[str, list[str]]
) -> None:
    person = await desk.person()
    assert desk.people.end(person) is None
    desk.people.renew(told(revoked=revoked))
    assert code(desk.people.end(person)) == "TOKEN_REVOKED"
    assert code(await desk.of()) == "TOKEN_REVOKED"
    assert code(await desk.of(sub="u-2", jti="t-2")) == ""
    assert code(await desk.of(sub="u-2", jti=None)) == ""


async def test_a_role_that_is_taken_away_ends_sessions(desk: Desk) -> None:
    person = await desk.person()
    desk.people.renew(told(roles={}))
    assert code(desk.people.end(person)) == "TOKEN_REVOKED"
    desk.people.renew(told(people={}))
    assert code(desk.people.end(person)) == "TOKEN_REVOKED", "another name is somebody else"
    desk.people.renew(told())
    assert desk.people.end(person) is None


async def test_a_session_ends_with_its_token_and_that_of_a_key_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradewind.gateway.auth.LOOK_S", 0.001)
    person = await desk.person()
    key = Key("k", b"s", frozenset(), frozenset(), "ops", not_after_ms=1)
    authenticator = Authenticator({}, desk.now_ms, Nonces(), desk.people)
    by_key, by_token = (
        asyncio.create_task(authenticator.ended(SimpleNamespace(key=each)))
        for each in (key, person)
    )
    await asyncio.sleep(0.01)
    assert not by_key.done()
    assert not by_token.done()
    desk.now_s += 300
    assert code(await by_token) == "TOKEN_EXPIRED"
    assert not by_key.done()
    by_key.cancel()


async def test_each_person_has_an_allowance_whatever_the_token(desk: Desk) -> None:
    desk.people.renew(told(requests_per_s=2))
    one, same = await desk.person(jti="t-1"), await desk.person(jti="t-2")
    assert one.throttle is same.throttle
    other = await desk.person(sub="u-2")
    assert other.throttle is not one.throttle
    authenticator = Authenticator({}, desk.now_ms, Nonces(), desk.people)
    assert authenticator.throttle(one).rate == 2
    desk.people.renew(told(requests_per_s=3))
    assert (await desk.person()).throttle.rate == 3
    for number in range(MAX_THROTTLES + 5):
        desk.people._throttle(f"n-{number}")
    assert len(desk.people._throttles) == MAX_THROTTLES


def test_a_people_file_says_whose_tokens_are_believed(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    with pytest.raises(SettingsError, match="cannot be read"):
        load_people(path)
    wrongs: tuple[dict[str, Any], ...] = (
        {"issuer": {"name": "http://id.example", "audience": "a"}},
        {"issuer": {"name": "id.example", "audience": "a"}},
        {"issuer": {"name": "https://id.example", "audience": ""}},
        {"roles": {"x": {"scopes": ["root"], "accounts": []}}},
        {"people": {"u-1": "a b"}},
        {"roles_claim": []},
        {"surprise": 1},
    )
    for wrong in wrongs:
        path.write_text(json.dumps(FILE | wrong))
        with pytest.raises(SettingsError, match="not usable"):
            load_people(path)
    for name in ("https://id.example", "http://127.0.0.1:8", "http://[::1]", "http://localhost:1"):
        path.write_text(json.dumps(FILE | {"issuer": {"name": name, "audience": "a"}}))
        assert load_people(path).issuer.name == name
    by_file = {"name": "desk", "audience": "a", "jwks_file": "jwks.json"}
    path.write_text(json.dumps(FILE | {"issuer": by_file}))
    assert load_people(path).issuer.keys_kept_s == 3_600
