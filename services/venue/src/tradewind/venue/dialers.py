# SPDX-License-Identifier: Apache-2.0
"""Which adapter speaks to the venue: the only place that knows them all.

An adapter's libraries are imported when it is chosen, and only then.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import ClientSession

from tradewind.common.errors import SettingsError
from tradewind.venue.adapter import VenueDialer
from tradewind.venue.fix_numbers import Ceilings
from tradewind.venue.instruments import Instruments
from tradewind.venue.settings import Settings
from tradewind.venue.sim_adapter import SimDialer


@dataclass(frozen=True, slots=True)
class Means:
    """What adapters are made with. `may_send`: whether this process is still the active one.

    `ceilings` are where the numbers of FIX sessions are reserved.
    """

    settings: Settings
    http: ClientSession
    instruments: Instruments
    may_send: Callable[[], bool]
    ceilings: Ceilings


Make = Callable[[Means], VenueDialer]


def _sim() -> Make:
    return lambda means: SimDialer(
        means.http,
        url=means.settings.url,
        venue=means.settings.venue,
        session=means.settings.session,
        key=means.settings.key,
        is_cancelling=means.settings.is_cancelling,
    )


def _ccxt() -> Make:
    from tradewind.venue.ccxt_adapter import CcxtDialer

    return CcxtDialer


def _fix() -> Make:
    from tradewind.venue.fix_dialer import FixDialer

    return FixDialer


ADAPTERS: dict[str, Callable[[], Make]] = {"sim": _sim, "ccxt": _ccxt, "fix": _fix}


def choose(adapter: str) -> Make:
    """Loads an adapter. This may take seconds: do it before anybody waits for this process.

    Raises:
        SettingsError: if there is no such adapter.
    """
    load = ADAPTERS.get(adapter)
    if load is None:
        raise SettingsError(
            f"TRADEWIND_VENUE_ADAPTER was {adapter!r}: use one of {', '.join(ADAPTERS)}"
        )
    return load()
