# SPDX-License-Identifier: Apache-2.0
"""Both halves of the exchange API, put together for one venue."""

from aiohttp import web

from tradewind.simvenue.exchange.account import Accounts
from tradewind.simvenue.exchange.public import Public
from tradewind.simvenue.exchange.rest import PATH, Rest
from tradewind.simvenue.exchange.streams import Streams
from tradewind.simvenue.market import Market
from tradewind.simvenue.venue import Venue


class ExchangeEdge:
    """Where crypto clients arrive."""

    def __init__(self, venue: Venue, market: Market, key: str) -> None:
        accounts = Accounts(venue)
        self._rest = Rest(Public(venue, market), accounts, venue.faults, key)
        self._streams = Streams(venue, market, accounts, key)

    def routes(self) -> list[web.RouteDef]:
        """REST, an account's stream, market streams."""
        return [
            web.route("*", PATH + "{tail:.*}", self._rest.serve),
            web.get("/ws-api/v3", self._streams.serve_account),
            web.get("/ws", self._streams.serve_market),
            web.get("/ws/{tail:.*}", self._streams.serve_market),
        ]

    def close(self) -> None:
        """Ends what would not end by itself: the venue stops."""
        self._rest.close()
        self._streams.close()
