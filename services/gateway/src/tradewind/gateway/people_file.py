# SPDX-License-Identifier: Apache-2.0
"""The people file: whose tokens are believed, what their roles allow, who they are here."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from tradewind.common.errors import SettingsError
from tradewind.gateway.auth import Grant, Scope

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.:@-]{1,64}\Z")]


class Role(Struct, forbid_unknown_fields=True, frozen=True):
    """What a role allows, and in which accounts; `*` for all."""

    scopes: list[Scope]
    accounts: list[str]

    @property
    def grant(self) -> Grant:
        """As the gateway checks it."""
        return Grant(frozenset(self.scopes), frozenset(self.accounts))


class Revoked(Struct, forbid_unknown_fields=True, frozen=True):
    """Tokens (`jti`) and people (`sub`) that are believed no longer."""

    tokens: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


class Issuer(Struct, forbid_unknown_fields=True, frozen=True):
    """Who signs tokens. Its keys are those that it announces, or those of `jwks_file`.

    Without hearing from it they are believed for `keys_kept_s`.
    """

    name: Annotated[str, Meta(min_length=1)]
    audience: Annotated[str, Meta(min_length=1)]
    jwks_file: str = ""
    keys_kept_s: Annotated[int, Meta(ge=0)] = 3_600


class PeopleFile(Struct, forbid_unknown_fields=True, frozen=True):
    """What the file says.

    `roles_claim` is the way to the claim that lists a token's roles, `people` are names by subject.
    Each person may ask so often at each gateway; 0: no bound.
    """

    issuer: Issuer
    roles: dict[str, Role]
    roles_claim: Annotated[tuple[str, ...], Meta(min_length=1)] = ("groups",)
    people: dict[str, Name] = {}
    revoked: Revoked = Revoked()
    requests_per_s: Annotated[int, Meta(ge=0)] = 20


def load_people(path: Path) -> PeopleFile:
    """What the people file says.

    Raises:
        SettingsError: if it cannot be read, or is none.
    """
    try:
        content = msgspec.json.decode(path.read_bytes(), type=PeopleFile)
    except OSError as error:
        raise SettingsError(f"the people file {path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise SettingsError(f"the people file {path} is not usable: {error}") from error
    issuer = content.issuer
    if not issuer.jwks_file and not is_safe(issuer.name):
        raise SettingsError(
            f"the people file {path} is not usable: the issuer {issuer.name!r} is no https address"
        )
    return content


def is_safe(url: str) -> bool:
    """Whether nobody on the way can change what comes from there: https, or this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))
    )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
