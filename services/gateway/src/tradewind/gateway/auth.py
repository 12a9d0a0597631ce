# SPDX-License-Identifier: Apache-2.0
"""Who is asking, and may they: HMAC-SHA256 over every part of the request.

The signature covers method, path with query, body hash, timestamp and nonce, so that nothing of a
captured request can be changed, and the nonces that all gateways share refuse the same bytes a
second time, at any of them, for as long as their timestamp would pass. People come with tokens
instead, where an issuer of such is known.
"""

import asyncio
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Protocol

import msgspec

from tradewind.common.errors import SettingsError
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.nonces import AHEAD_MS, RECV_WINDOW_MS, Nonces
from tradewind.gateway.throttle import Throttle

_NONCE = re.compile(r"[A-Za-z0-9_-]{8,64}")
NEVER_MS = 2**62
_NO_SECRET = b"compared against when the key is unknown, so that both refusals take as long"
LOOK_S = 0.5
"""How soon a session hears that its token has ended or was taken back."""

Scope = Literal["read", "trade", "admin", "kill"]

Networks = tuple[IPv4Network | IPv6Network, ...]
When = Annotated[datetime, msgspec.Meta(tz=True)]


class _Previous(msgspec.Struct, forbid_unknown_fields=True):
    secret: str
    not_after: When


class _KeyEntry(msgspec.Struct, forbid_unknown_fields=True):
    secret: str
    accounts: list[str]
    scopes: list[Scope]
    client: str
    requests_per_s: Annotated[int, msgspec.Meta(ge=0)] = 0
    not_after: When | None = None
    previous: _Previous | None = None
    addresses: list[str] = []


class _KeysFile(msgspec.Struct, forbid_unknown_fields=True):
    keys: dict[str, _KeyEntry]


@dataclass(frozen=True, slots=True)
class Key:
    """What one key may do, and how often: `requests_per_s` at each gateway, 0 for no bound.

    It ends at `not_after_ms`. The secret that it had before is good until `previous_until_ms`, so
    that a new one can be handed out without a moment in which neither is. Where there are
    `networks`, it is used from there only.
    """

    key_id: str
    secret: bytes = field(repr=False)
    accounts: frozenset[str]
    scopes: frozenset[str]
    client: str
    requests_per_s: int = 0
    not_after_ms: int = NEVER_MS
    previous: bytes = field(default=b"", repr=False)
    previous_until_ms: int = 0
    networks: Networks = ()

    def may_come_from(self, address: str) -> bool:
        """Whether the key is used where it may be; from nowhere known, only without a bound."""
        if not self.networks:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.networks)

    def secrets(self, now_ms: int) -> list[bytes]:
        """What it may sign with now."""
        return [self.secret, self.previous] if now_ms < self.previous_until_ms else [self.secret]

    def may_use(self, account: str) -> bool:
        """Whether the key acts for this account."""
        return account in self.accounts or "*" in self.accounts

    def permits(self, scope: str, account: str | None = None) -> Refusal | None:
        """None if the key has the scope (and the account), else why not."""
        if not covers(self.scopes, scope):
            return refusal("SCOPE_MISSING", f"Scope {scope!r} is needed.")
        if account is not None and not self.may_use(account):
            return refusal("ACCOUNT_NOT_ALLOWED")
        return None


@dataclass(frozen=True, slots=True)
class Grant:
    """Scopes, and the accounts in which they hold."""

    scopes: frozenset[str]
    accounts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Key):
    """Who came with a token: a key for as long as that, which signs nothing.

    Each role grants by itself, so that what one allows somewhere another does not extend.
    `accounts` are those that may be seen. `is_named`: an operator said who the subject is.
    """

    subject: str
    token_id: str
    roles: tuple[str, ...]
    grants: tuple[Grant, ...]
    is_named: bool
    throttle: Throttle = field(repr=False, compare=False)

    def permits(self, scope: str, account: str | None = None) -> Refusal | None:
        """None if a role grants the scope (for the account), else why not."""
        found = [grant for grant in self.grants if covers(grant.scopes, scope)]
        if not found:
            return refusal("SCOPE_MISSING", f"Scope {scope!r} is needed.")
        if account is not None and not any({account, "*"} & grant.accounts for grant in found):
            return refusal("ACCOUNT_NOT_ALLOWED")
        return None


class People(Protocol):
    """Whom tokens prove."""

    async def check(self, token: str) -> Person | Refusal:
        """Whose token it is, or why it is not believed."""

    def end(self, person: Person) -> Refusal | None:
        """Why somebody who once was believed is no longer; None: is."""


