# SPDX-License-Identifier: Apache-2.0
"""What every REST call needs: who signed it, what it says, and what follows from its entry."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.common import trace
from tradewind.core.commands import Command
from tradewind.gateway import requests
from tradewind.gateway.auth import Authenticator, Key, Signed
from tradewind.gateway.egress import Answer
from tradewind.gateway.errors import Refusal, RefusedRequest, refusal
from tradewind.gateway.journal import InFlight, Journal

_encode = msgspec.json.Encoder().encode
_account = re.compile(r"[A-Za-z0-9_-]{1,32}")

MASS_CANCEL = "/mass-cancel"
TOKEN_CODES = frozenset({"TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_REVOKED"})
RETRIED = frozenset({429, 503})
RETRY_AFTER_S = "1"
"""The header has whole seconds; most refusals of this kind are over much sooner."""

T = TypeVar("T")


class Waiter:
    """Turns a listener's calls into two futures for one REST call."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.durable: asyncio.Future[Refusal | None] = loop.create_future()
        self.answer: asyncio.Future[Answer] = loop.create_future()

    def on_durable(self, request: InFlight) -> None:
        """The entry is stored."""
        if not self.durable.done():
            self.durable.set_result(None)

    def on_failed(self, request: InFlight, why: Refusal) -> None:
        """The entry is not stored, or nobody knows."""
        if not self.durable.done():
            self.durable.set_result(why)

    def on_answered(self, request: InFlight, answer: Any) -> None:
        """The entry's first output is here."""
        if not self.answer.done():
            self.answer.set_result(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Authenticates calls, and journals what they ask for."""

    authenticator: Authenticator
    journal: Journal
    sampler: trace.Sampler
    answer_wait_ms: int

    async def signed(self, request: Request, scope: str) -> tuple[Key, bytes]:
        """The key that signed the call, or the person whose token it has; and its body.

        Raises:
            RefusedRequest: if it is not believed, the key lacks the scope, or asks too often.
        """
        body = await _body(request)
        key = accepted(await self._key(request, body))
        is_cancel = request.method == "DELETE" or request.url.path.endswith(MASS_CANCEL)
        throttle = self.authenticator.throttle(key)
        refused = key.permits(scope) or throttle.take(time.monotonic(), is_cancel=is_cancel)
        if refused is not None:
            raise RefusedRequest(refused)
        return key, body

    async def _key(self, request: Request, body: bytes) -> Key | Refusal:
        headers, query = request.headers, request.scope["query_string"]
        tokens = headers.getlist("authorization")
        if tokens:
            if len(tokens) > 1 or "tw-key" in headers:
                return refusal("AMBIGUOUS_CREDENTIALS")
            scheme, _, token = tokens[0].partition(" ")
            if scheme.lower() != "bearer":
                return refusal("TOKEN_INVALID", "Authorization is Bearer and the token.")
            return await self.authenticator.of_token(token.strip(" "))
        path: bytes = request.scope["raw_path"] + (b"?" + query if query else b"")
        signed = Signed(
            key_id=headers.get("tw-key", ""),
            timestamp=headers.get("tw-timestamp", ""),
            nonce=headers.get("tw-nonce", ""),
            signature=headers.get("tw-signature", ""),
            method=request.method,
            path=path.decode("latin-1"),
            body=body,
        )
        return self.authenticator.check(signed, request.client.host if request.client else "")

    async def reader(self, request: Request) -> tuple[Key, str | None]:
        """The key of a reading call, and the account that it names, if any.

        Raises:
            RefusedRequest: as `signed`, or if the key may not use the account.
        """
        key, _body = await self.signed(request, "read")
        account = request.query_params.get("account")
        if account is not None:
            if not _account.fullmatch(account):
                raise RefusedRequest(refusal("INVALID_FIELD", "account is not an account name."))
            refused = key.permits("read", account)
            if refused is not None:
                raise RefusedRequest(refused)
        return key, account

    async def journaled(
        self, shard: int, command: Command, traceparent: str, *, actor: str = "", parent: str = ""
    ) -> tuple[Refusal | None, int, Answer | None]:
        """Journals and waits a while: why it failed, the entry, its first output if it came."""
        deadline_s = asyncio.get_running_loop().time() + self.answer_wait_ms / 1000
        waiter = Waiter()
        await self.journal.room()
        in_flight = self.journal.publish(
            shard, command, waiter, traceparent, actor=actor, parent=parent
        )
        if isinstance(in_flight, Refusal):
            return in_flight, 0, None
        failed = await waiter.durable
        if failed is not None:
            return failed, 0, None
        try:
            async with asyncio.timeout_at(deadline_s):
                return None, in_flight.seq, await waiter.answer
        except TimeoutError:
            return None, in_flight.seq, None


def accepted(value: T | Refusal) -> T:
    """The value, unless it is a refusal, which is raised."""
    if isinstance(value, Refusal):
        raise RefusedRequest(value)
    return value


def decoded(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """The body's fields; a refusal is raised."""
    fields = requests.decode(body, decoder)
    if isinstance(fields, Refusal):
        raise RefusedRequest(fields)
    return fields


def json_response(status: int, body: Any, traceparent: str | None = None) -> Response:
    """An answer as JSON."""
    headers = {trace.HEADER: traceparent} if traceparent else None
    return Response(_encode(body), status, headers, "application/json")


def problem_response(
    refused: Refusal, body: dict[str, Any] | None = None, traceparent: str | None = None
) -> Response:
    """A refusal as a problem document, with what is known besides; whether a retry may help."""
    headers = {trace.HEADER: traceparent} if traceparent else {}
    if refused.http_status in RETRIED:
        headers["Retry-After"] = RETRY_AFTER_S
    if refused.code in TOKEN_CODES:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'  # RFC 6750
    content = _encode({**(body or {}), **refused.problem()})
    return Response(content, refused.http_status, headers, "application/problem+json")


async def _body(request: Request) -> bytes:
    """The body, read no further than its limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > requests.MAX_BODY_BYTES:
            raise RefusedRequest(refusal("BODY_TOO_LARGE"))
    return bytes(body)
