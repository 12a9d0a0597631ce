# SPDX-License-Identifier: Apache-2.0
"""The public keys of an issuer of tokens: looked up often, kept a while without it, no longer.

They are asked for once a minute, and when a token names a key that is not known: then its request
waits for the answer to a question that was put after it came. However many such tokens come, the
issuer is asked once a second at most.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp
import msgspec

from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.people_file import Issuer, is_safe
from tradewind.gateway.tokens import PublicKey, read_keys

AGAIN_S = 60.0
"""After so long the issuer is asked anyway: a key that it takes back is gone then."""
AGAIN_FAILED_S = 5.0
PAUSE_S = 1.0
WAIT_S = 3.0
MAX_WAITING = 200
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 256 * 1024
DISCOVERY = "/.well-known/openid-configuration"

UNHEARD = (ValueError, msgspec.MsgspecError, OSError, aiohttp.ClientError, TimeoutError)

log = logging.getLogger(__name__)


class _Announced(msgspec.Struct, frozen=True):
    issuer: str
    jwks_uri: str


async def fetch(issuer: Issuer) -> dict[str, PublicKey]:
    """What the issuer announces now, or its file says.

    Raises:
        ValueError, msgspec.MsgspecError: if that is not usable.
        OSError, aiohttp.ClientError, TimeoutError: if it cannot be had.
    """
    if issuer.jwks_file:
        return read_keys(await asyncio.to_thread(Path(issuer.jwks_file).read_bytes))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as http:
        body = await _get(http, issuer.name.rstrip("/") + DISCOVERY)
        announced = msgspec.json.decode(body, type=_Announced)
        if announced.issuer != issuer.name:
            raise ValueError(f"it says that it is {announced.issuer!r}")
        if not is_safe(announced.jwks_uri):
            raise ValueError(f"{announced.jwks_uri!r} is no https address")
        return read_keys(await _get(http, announced.jwks_uri))


async def _get(http: aiohttp.ClientSession, url: str) -> bytes:
    async with http.get(url, allow_redirects=False) as answer:
        if answer.status != 200:
            raise ValueError(f"{url} answered with {answer.status}")
        body = await answer.content.read(MAX_ANSWER_BYTES + 1)
        while len(body) <= MAX_ANSWER_BYTES and not answer.content.at_eof():
            body += await answer.content.read(MAX_ANSWER_BYTES + 1 - len(body))
    if len(body) > MAX_ANSWER_BYTES:
        raise ValueError(f"{url} answered with more than {MAX_ANSWER_BYTES} bytes")
    return body


class IssuerKeys:
    """The keys that are believed now."""

    def __init__(
        self,
        issuer: Issuer,
        ask: Callable[[Issuer], Awaitable[Mapping[str, PublicKey]]] = fetch,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._ask = ask
        self._monotonic_s = monotonic_s
        self._keys: Mapping[str, PublicKey] = {}
        self._heard_s: float | None = None
        self._asked, self._answered = 0, 0
        self._wanted = asyncio.Event()
        self._told = asyncio.Event()
        self._waiting = 0

    @property
    def is_believed(self) -> bool:
        """Whether the issuer was heard of lately enough."""
        heard_s = self._heard_s
        return heard_s is not None and self._monotonic_s() - heard_s <= self._issuer.keys_kept_s

    def facts(self) -> dict[str, int | None]:
        """How many keys are believed, and how long ago the issuer was heard of."""
        heard_s = self._heard_s
        return {
            "keys": len(self._keys) if self.is_believed else 0,
            "heard_s": None if heard_s is None else int(self._monotonic_s() - heard_s),
        }

    def turn_to(self, issuer: Issuer) -> None:
        """From now on another issuer's keys are believed, and none of before."""
        if (issuer.name, issuer.jwks_file) != (self._issuer.name, self._issuer.jwks_file):
            self._keys, self._heard_s = {}, None
            self._wanted.set()
        self._issuer = issuer

    async def of(self, kid: str) -> PublicKey | Refusal:
        """The key of that id, if the issuer has one; asks it where need be."""
        found = self._known(kid)
        if found is None and self._waiting < MAX_WAITING:
            self._waiting += 1
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._hear_of(kid)
            except TimeoutError:
                pass
            finally:
                self._waiting -= 1
            found = self._known(kid)
        if found is not None:
            return found
        if not self.is_believed:
            return refusal("ISSUER_AWAY")
        return refusal("TOKEN_INVALID", f"The issuer has no key {kid[:64]!r} for this.")

    async def run(self) -> None:
        """Asks for ever."""
        while True:
            self._wanted.clear()
            self._asked += 1
            has_heard = await self._hear()
            self._answered = self._asked
            told, self._told = self._told, asyncio.Event()
            told.set()
            await asyncio.sleep(PAUSE_S)
            again_s = min(AGAIN_S, self._issuer.keys_kept_s / 2) if has_heard else AGAIN_FAILED_S
            try:
                async with asyncio.timeout(max(0.0, again_s - PAUSE_S)):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    def _known(self, kid: str) -> PublicKey | None:
        return self._keys.get(kid) if self.is_believed else None

    async def _hear_of(self, kid: str) -> None:
        """Waits for the key, at most until a question is answered that is put from now on."""
        needed = self._asked + 1
        self._wanted.set()
        while self._answered < needed and self._known(kid) is None:
            await self._told.wait()

    async def _hear(self) -> bool:
        issuer = self._issuer
        try:
            keys = await self._ask(issuer)
        except UNHEARD as error:
            why = f"{type(error).__name__} {error}"
            log.error("the keys of %s cannot be had: %s", issuer.name, why)
            return False
        if issuer.name == self._issuer.name and issuer.jwks_file == self._issuer.jwks_file:
            self._keys, self._heard_s = keys, self._monotonic_s()
        return True
