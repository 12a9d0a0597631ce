# SPDX-License-Identifier: Apache-2.0
"""Which adapter speaks to the venue: the only place that knows them all.

An adapter's libraries are imported when it is chosen, and only then.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import ClientSession

from tradewind.common.errors import SettingsError
from tradewind.venue.adapter import VenueDialer
from tradewind.venue.instruments import Instruments
from tradewind.venue.settings import Settings
from tradewind.venue.sim_adapter import SimDialer


@dataclass(frozen=True, slots=True)
class Means:
    """What adapters are made with. `may_send`: whether this process is still the active one."""

    settings: Settings
    http: ClientSession
    instruments: Instruments
    may_send: Callable[[], bool]


def _sim(means: Means) -> VenueDialer:
    settings = means.settings
    return SimDialer(
        means.http,
        url=settings.url,
        venue=settings.venue,
        session=settings.session,
        key=settings.key,
        is_cancelling=settings.is_cancelling,
    )


def _ccxt(means: Means) -> VenueDialer:
    from tradewind.venue.ccxt_adapter import CcxtDialer

    return CcxtDialer(means)


DIALERS: dict[str, Callable[[Means], VenueDialer]] = {"sim": _sim, "ccxt": _ccxt}


def make_dialer(means: Means) -> VenueDialer:
    """The dialer of the adapter that the settings name.

    Raises:
        SettingsError: if there is no such adapter.
    """
    name = means.settings.adapter
    make = DIALERS.get(name)
    if make is None:
        raise SettingsError(
            f"TRADEWIND_VENUE_ADAPTER was {name!r}: use one of {', '.join(DIALERS)}"
        )
    return make(means)
