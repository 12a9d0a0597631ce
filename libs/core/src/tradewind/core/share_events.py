# SPDX-License-Identifier: Apache-2.0
"""Outputs about the parts that shards have of bounds which span them."""

from tradewind.core.record import record


@record
class BoundsDivided:
    """Bounds of scopes that span shards hold over all of them together; each has its part."""

    shards: int
    is_new: bool
    actor: str


@record
class ShareGiven:
    """So many units are another shard's, once it takes them; `left` is what stays here."""

    scope: str
    bound: str
    shard: int
    number: int
    units: int
    left: int


@record
class ShareTaken:
    """So many units came from another shard; `held` is what is here now."""

    scope: str
    bound: str
    shard: int
    number: int
    units: int
    held: int


@record
class BoundAgreed:
    """All shards are known to hold this limit: each may use its part of it."""

    scope: str
    bound: str
    limit: int


@record
class ShareWanted:
    """An order was refused here that the whole bound has room for: `amount` with that order."""

    scope: str
    bound: str
    amount: int
