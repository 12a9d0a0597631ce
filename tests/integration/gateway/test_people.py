# SPDX-License-Identifier: Apache-2.0
"""People with tokens of an issuer that is a process of its own, before a real gateway."""

import asyncio
import base64
import hmac
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.unit.gateway.issuer import AUDIENCE, Issuer, Served
from tradewind.cli.client import GatewayClient, GatewayError, GatewaySocket
from tradewind.cli.credentials import Credentials, Token
from tradewind.common.testing import eventually

from .conftest import OPERATOR, SUPERVISOR, Platform, free_port, started_platform

pytestmark = [pytest.mark.cluster, pytest.mark.anyio]

KEPT_S = 6
WORKERS = 4
ORDER = {
    "account": "BENCH0",
    "symbol": "BTC-USD",
    "side": "BUY",
    "ord_type": "LIMIT",
    "time_in_force": "GTC",
    "order_qty": "1",
    "price": "100000",
    "strategy": "s1",
}


@dataclass
class Desk:
    """A gateway, the issuer that it believes, and the file that says what people may do."""

    issuer: Issuer
    served: Served
    folder: Path
    kid: str = "first"
    platform: Platform = field(init=False)

    @property
    def people_file(self) -> Path:
        """What the gateway follows."""
        return self.folder / "people.json"

    def tell(self, **changes: Any) -> None:
        """Writes the people file anew, as people should."""
        told = {
            "issuer": {"name": self.issuer.name, "audience": AUDIENCE, "keys_kept_s": KEPT_S},
            "roles": {
                "trader": {"scopes": ["read", "trade"], "accounts": ["BENCH0"]},
                "risk": {"scopes": ["read", "admin"], "accounts": ["*"]},
            },
            "people": {"u-ops": "ops"},
            "requests_per_s": 0,
        }
        part = self.people_file.with_suffix(".part")
        part.write_text(json.dumps(told | changes))
        part.replace(self.people_file)

    def token(self, **claims: Any) -> str:
        """One of now, by the newest key."""
        return self.issuer.token(self.kid, time.time(), **claims)

    def who(self, **claims: Any) -> Token:
        """Somebody who has such a token in a file."""
        path = self.folder / f"{claims.get('sub', 'u-1')}.token"
        path.write_text(self.token(**claims))
        return Token(path)

    async def code(self, token: str, path: str = "/v1/instruments") -> tuple[int, str]:
        """What is answered to that token."""
        async with httpx.AsyncClient() as client:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.get(self.platform.url + path, headers=headers)
        return answer.status_code, answer.json().get("code", "")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder, port = tmp_path_factory.mktemp("people"), free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}", folder / "issuer")
    issuer.add("first")
    served = Served(folder / "issuer", port)
    made = Desk(issuer, served, folder)
    made.tell()
    try:
        told = {"TRADEWIND_PEOPLE_FILE": str(made.people_file)}
        async with started_platform(folder, **told) as platform:
            made.platform = platform
            yield made
    finally:
        served.stop()


async def test_a_person_trades_by_rest_websocket_and_command_line(desk: Desk) -> None:
    kim = desk.who(sub="kim")
    async with GatewayClient(desk.platform.url, kim) as client:
        answer = await client.submit(ORDER | {"cl_ord_id": "p-1"})
        assert (answer["outcome"], answer["report"]["client"]) == ("accepted", "kim")
        with pytest.raises(GatewayError) as refused:
            await client.submit(ORDER | {"account": "BENCH1", "cl_ord_id": "p-2"})
        assert refused.value.code == "ACCOUNT_NOT_ALLOWED"
        with pytest.raises(GatewayError) as refused:
            await client.operate("kill", {"scope": "firm", "kill_id": "k", "reason": "no"})
        assert refused.value.code == "SCOPE_MISSING"
    heard: list[dict[str, Any]] = []
    socket = await GatewaySocket.connect(desk.platform.url, kim, heard.append)
    socket.send({"type": "submit", **ORDER, "cl_ord_id": "p-3"})
    await eventually(lambda: any(each.get("cl_ord_id") == "p-3" for each in heard if "seq" in each))
    await socket.close()
    env = os.environ | {
        "TRADEWIND_GATEWAY_URL": desk.platform.url,
        "TRADEWIND_TOKEN_FILE": str(kim.file),
    }
    argv = [str(Path(sys.executable).with_name("tradewind")), "order", "list", "--json"]
    process = await asyncio.create_subprocess_exec(
        *argv, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert b"p-1" in out


async def test_one_person_by_key_and_by_token_is_one_and_two_subjects_are_two(desk: Desk) -> None:
    url, scope = desk.platform.url, "account:BENCH1"
    clear = {"scope": scope, "kill_id": "k-1", "root_cause": "I-1"}

    async def cleared(who: Credentials | Token) -> str:
        async with GatewayClient(url, who) as client:
            answer = await client.operate("clear-kill", clear)
        return str(answer["shards"][0]["report"].get("reason") or answer["outcome"])

    ops = desk.who(sub="u-ops", groups=["risk"])
    async with GatewayClient(url, ops) as client:
        kill = {"scope": scope, "kill_id": "k-1", "reason": "drill"}
        assert (await client.operate("kill", kill))["outcome"] == "accepted"
    assert await cleared(ops) == "accepted"
    assert await cleared(OPERATOR) == "SECOND_PERSON_NEEDED", "the same person, by key"
    again = desk.who(sub="u-ops", groups=["risk"], email="another@id.example", jti="t-9")
    assert await cleared(again) == "SECOND_PERSON_NEEDED", "the same, by another token"
    assert await cleared(desk.who(sub="u-2", groups=["risk"])) == "accepted"
    assert await desk.code(desk.token(sub="second", groups=["risk"])) == (401, "TOKEN_INVALID"), (
        f"a subject spelt like the client of {SUPERVISOR.key_id}"
    )


def signed_by_secret(secret: bytes, header: Any, claims: Any) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=")
        for each in (header, claims)
    ]
    text = b".".join(parts)
    signature = base64.urlsafe_b64encode(hmac.digest(secret, text, sha256)).rstrip(b"=")
    return b".".join([text, signature]).decode()


