# SPDX-License-Identifier: Apache-2.0
"""The client for programs with threads, or with nothing of the kind."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from types import TracebackType
from typing import Any, Self, cast

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tradewind_client import requests
from tradewind_client.requests import Order, Request, new_cl_ord_id
from tradewind_client.retries import Attempt, Response, Retries, exchange
from tradewind_client.signing import Credentials
from tradewind_client.stream import Stream, socket_url
from tradewind_client.types import Answer, Page, ReportMessage

PING_S = 1.0


class Client:
    """Calls to any of several gateways; for `with`. Every call may raise `GatewayError`."""

    def __init__(
        self,
        urls: Sequence[str],
        credentials: Credentials,
        *,
        timeout_s: float = 1.0,
        retries: Retries | None = None,
    ) -> None:
        """`timeout_s` is what one gateway has to answer in before another one is asked."""
        self._urls = list(urls)
        self._credentials = credentials
        self._retries = retries or Retries()
        self._http = httpx.Client(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def submit(self, order: Order) -> Answer:
        """Submits an order. The same `Order` again is the same order."""
        return cast(Answer, self._call(requests.submit(order)))

    def replace(
        self,
        account: str,
        orig_cl_ord_id: str,
        *,
        order_qty: str,
        price: str | None = None,
        cl_ord_id: str = "",
    ) -> Answer:
        """Asks for another quantity and price; `cl_ord_id` is the request's own id."""
        request = requests.replace(
            account,
            orig_cl_ord_id,
            order_qty=order_qty,
            price=price,
            cl_ord_id=cl_ord_id or new_cl_ord_id(),
        )
        return cast(Answer, self._call(request))

    def cancel(self, account: str, orig_cl_ord_id: str, *, cl_ord_id: str = "") -> Answer:
        """Cancels an order; `cl_ord_id` is the request's own id."""
        request = requests.cancel(account, orig_cl_ord_id, cl_ord_id=cl_ord_id or new_cl_ord_id())
        return cast(Answer, self._call(request))

    def mass_cancel(
        self, account: str, *, symbol: str | None = None, cl_ord_id: str = ""
    ) -> Answer:
        """Cancels all orders of an account, or those in one instrument."""
        request = requests.mass_cancel(
            account, symbol=symbol, cl_ord_id=cl_ord_id or new_cl_ord_id()
        )
        return cast(Answer, self._call(request))

    def order(self, account: str, cl_ord_id: str) -> dict[str, Any]:
        """One order, by any id that it has had."""
        found = self._call(requests.order(account, cl_ord_id))
        return cast(dict[str, Any], found["order"])

    def orders(
        self,
        account: str | None = None,
        *,
        is_open_only: bool = False,
        limit: int = 500,
        cursor: str | None = None,
    ) -> Page:
        """One page of orders."""
        request = requests.orders(account, is_open_only=is_open_only, limit=limit, cursor=cursor)
        return cast(Page, self._call(request))

    def positions(self, account: str | None = None) -> list[dict[str, Any]]:
        """Positions of an account, or of all accounts of the key."""
        found = self._call(requests.positions(account))
        return cast(list[dict[str, Any]], found["positions"])

    def instruments(self) -> list[dict[str, Any]]:
        """All instruments, with the grids of their prices and quantities."""
        found = self._call(requests.instruments())
        return cast(list[dict[str, Any]], found["instruments"])

    def reports(self, ordinals: Mapping[int, int] | None = None) -> Iterator[ReportMessage]:
        """Reports as they come, each once, whichever gateways die meanwhile; for ever.

        `ordinals`, by shard, of the last reports that were heard in an earlier life: what came
        since is told first.

        Raises:
            GatewayError: the gateways refuse for good.
        """
        stream = Stream(self._credentials, ordinals or {})
        failures = 0
        for url in cycle(self._urls):
            with (
                suppress(OSError, TimeoutError, WebSocketException),
                connect(
                    socket_url(url), ping_interval=PING_S, ping_timeout=PING_S, max_size=None
                ) as socket,
            ):
                socket.send(stream.hello())
                for frame in socket:
                    failures = 0
                    yield from stream.hear(frame)
            time.sleep(self._retries.pause_s(failures))
            failures += 1

    def _call(self, request: Request) -> dict[str, Any]:
        work = exchange(request, self._urls, self._credentials, self._retries)
        attempt = next(work)
        while True:
            try:
                attempt = work.send(self._sent(attempt))
            except StopIteration as done:
                return cast(dict[str, Any], done.value)

    def _sent(self, attempt: Attempt) -> Response | None:
        time.sleep(attempt.pause_s)
        try:
            got = self._http.request(
                attempt.method, attempt.url, content=attempt.body, headers=attempt.headers
            )
        except httpx.TransportError:
            return None
        return Response(got.status_code, got.content, got.headers.get("Retry-After", ""))
