# SPDX-License-Identifier: Apache-2.0
"""Who is asking, and may they: HMAC-SHA256 over every part of the request.

The signature covers method, path with query, body hash, timestamp and nonce, so that nothing of a
captured request can be changed, and the nonce store refuses the same bytes a second time for as
long as their timestamp would pass.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec

from tradewind.common.errors import SettingsError
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.throttle import Throttle

RECV_WINDOW_MS = 5_000
MAX_NONCES = 100_000
"""Per key and generation: memory is bounded, and a key that floods is refused, not others."""

_NONCE = re.compile(r"[A-Za-z0-9_-]{8,64}")
_NO_SECRET = b"compared against when the key is unknown, so that both refusals take as long"


class _KeyEntry(msgspec.Struct, forbid_unknown_fields=True):
    secret: str
    accounts: list[str]
    scopes: list[str]
    client: str
    requests_per_s: Annotated[int, msgspec.Meta(ge=0)] = 0


class _KeysFile(msgspec.Struct, forbid_unknown_fields=True):
    keys: dict[str, _KeyEntry]


@dataclass(frozen=True, slots=True)
class Key:
    """What one key may do, and how often: `requests_per_s` at each gateway, 0 for no bound."""

    key_id: str
    secret: bytes = field(repr=False)
    accounts: frozenset[str]
    scopes: frozenset[str]
    client: str
    requests_per_s: int = 0

    def may_use(self, account: str) -> bool:
        """Whether the key acts for this account."""
        return account in self.accounts or "*" in self.accounts

    def permits(self, scope: str, account: str | None = None) -> Refusal | None:
        """None if the key has the scope (and the account), else why not."""
        if scope not in self.scopes:
            return refusal("SCOPE_MISSING", f"Scope {scope!r} is needed.")
        if account is not None and not self.may_use(account):
            return refusal("ACCOUNT_NOT_ALLOWED")
        return None


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
    except OSError as error:
        raise SettingsError(f"the keys file {path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise SettingsError(f"the keys file {path} is not usable: {error}") from error
    return {
        key_id: Key(
            key_id=key_id,
            secret=entry.secret.encode(),
            accounts=frozenset(entry.accounts),
            scopes=frozenset(entry.scopes),
            client=entry.client,
            requests_per_s=entry.requests_per_s,
        )
        for key_id, entry in content.keys.items()
    }


def signature_of(secret: bytes, signed: Signed) -> str:
    """The hex signature that `signed` should carry."""
    body_hash = sha256(signed.body).hexdigest()
    text = "\n".join([signed.method, signed.path, body_hash, signed.timestamp, signed.nonce])
    return hmac.new(secret, text.encode(), sha256).hexdigest()


class Nonces:
    """Nonces of one key, kept for at least two receive windows in two generations."""

    def __init__(self) -> None:
        self._current: set[str] = set()
        self._previous: set[str] = set()
        self._turned_ms = 0

    def take(self, nonce: str, now_ms: int) -> str | None:
        """None if the nonce is fresh (it is used up by this), else the code of the refusal."""
        age_ms = now_ms - self._turned_ms
        if age_ms >= 2 * RECV_WINDOW_MS:
            is_recent = age_ms < 4 * RECV_WINDOW_MS
            self._previous = self._current if is_recent else set()
            self._current = set()
            self._turned_ms = now_ms
        if nonce in self._current or nonce in self._previous:
            return "REPLAYED_NONCE"
        if len(self._current) >= MAX_NONCES:
            return "TOO_MANY_REQUESTS"
        self._current.add(nonce)
        return None


class Authenticator:
    """Checks signed requests against the known keys."""

    def __init__(self, keys: dict[str, Key], now_ms: Callable[[], int]) -> None:
        self._keys = keys
        self._now_ms = now_ms
        self._nonces = {key_id: Nonces() for key_id in keys}
        self._throttles = {key_id: Throttle(key.requests_per_s) for key_id, key in keys.items()}

    def check(self, signed: Signed) -> Key | Refusal:
        """The key that signed, or why the request is not believed.

        The nonce is used up only by a request whose signature is right: nobody else can burn a
        client's nonces.
        """
        key = self._keys.get(signed.key_id)
        expected = signature_of(key.secret if key else _NO_SECRET, signed)
        is_right = hmac.compare_digest(expected.encode(), signed.signature.encode())
        if key is None:
            return refusal("UNKNOWN_KEY")
        if not is_right:
            return refusal("BAD_SIGNATURE")
        now_ms = self._now_ms()
        timestamp = signed.timestamp
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
            return refusal("TIMESTAMP_OUT_OF_WINDOW")
        if abs(now_ms - int(timestamp)) > RECV_WINDOW_MS:
            return refusal("TIMESTAMP_OUT_OF_WINDOW")
        if not _NONCE.fullmatch(signed.nonce):
            return refusal("BAD_NONCE")
        replayed = self._nonces[key.key_id].take(signed.nonce, now_ms)
        return refusal(replayed) if replayed else key

    def of_secret(self, key_id: str, secret: str) -> Key | Refusal:
        """The key of that id, if that is its secret: where a protocol has passwords only."""
        key = self._keys.get(key_id)
        expected = key.secret if key else _NO_SECRET
        is_right = hmac.compare_digest(expected, secret.encode())
        if key is None:
            return refusal("UNKNOWN_KEY")
        return key if is_right else refusal("BAD_PASSWORD")

    def throttle(self, key: Key) -> Throttle:
        """How fast the key asks at this gateway, in all its sessions and calls."""
        return self._throttles[key.key_id]
