# SPDX-License-Identifier: Apache-2.0
"""What is no token: forged, confused, of others, of other times, or said twice."""

import base64
import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tradewind.gateway import tokens
from tradewind.gateway.errors import Refusal
from tradewind.gateway.tokens import Expected, Token, read_keys

from .issuer import AUDIENCE, MAKES, Issuer

NOW_S = 1_700_000_000


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    found = Issuer("https://id.example")
    for algorithm in MAKES:
        found.add(algorithm.lower(), algorithm)
    return found


def read(issuer: Issuer, token: str, way: tuple[str, ...] = ("groups",)) -> Token | Refusal:
    header = tokens.header_of(token)
    if isinstance(header, Refusal):
        return header
    key = read_keys(issuer.jwks()).get(header.kid)
    if key is None:
        return Refusal("UNKNOWN_KID", "", 401)
    expected = Expected(issuer.name, AUDIENCE, way)
    return tokens.verified(token, header, key, expected, NOW_S * 1000)


def part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hmac(secret: bytes, header: Any, claims: Any) -> str:
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), sha256))}"


def resigned(issuer: Issuer, kid: str, header: Any, claims: Any) -> str:
    """Bytes that the issuer's own key has signed, whatever they say."""
    algorithm, private = issuer.private[kid]
    text = f"{part(header)}.{part(claims)}"
    signer = jwt.get_algorithm_by_name(algorithm)
    return f"{text}.{part(signer.sign(text.encode(), private))}"


@pytest.mark.parametrize("kid", ["rs256", "es256", "eddsa"])
def test_a_token_that_the_issuer_signed_says_who_comes_and_for_how_long(
    issuer: Issuer, kid: str
) -> None:
    token = issuer.token(kid, NOW_S)
    assert read(issuer, token) == Token("u-1", "t-1", ("trader",), (NOW_S + 300) * 1000)
    headers = {"typ": "at+jwt", "x5t": "abc"}
    assert isinstance(read(issuer, issuer.token(kid, NOW_S, headers)), Token)


