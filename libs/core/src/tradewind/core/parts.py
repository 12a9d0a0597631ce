# SPDX-License-Identifier: Apache-2.0
"""What a shard remembers of its parts of bounds that span shards."""

from dataclasses import dataclass

from tradewind.core.bounds import UNSET


@dataclass(slots=True, kw_only=True)
class Share:
    """This shard's part of a bound that spans shards (see `shares`), in units of the whole.

    `agreed` is the limit that every shard was known to hold, or a higher one that was set since;
    UNSET if that is unknown. `since_seq` is where the limit was set last.
    """

    units: int
    agreed: int = UNSET
    since_seq: int = 0


@dataclass(slots=True, kw_only=True)
class Transfer:
    """Units of a bound between this shard and another: how many went there and came from there.

    `units` are those of the last transfer that went: until it has arrived they are nobody's.
    """

    given: int = 0
    units: int = 0
    taken: int = 0
