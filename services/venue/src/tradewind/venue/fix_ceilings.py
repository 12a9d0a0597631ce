# SPDX-License-Identifier: Apache-2.0
"""How far the numbers of FIX sessions are reserved, in a bucket that outlives every process."""

import msgspec

from tradewind.common.errors import Refused
from tradewind.common.jetstream import KeyValue

BUCKET = "FIX"
TRIES = 5


class _Ceiling(msgspec.Struct, frozen=True):
    next_out: int = 1


class KvCeilings:
    """The sessions of one venue (see `fix_numbers.Ceilings`)."""

    def __init__(self, values: KeyValue, venue: str) -> None:
        self._values = values
        self._venue = venue

    async def raised(self, session: str, at_least: int, by: int) -> int:
        """Reserves `by` numbers. Another one who does so at the same time gets others."""
        key = f"venue.{self._venue}.{session}"
        for _try in range(TRIES):
            entry = await self._values.get(key)
            known = msgspec.json.decode(entry.value, type=_Ceiling) if entry else _Ceiling()
            first = max(known.next_out, at_least)
            value = msgspec.json.encode(_Ceiling(first + by))
            try:
                await self._values.update(key, value, entry.revision if entry else 0)
            except Refused:
                continue
            return first
        raise Refused(f"the numbers of {session} are being reserved by others")