HEADER = {"alg": "ES256", "kid": "es256", "typ": "JWT"}
CONFUSED: dict[str, Callable[[Issuer], str]] = {
    "none": lambda i: f"{part({'alg': 'none', 'kid': 'es256'})}.{part(i.claims(NOW_S))}.AA",
    "none and no signature": lambda i: f"{part({'alg': 'none', 'kid': 'a'})}.{part({})}.",
    "NoNe": lambda i: f"{part({'alg': 'NoNe', 'kid': 'es256'})}.{part(i.claims(NOW_S))}.AA",
    "HS256 by the public key in PEM": lambda i: by_hmac(
        i.pem("rs256"), {"alg": "HS256", "kid": "rs256"}, i.claims(NOW_S)
    ),
    "HS256 by the key set": lambda i: by_hmac(
        i.jwks("rs256"), {"alg": "HS256", "kid": "rs256"}, i.claims(NOW_S)
    ),
    "HS256 called RS256": lambda i: by_hmac(
        i.pem("rs256"), {"alg": "RS256", "kid": "rs256"}, i.claims(NOW_S)
    ),
    "RS512 with the right key": lambda i: jwt.encode(
        i.claims(NOW_S), i.private["rs256"][1], "RS512", {"kid": "rs256"}
    ),
    "PS256 with the right key": lambda i: jwt.encode(
        i.claims(NOW_S), i.private["rs256"][1], "PS256", {"kid": "rs256"}
    ),
    "the kid of another kind": lambda i: i.token("es256", NOW_S, {"kid": "rs256"}),
    "an alg of another kind": lambda i: resigned(
        i, "es256", HEADER | {"alg": "RS256"}, i.claims(NOW_S)
    ),
    "another's key under that kid": lambda i: jwt.encode(
        i.claims(NOW_S), rsa.generate_private_key(65_537, 2_048), "RS256", {"kid": "rs256"}
    ),
    "a key that the token brings": lambda i: jwt.encode(
        i.claims(NOW_S),
        MAKES["ES256"](),
        "ES256",
        {"kid": "es256", "jwk": json.loads(i.jwks("es256"))["keys"][0]},
    ),
    "other claims under the signature": lambda i: ".".join(
        [
            *i.token("es256", NOW_S).split(".")[:1],
            part(i.claims(NOW_S, sub="u-2")),
            i.token("es256", NOW_S).split(".")[2],
        ]
    ),
    "a critical extension": lambda i: resigned(
        i, "es256", HEADER | {"crit": ["exp2"], "exp2": 1}, i.claims(NOW_S)
    ),
    "a detached payload": lambda i: resigned(
        i, "es256", HEADER | {"b64": False, "crit": ["b64"]}, i.claims(NOW_S)
    ),
    "no kid": lambda i: resigned(i, "es256", {"alg": "ES256"}, i.claims(NOW_S)),
    "an empty kid": lambda i: resigned(i, "es256", HEADER | {"kid": ""}, i.claims(NOW_S)),
    "a kid that is no text": lambda i: resigned(i, "es256", HEADER | {"kid": 1}, i.claims(NOW_S)),
    "a token for another use": lambda i: i.token("es256", NOW_S, {"typ": "logout+jwt"}),
    "a header that says alg twice": lambda i: resigned(
        i, "es256", b'{"alg":"none","alg":"ES256","kid":"es256"}', i.claims(NOW_S)
    ),
    "a claim that is there twice": lambda i: resigned(
        i, "es256", HEADER, json.dumps(i.claims(NOW_S)).encode()[:-1] + b',"sub":"u-2"}'
    ),
    "a role list that is there twice": lambda i: resigned(
        i, "es256", HEADER, json.dumps(i.claims(NOW_S)).encode()[:-1] + b',"groups":["risk"]}'
    ),
    "an expiry that is there twice": lambda i: resigned(
        i, "es256", HEADER, json.dumps(i.claims(NOW_S)).encode()[:-1] + b',"exp":9e9}'
    ),
    "claims that are no object": lambda i: resigned(i, "es256", HEADER, [1]),
    "claims that are no JSON": lambda i: resigned(i, "es256", HEADER, b"\xff{"),
    "claims nested deep": lambda i: resigned(
        i, "es256", HEADER, b'{"a":' + b"[" * 3_000 + b"]" * 3_000 + b"}"
    ),
    "a huge token": lambda i: i.token("es256", NOW_S, note="x" * 9_000),
    "padding": lambda i: i.token("es256", NOW_S) + "=",
    "four parts": lambda i: i.token("es256", NOW_S) + ".AA",
    "an encrypted token": lambda i: f"{part({'alg': 'dir', 'enc': 'A256GCM'})}..AA.AA.AA",
    "white space": lambda i: i.token("es256", NOW_S).replace(".", " .", 1),
    "a header that is not base64": lambda i: "A." + i.token("es256", NOW_S).split(".", 1)[1],
    "nothing": lambda i: "",
}


@pytest.mark.parametrize("name", CONFUSED)
def test_a_token_that_is_forged_or_ambiguous_is_refused(issuer: Issuer, name: str) -> None:
    refused = read(issuer, CONFUSED[name](issuer))
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.http_status) == ("TOKEN_INVALID", 401)


