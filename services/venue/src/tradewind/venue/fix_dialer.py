# SPDX-License-Identifier: Apache-2.0
"""Reaches a venue's FIX port: several addresses, one after the other, in the session's hours.

`fix://host:port`, or `fixs://host:port` with TLS; backup addresses follow after commas.
"""

import logging

from tradewind.fix import tags
from tradewind.fix.addresses import dial, parse_addresses
from tradewind.fix.link import Link, LinkDown
from tradewind.fix.session import Ends
from tradewind.venue.adapter import VenueGone
from tradewind.venue.dialers import Means
from tradewind.venue.fix_adapter import FixAdapter
from tradewind.venue.fix_numbers import Numbers
from tradewind.venue.fix_words import Words
from tradewind.venue.hours import is_open, parse_hours

log = logging.getLogger(__name__)

HEARTBEAT_S = 2


class FixDialer:
    """Reaches one venue. It begins with the address that worked last."""

    def __init__(self, means: Means) -> None:
        self._settings = means.settings
        self._ceilings = means.ceilings
        self._instruments = means.instruments
        self._addresses = parse_addresses(means.settings.url, "TRADEWIND_VENUE_URL")
        self._hours = parse_hours(means.settings.hours)

    async def dial(self, shard: int) -> FixAdapter:
        """Opens a connection for one shard's session."""
        if not is_open(self._hours):
            raise VenueGone(f"{self._settings.venue} is closed: {self._settings.hours}")
        settings = self._settings
        try:
            reader, writer = await dial(self._addresses)
        except LinkDown as error:
            raise VenueGone(f"{settings.venue} cannot be reached: {error.text}") from error
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
