# SPDX-License-Identifier: Apache-2.0
"""Tokens of an issuer (JWT, RFC 7519 and 8725): what has to hold before one is believed.

The kind of a public key says with which algorithm it verifies, and there is one for each kind: a
token cannot choose. A field that is named twice is refused wherever it stands, so that no two
readers see two tokens.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import jwt
import msgspec
from msgspec import Meta

from tradewind.gateway import requests
from tradewind.gateway.errors import Refusal, refusal

MAX_TOKEN_CHARS = 8 * 1024
MAX_KEYS = 100
LIFETIME_MAX_S = 15 * 60
LEEWAY_S = 5
"""How far the issuer's clock may be ahead. None is given at the end of a token."""
RSA_BITS_MIN = 2_048
ALGORITHMS = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}

_FORM = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")

Word = Annotated[str, Meta(min_length=1, max_length=255)]
Time = Annotated[float, Meta(ge=0, lt=2**40)]


class Header(msgspec.Struct, frozen=True):
    """Which of the issuer's keys has signed, and how the token says that it did."""

    alg: str
    kid: Word
    typ: str = "JWT"


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    sub: Word
    aud: str | list[str]
    exp: Time
    iat: Time
    nbf: Time = 0.0
    jti: Annotated[str, Meta(max_length=255)] = ""


class _Jwks(msgspec.Struct, frozen=True):
    keys: Annotated[list[dict[str, Any]], Meta(max_length=MAX_KEYS)]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of the issuer, and the one algorithm that it is for."""

    algorithm: str
    jwk: jwt.PyJWK


@dataclass(frozen=True, slots=True)
class Expected:
    """For whom a token has to be, from whom, and where it says its roles."""

    issuer: str
    audience: str
    roles_claim: Sequence[str]


@dataclass(frozen=True, slots=True)
class Token:
    """What a token that holds says."""

    subject: str
    token_id: str
    roles: tuple[str, ...]
    ends_ms: int


_header = msgspec.json.Decoder(Header)
_claims = msgspec.json.Decoder(_Claims)
_any = msgspec.json.Decoder(dict[str, Any])
_jwks = msgspec.json.Decoder(_Jwks)
_signatures = jwt.PyJWS()


def read_keys(body: bytes) -> dict[str, PublicKey]:
    """The usable keys of a JWKS, by kid; others in it are left alone.

    Raises:
        ValueError, msgspec.MsgspecError: if it is no JWKS.
    """
    found = {}
    for jwk in _jwks.decode(body).keys:
        algorithm, kid = _algorithm(jwk), jwk.get("kid")
        if not algorithm or not isinstance(kid, str):
            continue
        try:
            key = PublicKey(algorithm, jwt.PyJWK(jwk, algorithm))
        except jwt.PyJWTError as error:
            raise ValueError(f"key {kid!r}: {error}") from error
        if getattr(key.jwk.key, "key_size", RSA_BITS_MIN) >= RSA_BITS_MIN or algorithm != "RS256":
            found[kid] = key
    return found


def _algorithm(jwk: dict[str, Any]) -> str:
    """What a key verifies; "" if it is secret, or for something else."""
    algorithm = ALGORITHMS.get((str(jwk.get("kty")), str(jwk.get("crv", ""))), "")
    is_public = not {"d", "k"} & jwk.keys()
    is_meant = jwk.get("use", "sig") == "sig" and jwk.get("alg", algorithm) == algorithm
    return algorithm if is_public and is_meant else ""


def header_of(token: str) -> Header | Refusal:
    """Which key to look for. Nothing is believed yet."""
    if len(token) > MAX_TOKEN_CHARS:
        return refusal("TOKEN_INVALID", f"It is longer than {MAX_TOKEN_CHARS} characters.")
    if not _FORM.fullmatch(token):
        return refusal("TOKEN_INVALID", "It has not the form of a signed JWT.")
    first = token.partition(".")[0]
    try:
        header = requests.decode(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)), _header)
    except ValueError as error:
        return refusal("TOKEN_INVALID", f"Its header is not base64: {error}.")
    if isinstance(header, Refusal):
        return _invalid("header", header)
    if header.alg not in ALGORITHMS.values():
        return refusal("TOKEN_INVALID", f"Its alg {header.alg[:16]!r} is not taken.")
    if header.typ.lower() not in ("jwt", "at+jwt"):
        return refusal("TOKEN_INVALID", f"Its typ {header.typ[:16]!r} is not taken.")
    return header


def verified(
    token: str, header: Header, key: PublicKey, expected: Expected, now_ms: int
) -> Token | Refusal:
    """What the token says, if `key` has signed it and all that it says holds."""
    if header.alg != key.algorithm:
        return refusal("TOKEN_INVALID", f"Key {header.kid!r} is for {key.algorithm}.")
    try:
        payload: bytes = _signatures.decode(token, key.jwk, algorithms=[key.algorithm])
    except jwt.PyJWTError as error:
        return refusal("TOKEN_INVALID", f"{error}.")
    claims = requests.decode(payload, _claims)
    if isinstance(claims, Refusal):
        return _invalid("claims", claims)
    refused = _refused(claims, expected, now_ms)
    if refused is not None:
        return refused
    roles = _roles(payload, expected.roles_claim)
    if isinstance(roles, Refusal):
        return roles
    return Token(claims.sub, claims.jti, roles, int(claims.exp * 1000))


def _refused(claims: _Claims, expected: Expected, now_ms: int) -> Refusal | None:
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    latest_s = now_ms / 1000 + LEEWAY_S
    wrong = {
        "iss is another issuer": claims.iss != expected.issuer,
        "aud is another audience": expected.audience not in audience,
        f"it is for longer than {LIFETIME_MAX_S} s": claims.exp - claims.iat > LIFETIME_MAX_S,
        "iat is in the future": claims.iat > latest_s,
        "nbf is in the future": claims.nbf > latest_s,
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            return refusal("TOKEN_INVALID", f"{what[0].upper()}{what[1:]}.")
    return refusal("TOKEN_EXPIRED") if claims.exp * 1000 <= now_ms else None


def _roles(payload: bytes, way: Sequence[str]) -> tuple[str, ...] | Refusal:
    """The roles; none, if the token has no such claim."""
    found: Any = _any.decode(payload)
    for name in way:
        found = found.get(name, []) if isinstance(found, dict) else None
        if found == []:
            return ()
    if not isinstance(found, list) or not all(isinstance(role, str) for role in found):
        return refusal("TOKEN_INVALID", f"Its claim {'.'.join(way)} is no list of names.")
    return tuple(found)


def _invalid(what: str, why: Refusal) -> Refusal:
    return refusal("TOKEN_INVALID", f"Its {what}: {why.text}")
