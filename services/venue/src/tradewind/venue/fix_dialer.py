# SPDX-License-Identifier: Apache-2.0
"""Reaches a venue's FIX port: several addresses, one after the other, in the session's hours.

`fix://host:port`, or `fixs://host:port` with TLS; backup addresses follow after commas.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from tradewind.common.errors import SettingsError
from tradewind.fix import tags
from tradewind.fix.link import Link
from tradewind.fix.session import Ends
from tradewind.venue.adapter import VenueGone
from tradewind.venue.dialers import Means
from tradewind.venue.fix_adapter import FixAdapter
from tradewind.venue.fix_numbers import Numbers
from tradewind.venue.fix_words import Words
from tradewind.venue.hours import is_open, parse_hours

log = logging.getLogger(__name__)

DIAL_TIMEOUT_S = 1.0
HEARTBEAT_S = 2
SCHEMES = {"fix": False, "fixs": True}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a FIX port is."""

    host: str
    port: int
    is_tls: bool


class FixDialer:
    """Reaches one venue. It begins with the address that worked last."""

    def __init__(self, means: Means) -> None:
        self._settings = means.settings
        self._ceilings = means.ceilings
        self._instruments = means.instruments
        self._addresses = parse_addresses(means.settings.url)
        self._hours = parse_hours(means.settings.hours)

    async def dial(self, shard: int) -> FixAdapter:
        """Opens a connection for one shard's session."""
        if not is_open(self._hours):
            raise VenueGone(f"{self._settings.venue} is closed: {self._settings.hours}")
        reader, writer = await self._connect()
        settings = self._settings
        session = f"{settings.session}-{shard}"
        password = ((tags.PASSWORD, settings.key),) if settings.key else ()
        cancels = ((tags.CANCEL_ON_DISCONNECT, "Y"),) if settings.is_cancelling else ()
        ends = Ends(
            me=session,
            peer=settings.peer,
            is_initiator=True,
            heartbeat_s=HEARTBEAT_S,
            logon=((tags.USERNAME, settings.service.instance), *password, *cancels),
        )
        numbers = Numbers(self._ceilings, session)
        words = Words(settings.venue, self._instruments)
        link = Link(reader, writer, ends, numbers, lambda message: adapter.deliver(message))
        adapter = FixAdapter(link, numbers, words, settings.venue, self._hours)
        return adapter

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        failures = []
        for _address in list(self._addresses):
            address = self._addresses[0]
            try:
                async with asyncio.timeout(DIAL_TIMEOUT_S):
                    return await asyncio.open_connection(
                        address.host,
                        address.port,
                        ssl=ssl.create_default_context() if address.is_tls else None,
                    )
            except (OSError, TimeoutError) as error:
                failures.append(f"{address.host}:{address.port} {error!r}")
                self._addresses.append(self._addresses.pop(0))
        raise VenueGone(f"{self._settings.venue} cannot be reached: {'; '.join(failures)}")


def parse_addresses(text: str) -> list[Address]:
    """The addresses in TRADEWIND_VENUE_URL.

    Raises:
        SettingsError: if one of them is none.
    """
    found = []
    for part in text.split(","):
        url = urlsplit(part.strip())
        try:
            found.append(Address(url.hostname or "", url.port or 0, SCHEMES[url.scheme]))
        except (KeyError, ValueError):
            found.append(Address("", 0, is_tls=False))
        if not (found[-1].host and found[-1].port):
            raise SettingsError(
                f"TRADEWIND_VENUE_URL was {text!r}: write fix://host:port, or fixs:// with TLS, "
                "and backup addresses after commas"
            )
    return found
