# SPDX-License-Identifier: Apache-2.0
"""An unmodified ccxt client of Binance, with nothing but its addresses pointed at the venue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro

from tests.integration.simvenue.venue_process import KEY, VenueProcess
from tradewind.simvenue.exchange.keys import secret_of

SYMBOL = "BTC/USD"


@asynccontextmanager
async def ccxt_client(venue: VenueProcess, api_key: str = "CCXT.one") -> AsyncIterator[Any]:
    """A client that is one API key of an account."""
    client = ccxt.pro.binance({"apiKey": api_key, "secret": secret_of(KEY, api_key)})
    client.options["fetchMarkets"] = {"types": ["spot"]}
    client.options.update(fetchMargins=False, fetchCurrencies=False)
    api = f"{venue.http}/api/v3"
    client.urls["api"].update(public=api, private=api)
    client.urls["api"]["ws"].update(spot=f"{venue.url}/ws")
    client.urls["api"]["ws"]["ws-api"].update(spot=f"{venue.url}/ws-api/v3")
    try:
        yield client
    finally:
        await client.close()
