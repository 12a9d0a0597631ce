# SPDX-License-Identifier: Apache-2.0
"""People who come with a token of the issuer: who they are here, and what they may do.

A person is the token's subject, not its e-mail address: that can be changed, and who could change
theirs between two calls would be two people. Where the file gives subjects a name, those of one
name are one person, and so is the client of keys that has it.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

from tradewind.gateway import tokens
from tradewind.gateway.auth import Grant, Person
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.issuer import IssuerKeys
from tradewind.gateway.people_file import PeopleFile, load_people
from tradewind.gateway.throttle import Throttle
from tradewind.gateway.tokens import Token

MAX_THROTTLES = 10_000
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""What a subject without a name has to look like: it stands in scopes and in reports."""


class People:
    """Whom the issuer's tokens prove, by what the file says now."""

    def __init__(self, told: PeopleFile, keys: IssuerKeys, now_ms: Callable[[], int]) -> None:
        self._told = told
        self._keys = keys
        self._now_ms = now_ms
        self._throttles: OrderedDict[str, Throttle] = OrderedDict()

    @classmethod
    def of_file(cls, path: Path, now_ms: Callable[[], int]) -> "People":
        """As the people file says. Raises SettingsError, as `load_people` does."""
        told = load_people(path)
        return cls(told, IssuerKeys(told.issuer), now_ms)

    def read(self, path: Path) -> None:
        """Takes what the file says now. Raises SettingsError, as `load_people` does."""
        self.renew(load_people(path))

    async def run(self) -> None:
        """Keeps the issuer's keys, for ever."""
        await self._keys.run()

    def facts(self) -> dict[str, Any]:
        """What the gateway says of the issuer."""
        return {"name": self._told.issuer.name, **self._keys.facts()}

    def renew(self, told: PeopleFile) -> None:
        """The file says this from now on, for sessions that are open too."""
        self._told = told
        self._keys.turn_to(told.issuer)

    async def check(self, token: str) -> Person | Refusal:
        """Whose token it is, or why it is not believed."""
        header = tokens.header_of(token)
        if isinstance(header, Refusal):
            return header
        key = await self._keys.of(header.kid)
        if isinstance(key, Refusal):
            return key
        issuer = self._told.issuer
        expected = tokens.Expected(issuer.name, issuer.audience, self._told.roles_claim)
        found = tokens.verified(token, header, key, expected, self._now_ms())
        return found if isinstance(found, Refusal) else self._person(found)

    def end(self, person: Person) -> Refusal | None:
        """Why somebody who once was believed is no longer; None: is."""
        if self._now_ms() >= person.not_after_ms:
            return refusal("TOKEN_EXPIRED")
        is_other = self._grants(person.roles) != person.grants or (
            self._name(person.subject) != (person.client, person.is_named)
        )
        if is_other or self._is_revoked(person.subject, person.token_id):
            return refusal("TOKEN_REVOKED")
        return None

    def _person(self, token: Token) -> Person | Refusal:
        if self._is_revoked(token.subject, token.token_id):
            return refusal("TOKEN_REVOKED")
        client, is_named = self._name(token.subject)
        if not is_named and (not _NAME.fullmatch(client) or client in self._told.people.values()):
            return refusal("TOKEN_INVALID", f"Subject {client[:64]!r} needs a name (people).")
        grants = self._grants(token.roles)
        readable = [grant.accounts for grant in grants if "read" in grant.scopes]
        return Person(
            key_id=token.subject,
            secret=b"",
            accounts=_union(readable),
            scopes=_union([grant.scopes for grant in grants]),
            client=client,
            not_after_ms=token.ends_ms,
            subject=token.subject,
            token_id=token.token_id,
            roles=token.roles,
            grants=grants,
            is_named=is_named,
            throttle=self._throttle(client),
        )

    def _name(self, subject: str) -> tuple[str, bool]:
        """Who a subject is here, and whether the file says so."""
        named = self._told.people.get(subject)
        return (subject, False) if named is None else (named, True)

    def _grants(self, roles: tuple[str, ...]) -> tuple[Grant, ...]:
        known = self._told.roles
        return tuple(known[role].grant for role in roles if role in known)

    def _is_revoked(self, subject: str, token_id: str) -> bool:
        revoked = self._told.revoked
        return subject in revoked.people or bool(token_id and token_id in revoked.tokens)

    def _throttle(self, client: str) -> Throttle:
        """One for each person, for as long as there are not too many others."""
        rate = self._told.requests_per_s
        found = self._throttles.pop(client, None)
        if found is None or found.rate != rate:
            found = Throttle(rate)
        self._throttles[client] = found
        if len(self._throttles) > MAX_THROTTLES:
            self._throttles.popitem(last=False)
        return found


def _union(sets: list[frozenset[str]]) -> frozenset[str]:
    return reduce(frozenset.union, sets, frozenset())
