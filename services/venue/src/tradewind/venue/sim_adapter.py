# SPDX-License-Identifier: Apache-2.0
"""The adapter for simvenue's session protocol: JSON over one WebSocket."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, VenueAction
from tradewind.venue.adapter import VenueDown

LOGON_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 5.0
HEARTBEAT_S = 2.0


class SimAdapter:
    """One session. Made anew for every logon."""

    def __init__(self, venue: str, url: str, session: str, key: str) -> None:
        self._venue = venue
        self._url = url
        self._session = session
        self._key = key
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._reports: asyncio.Queue[ApplyVenueReport | None] = asyncio.Queue()
        self._statuses: dict[str, asyncio.Future[bool]] = {}
        self._replayed: asyncio.Future[None] | None = None

    async def logon(self) -> None:
        """Connects and identifies itself; the venue ends any earlier session of the same name."""
        self._http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(LOGON_TIMEOUT_S):
                self._socket = await self._http.ws_connect(
                    f"{self._url}/session", heartbeat=HEARTBEAT_S
                )
                await self._say({"op": "logon", "session": self._session, "key": self._key})
                answer = msgspec.json.decode((await self._socket.receive_str()).encode())
        except (aiohttp.ClientError, OSError, TimeoutError, TypeError) as error:
            await self.close()
            raise VenueDown(f"no session with {self._venue}: {error!r}") from error
        if answer.get("op") != "logged_on":
            await self.close()
            raise VenueDown(f"{self._venue} refused the logon: {answer}")
        self._reading = asyncio.create_task(self._read())

    async def send(self, request: VenueRequest) -> None:
        """New, cancel or replace, in the venue's words."""
        match request.action:
            case VenueAction.NEW:
                await self._say(
                    {
                        "op": "new",
                        "cl_id": request.order_id,
                        "symbol": request.symbol,
                        "side": request.side,
                        "ord_type": request.ord_type,
                        "time_in_force": request.time_in_force,
                        "qty": request.order_qty,
                        "price": request.price,
                    }
                )
            case VenueAction.CANCEL:
                await self._say(
                    {"op": "cancel", "cl_id": request.order_id, "request_id": request.request_id}
                )
            case VenueAction.REPLACE:
                await self._say(
                    {
                        "op": "replace",
                        "cl_id": request.order_id,
                        "request_id": request.request_id,
                        "qty": request.order_qty,
                        "price": request.price,
                    }
                )

    async def knows(self, order_id: str) -> bool:
        """Asks for the order's status."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._statuses[order_id] = future
        await self._say({"op": "status", "cl_id": order_id})
        return bool(await self._answer(future))

    async def replay(self, after_exec_no: int) -> None:
        """Asks for everything after an execution number."""
        self._replayed = asyncio.get_running_loop().create_future()
        await self._say({"op": "reports", "after": after_exec_no})
        await self._answer(self._replayed)

    async def next_reports(self) -> list[ApplyVenueReport]:
        """Waits for one report and takes along what else has arrived."""
        found = [await self._reports.get()]
        while not self._reports.empty():
            found.append(self._reports.get_nowait())
        if None in found:
            self._reports.put_nowait(None)
        reports = [report for report in found if report is not None]
        if not reports:
            raise VenueDown(f"the session with {self._venue} ended")
        return reports

    async def close(self) -> None:
        """Ends the session, or what is left of it."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        if self._http is not None:
            await self._http.close()

    async def _say(self, message: Mapping[str, Any]) -> None:
        if self._socket is None or self._socket.closed:
            raise VenueDown(f"there is no session with {self._venue}")
        try:
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except (aiohttp.ClientError, OSError) as error:
            raise VenueDown(f"the session with {self._venue} broke: {error!r}") from error

    async def _answer(self, future: "asyncio.Future[Any]") -> Any:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await future
        except TimeoutError as error:
            raise VenueDown(f"{self._venue} does not answer") from error

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                self._hear(msgspec.json.decode(message.data))
        finally:
            self._reports.put_nowait(None)
            down = VenueDown(f"the session with {self._venue} ended")
            for future in (*self._statuses.values(), self._replayed):
                if future is not None and not future.done():
                    future.set_exception(down)
                    future.exception()

    def _hear(self, message: dict[str, Any]) -> None:
        match message.get("op"):
            case "report":
                self._reports.put_nowait(self._report(message))
            case "status":
                future = self._statuses.pop(message["cl_id"], None)
                if future is not None and not future.done():
                    future.set_result(bool(message["found"]))
            case "reports_end":
                if self._replayed is not None and not self._replayed.done():
                    self._replayed.set_result(None)

    def _report(self, message: dict[str, Any]) -> ApplyVenueReport:
        return ApplyVenueReport(
            venue=self._venue,
            order_id=message["cl_id"],
            request_id=message["request_id"],
            venue_order_id=message["venue_order_id"],
            exec_id=message["exec_id"],
            exec_no=message["exec_no"],
            exec_type=ExecType(message["exec_type"]),
            last_qty=message["last_qty"],
            last_px=message["last_px"],
            order_qty=message["qty"],
            price=message["price"],
            text=message["text"],
        )
