# SPDX-License-Identifier: Apache-2.0
"""What a connector needs of a venue, whatever it speaks."""

from typing import Protocol

from tradewind.common.errors import TradewindError
from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest


class VenueDown(TradewindError):
    """The session with the venue ended; what was on its way may or may not have arrived."""

    code = "VENUE_DOWN"


class VenueAdapter(Protocol):
    """One session with one venue. Every method raises `VenueDown` once the session is lost."""

    async def logon(self) -> None:
        """Opens the session and thereby ends any earlier one at the venue: the fence."""

    async def send(self, request: VenueRequest) -> None:
        """Puts a request on the wire. Returning says nothing about its receipt."""

    async def knows(self, order_id: str) -> bool:
        """Asks the venue whether it ever took this order, working or finished."""

    async def replay(self, after_exec_no: int) -> None:
        """Has all reports after `after_exec_no` sent again; returns after the last one came."""

    async def next_reports(self) -> list[ApplyVenueReport]:
        """The next reports in the venue's order, at least one."""

    async def close(self) -> None:
        """Ends the session."""
