# SPDX-License-Identifier: Apache-2.0
"""What a list is asked for: which rows, how many at most, and behind which one to go on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tradewind.gateway.errors import RefusedRequest, refusal

LIMIT, LIMIT_MAX = 500, 1_000
FLAGS = {"true": True, "1": True, "false": False, "0": False}
CURSOR = r"[0-9]{1,4}\.[0-9]{1,18}"
_cursor = re.compile(CURSOR, re.ASCII)
_number = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """Of a list in the order of shards, and of falling sequences in each. As text, a cursor."""

    shard: int = 0
    before_seq: int | None = None
    limit: int = LIMIT

    def __str__(self) -> str:
        """What a client sends to get what follows."""
        return f"{self.shard}.{self.before_seq}"


def flag_of(query: Mapping[str, str], name: str) -> bool:
    """Whether a flag is set; it is not where it is left out.

    Raises:
        RefusedRequest: INVALID_FIELD.
    """
    value = query.get(name, "false").lower()
    if value not in FLAGS:
        raise RefusedRequest(refusal("INVALID_FIELD", f"{name} is true or false."))
    return FLAGS[value]


def page_of(query: Mapping[str, str]) -> Page:
    """The page that `limit` and `cursor` ask for.

    Raises:
        RefusedRequest: INVALID_FIELD.
    """
    limit, cursor = query.get("limit", str(LIMIT)), query.get("cursor")
    if not (_number.fullmatch(limit) and 1 <= int(limit) <= LIMIT_MAX):
        raise RefusedRequest(refusal("INVALID_FIELD", f"limit is 1 to {LIMIT_MAX}."))
    page = Page(limit=int(limit))
    if cursor is None:
        return page
    if not _cursor.fullmatch(cursor):
        raise RefusedRequest(refusal("INVALID_FIELD", "cursor is the next_cursor of an answer."))
    shard, _, seq = cursor.partition(".")
    return replace(page, shard=int(shard), before_seq=int(seq))