async def test_what_is_forged_or_of_others_proves_nobody(desk: Desk) -> None:
    """The whole corpus is in tests/unit/gateway/test_tokens.py."""
    now_s, issuer = time.time(), desk.issuer
    claims, stranger = issuer.claims(now_s), Issuer(issuer.name)
    stranger.add("first")
    forged = {
        "HS256 by the public key": signed_by_secret(
            issuer.pem("first"), {"alg": "HS256", "kid": "first"}, claims
        ),
        "none": signed_by_secret(b"", {"alg": "none", "kid": "first"}, claims),
        "another's key": stranger.token("first", now_s),
        "an unknown kid": issuer.token("first", now_s, {"kid": "second"}),
        "another audience": desk.token(aud="another"),
        "another issuer": desk.token(iss="https://id.example"),
        "far ahead": desk.token(nbf=now_s + 3_600),
        "for a day": desk.token(exp=now_s + 86_400),
        "huge": desk.token(note="x" * 20_000),
        "a set of keys as token": issuer.jwks().hex(),
    }
    for name, token in forged.items():
        assert await desk.code(token) == (401, "TOKEN_INVALID"), name
    assert await desk.code(desk.token(exp=now_s - 1)) == (401, "TOKEN_EXPIRED")
    assert await desk.code(desk.token(groups=[])) == (403, "SCOPE_MISSING")
    assert await desk.code(desk.token()) == (200, "")
    assert jwt.decode(desk.token(), options={"verify_signature": False})["sub"] == "u-1"


async def test_who_is_revoked_is_out_at_once_and_so_is_the_open_session(desk: Desk) -> None:
    lee, closed = desk.who(sub="lee"), asyncio.Event()
    socket = await GatewaySocket.connect(desk.platform.url, lee, lambda _message: None)
    waiting = asyncio.create_task(socket.closed())
    waiting.add_done_callback(lambda _task: closed.set())
    desk.tell(revoked={"people": ["lee"]})
    await eventually(closed.is_set)
    assert await desk.code(desk.token(sub="lee")) == (401, "TOKEN_REVOKED")
    assert await desk.code(desk.token(sub="u-1")) == (200, "")
    desk.people_file.write_text("{")
    await eventually(lambda: "the list of people of before holds" in desk.platform.log("gateway-1"))
    assert await desk.code(desk.token(sub="lee")) == (401, "TOKEN_REVOKED")
    await socket.close()


async def test_a_session_lives_as_long_as_the_token_that_came_last(desk: Desk) -> None:
    ends_s = int(time.time()) + 3
    heard: list[dict[str, Any]] = []
    told: dict[str, dict[str, Any]] = {}
    renewed, left_alone = [
        await GatewaySocket.connect(desk.platform.url, desk.who(exp=ends_s, sub=sub), heard.append)
        for sub in ("kim", "max")
    ]
    last_s = ends_s + 2
    for sub in ("max", "kim"):
        renewed.send({"type": "renew", "token": desk.token(sub=sub, exp=last_s)})
        await eventually(lambda: {"error", "renewed"} & {message["type"] for message in heard})
        told[sub] = heard.pop()
    assert told["max"]["error"]["code"] == "OTHER_PERSON"
    assert told["kim"] == {"type": "renewed", "until_ms": last_s * 1000}
    await left_alone.closed()
    assert renewed.is_open
    renewed.send({"type": "submit", **ORDER, "cl_ord_id": "renewed-1"})
    await eventually(lambda: any(m.get("cl_ord_id") == "renewed-1" for m in heard if "seq" in m))
    await asyncio.wait_for(renewed.closed(), 20.0)
    assert time.time() >= last_s
    for socket in (renewed, left_alone):
        await socket.close()


async def test_nobody_notices_new_keys_of_the_issuer_and_without_it_nobody_is_let_in(
    desk: Desk,
) -> None:
    desk.tell()
    answers: list[tuple[int, str]] = []
    is_over = False

    async def work() -> None:
        while not is_over:
            answers.append(await desk.code(desk.token()))

    workers = [asyncio.create_task(work()) for _ in range(WORKERS)]
    for kid in ("second", "third"):
        desk.issuer.add(kid, "EdDSA")
        before, desk.kid = desk.kid, kid
        answers_before = len(answers)

        def is_used(enough: int = answers_before + 2 * WORKERS) -> bool:
            return len(answers) > enough

        await eventually(is_used, 20.0)
        desk.issuer.remove(before)
        del desk.issuer.private[before]
    is_over = True
    await asyncio.gather(*workers)
    assert set(answers) == {(200, "")}
    desk.served.stop()
    assert await desk.code(desk.token()) == (200, ""), "the last keys hold for a while"

    async def is_away() -> bool:
        return await desk.code(desk.token()) == (503, "ISSUER_AWAY")

    await eventually(is_away, 30.0)
    async with GatewayClient(desk.platform.url, OPERATOR) as program:
        status = await program.status()
    assert status["gateway"]["issuer"]["keys"] == 0, "programs pass"
    desk.served.start()

    async def is_back() -> bool:
        return await desk.code(desk.token()) == (200, "")

    await eventually(is_back, 30.0)
