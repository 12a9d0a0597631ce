# SPDX-License-Identifier: Apache-2.0
"""Inputs about the parts that shards have of bounds which span them."""

from tradewind.core.record import record


@record
class DivideBounds:
    """From now on bounds of scopes that span shards are divided: this shard is one of `shards`.

    `is_new` says that no shard has traded yet, so that what is bounded now may be used at once.
    """

    shards: int
    is_new: bool
    actor: str


@record
class GiveShare:
    """Asks for up to so many units of a bound for another shard.

    `number` counts the transfers of this bound to that shard. It says as well that the one before
    has arrived: a transfer is one at a time.
    """

    scope: str
    bound: str
    shard: int
    number: int
    units: int


@record
class TakeShare:
    """Units that the shard named here has given: its `number`-th transfer of this bound to us."""

    scope: str
    bound: str
    shard: int
    number: int
    units: int


@record
class AgreeBound:
    """Every shard holds this limit and needs no more of it than its part.

    `since_seq` is where this shard's limits were set last: it agrees to nothing else.
    """

    scope: str
    bound: str
    limit: int
    since_seq: int
