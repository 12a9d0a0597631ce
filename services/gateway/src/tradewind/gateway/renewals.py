# SPDX-License-Identifier: Apache-2.0
"""A person's session goes on with a fresh token, if that comes before the last one has ended.

Nothing else changes: it is the same person's, and may do the same things, so whoever hears its
reports and whose orders end with it stays right. With other roles people open another session.
"""

import asyncio
from typing import Any, Protocol

import msgspec

from tradewind.gateway.auth import Authenticator, Key, Person
from tradewind.gateway.errors import Refusal, refusal

_encode = msgspec.json.Encoder().encode


class Renewable(Protocol):
    """A session. One token is looked at, and one more may wait: the issuer may be slow."""

    key: Key
    offers: asyncio.Queue[str]

    def push(self, frame: bytes) -> None:
        """Queues a message for the client."""

    def push_error(self, why: Refusal) -> None:
        """Queues an error."""


def offer(session: Renewable, token: str) -> Refusal | None:
    """The token is looked at while the session goes on."""
    try:
        session.offers.put_nowait(token)
    except asyncio.QueueFull:
        return refusal("RATE_LIMITED")
    return None


async def run(authenticator: Authenticator, session: Renewable) -> None:
    """Looks at what is offered, in order, for ever; a token that is refused changes nothing."""
    while True:
        fresh = await authenticator.of_token(await session.offers.get())
        renewed = _renewed(session.key, fresh)
        if isinstance(renewed, Refusal):
            session.push_error(renewed)
            continue
        session.key = renewed
        session.push(_encode({"type": "renewed", "until_ms": renewed.not_after_ms}))


def _renewed(held: Key, fresh: Key | Refusal) -> Key | Refusal:
    if isinstance(fresh, Refusal):
        return fresh
    if _who(held) != _who(fresh):
        return refusal("OTHER_PERSON")
    return fresh if _may(held) == _may(fresh) else refusal("OTHER_ROLES")


def _who(key: Key) -> Any:
    """Nobody, for a key: its sessions do not end with a token."""
    return (key.subject, key.client, key.is_named) if isinstance(key, Person) else None


def _may(key: Key) -> Any:
    return key.grants if isinstance(key, Person) else None