def test_what_the_corpus_makes_by_hand_is_believed_where_nothing_is_wrong(issuer: Issuer) -> None:
    """Else the corpus would be refused for its making."""
    assert isinstance(read(issuer, resigned(issuer, "es256", HEADER, issuer.claims(NOW_S))), Token)
    secret = part(b"0" * 32)
    key = {"kty": "oct", "k": secret, "kid": "rs256", "alg": "HS256"}
    forged = by_hmac(b"0" * 32, {"alg": "HS256", "kid": "rs256"}, issuer.claims(NOW_S))
    assert jwt.PyJWS().decode(forged, jwt.PyJWK(key), algorithms=["HS256"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://id.example/"}, "TOKEN_INVALID"),
        ({"iss": None}, "TOKEN_INVALID"),
        ({"aud": "another"}, "TOKEN_INVALID"),
        ({"aud": []}, "TOKEN_INVALID"),
        ({"aud": None}, "TOKEN_INVALID"),
        ({"aud": {"tradewind": 1}}, "TOKEN_INVALID"),
        ({"aud": ["another", AUDIENCE]}, ""),
        ({"sub": None}, "TOKEN_INVALID"),
        ({"sub": ""}, "TOKEN_INVALID"),
        ({"sub": 7}, "TOKEN_INVALID"),
        ({"exp": NOW_S}, "TOKEN_EXPIRED"),
        ({"exp": NOW_S + 0.5}, ""),
        ({"exp": None}, "TOKEN_INVALID"),
        ({"exp": str(NOW_S + 300)}, "TOKEN_INVALID"),
        ({"exp": True}, "TOKEN_INVALID"),
        ({"exp": 10**30}, "TOKEN_INVALID"),
        ({"exp": float("nan")}, "TOKEN_INVALID"),
        ({"exp": -1}, "TOKEN_INVALID"),
        ({"exp": NOW_S + 900}, ""),
        ({"exp": NOW_S + 901}, "TOKEN_INVALID"),
        ({"iat": None}, "TOKEN_INVALID"),
        ({"iat": NOW_S + 5}, ""),
        ({"iat": NOW_S + 6}, "TOKEN_INVALID"),
        ({"iat": NOW_S - 900, "exp": NOW_S + 1}, "TOKEN_INVALID"),
        ({"nbf": NOW_S + 5}, ""),
        ({"nbf": NOW_S + 10**6}, "TOKEN_INVALID"),
        ({"nbf": "soon"}, "TOKEN_INVALID"),
        ({"jti": "x" * 256}, "TOKEN_INVALID"),
        ({"jti": None}, ""),
        ({"groups": "trader"}, "TOKEN_INVALID"),
        ({"groups": [1]}, "TOKEN_INVALID"),
        ({"groups": None}, ""),
    ],
)
def test_every_claim_has_to_hold(issuer: Issuer, changes: dict[str, Any], code: str) -> None:
    found = read(issuer, issuer.token("es256", NOW_S, **changes))
    assert (found.code if isinstance(found, Refusal) else "") == code, found


def test_roles_may_stand_inside_another_claim(issuer: Issuer) -> None:
    way = ("realm_access", "roles")
    token = issuer.token("es256", NOW_S, realm_access={"roles": ["risk", "read"]})
    found = read(issuer, token, way)
    assert isinstance(found, Token)
    assert found.roles == ("risk", "read")
    for other in ("text", [["a"]], {"roles": {"risk": 1}}):
        refused = read(issuer, issuer.token("es256", NOW_S, realm_access=other), way)
        assert isinstance(refused, Refusal), other
    found = read(issuer, issuer.token("es256", NOW_S), way)
    assert isinstance(found, Token)
    assert found.roles == ()


def test_only_public_keys_that_are_for_signatures_of_the_three_kinds_are_taken(
    issuer: Issuer,
) -> None:
    good = json.loads(issuer.jwks("es256"))["keys"][0]
    rs256 = json.loads(issuer.jwks("rs256"))["keys"][0]
    short: Any = jwt.get_algorithm_by_name("RS256")
    weak = short.to_jwk(rsa.generate_private_key(65_537, 1_024).public_key(), as_dict=True)
    others = [
        {"kty": "oct", "k": part(b"0" * 32), "kid": "a"},
        {"kty": "oct", "k": part(b"0" * 32), "kid": "b", "alg": "ES256"},
        good | {"kid": "c", "use": "enc"},
        good | {"kid": "d", "alg": "ES512"},
        rs256 | {"kid": "e", "alg": "PS256"},
        good | {"kid": "f", "d": "AA"},
        good | {"kid": "g", "crv": "P-384"},
        {name: value for name, value in good.items() if name != "kid"},
        {"kty": "RSA", "crv": "", "kid": "h", **weak},
    ]
    assert set(read_keys(json.dumps({"keys": [*others, good]}).encode())) == {"es256"}
    for wrong in (b"{}", b"[]", b"{", json.dumps({"keys": [good] * 101}).encode()):
        with pytest.raises((ValueError, msgspec.MsgspecError)):
            read_keys(wrong)
    with pytest.raises(ValueError, match="es256"):
        read_keys(json.dumps({"keys": [good | {"x": "AA"}]}).encode())