def covers(scopes: frozenset[str], scope: str) -> bool:
    """`admin` may do what `kill` may; that one may stop scopes, and nothing else."""
    return scope in scopes or (scope == "kill" and "admin" in scopes)


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a request that its signature covers, and the signature."""

    key_id: str
    timestamp: str
    nonce: str
    signature: str
    method: str
    path: str
    body: bytes


def load_keys(path: Path) -> dict[str, Key]:
    """The keys in a keys file.

    Raises:
        SettingsError: if the file cannot be read or is not a keys file.
    """
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_KeysFile)
        return {key_id: _key(key_id, entry) for key_id, entry in content.keys.items()}
    except OSError as error:
        raise SettingsError(f"the keys file {path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise SettingsError(f"the keys file {path} is not usable: {error}") from error


def _key(key_id: str, entry: _KeyEntry) -> Key:
    return Key(
        key_id=key_id,
        secret=entry.secret.encode(),
        accounts=frozenset(entry.accounts),
        scopes=frozenset(entry.scopes),
        client=entry.client,
        requests_per_s=entry.requests_per_s,
        not_after_ms=_ms(entry.not_after) if entry.not_after else NEVER_MS,
        previous=entry.previous.secret.encode() if entry.previous else b"",
        previous_until_ms=_ms(entry.previous.not_after) if entry.previous else 0,
        networks=tuple(ip_network(each) for each in entry.addresses),
    )


def _ms(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _unusable(key: Key, now_ms: int, address: str) -> Refusal | None:
    """Why a key that proved itself is of no use now, or from there."""
    if now_ms >= key.not_after_ms:
        return refusal("KEY_EXPIRED")
    return None if key.may_come_from(address) else refusal("ADDRESS_NOT_ALLOWED")


def signature_of(secret: bytes, signed: Signed) -> str:
    """The hex signature that `signed` should carry."""
    body_hash = sha256(signed.body).hexdigest()
    text = "\n".join([signed.method, signed.path, body_hash, signed.timestamp, signed.nonce])
    return hmac.new(secret, text.encode(), sha256).hexdigest()


class Holder(Protocol):
    """A session, and whose it is now."""

    key: Key


class Authenticator:
    """Checks signed requests against the known keys, and tokens against their issuer's."""

    def __init__(
        self,
        keys: dict[str, Key],
        now_ms: Callable[[], int],
        nonces: Nonces,
        people: People | None = None,
    ) -> None:
        self._keys = keys
        self._people = people
        self._now_ms = now_ms
        self._nonces = nonces
        self._throttles = {key_id: Throttle(key.requests_per_s) for key_id, key in keys.items()}

    def check(self, signed: Signed, address: str) -> Key | Refusal:
        """The key that signed, or why the request, which came from `address`, is not believed.

        The nonce is used up only by a request whose signature is right: nobody else can burn a
        client's nonces.
        """
        now_ms = self._now_ms()
        key = self._keys.get(signed.key_id)
        given = signed.signature.encode()
        is_right = [
            hmac.compare_digest(signature_of(secret, signed).encode(), given)
            for secret in (key.secrets(now_ms) if key else [_NO_SECRET])
        ]
        if key is None:
            return refusal("UNKNOWN_KEY")
        if not any(is_right):
            return refusal("BAD_SIGNATURE")
        refused = _unusable(key, now_ms, address)
        if refused is not None:
            return refused
        timestamp = signed.timestamp
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
            return refusal("TIMESTAMP_OUT_OF_WINDOW")
        age_ms = now_ms - int(timestamp)
        if not -AHEAD_MS <= age_ms <= RECV_WINDOW_MS:
            return refusal("TIMESTAMP_OUT_OF_WINDOW")
        if not _NONCE.fullmatch(signed.nonce):
            return refusal("BAD_NONCE")
        code = self._nonces.take(key.key_id, signed.nonce, age_ms)
        return refusal(code) if code else key

    def of_secret(self, key_id: str, secret: str, address: str) -> Key | Refusal:
        """The key of that id, if that is its secret: where a protocol has passwords only."""
        now_ms = self._now_ms()
        key = self._keys.get(key_id)
        is_right = [
            hmac.compare_digest(expected, secret.encode())
            for expected in (key.secrets(now_ms) if key else [_NO_SECRET])
        ]
        if key is None:
            return refusal("UNKNOWN_KEY")
        if not any(is_right):
            return refusal("BAD_PASSWORD")
        return _unusable(key, now_ms, address) or key

    async def of_token(self, token: str) -> Key | Refusal:
        """Who comes with that token.

        Nobody gets another's name by a subject that is spelt like it: a client of keys is a
        person's name only if an operator said so.
        """
        if self._people is None:
            return refusal("TOKENS_NOT_TAKEN")
        person = await self._people.check(token)
        if isinstance(person, Refusal) or person.is_named:
            return person
        if any(key.client == person.client for key in self._keys.values()):
            return refusal("TOKEN_INVALID", "The subject is also the client of a key.")
        return person

    async def ended(self, session: Holder) -> Refusal:
        """Waits until a session has to end; one that was logged on by a key goes on."""
        while True:
            ended = self._end(session.key)
            if ended is not None:
                return ended
            await asyncio.sleep(LOOK_S)

    def _end(self, key: Key) -> Refusal | None:
        if self._people is None or not isinstance(key, Person):
            return None
        return self._people.end(key)

    def renew(self, keys: dict[str, Key]) -> None:
        """These are the keys from now on. Sessions that are logged on go on."""
        self._keys = keys
        for key_id, key in keys.items():
            throttle = self._throttles.get(key_id)
            if throttle is None or throttle.rate != key.requests_per_s:
                self._throttles[key_id] = Throttle(key.requests_per_s)

    def throttle(self, key: Key) -> Throttle:
        """How fast the key asks at this gateway, in all its sessions and calls."""
        return key.throttle if isinstance(key, Person) else self._throttles[key.key_id]
