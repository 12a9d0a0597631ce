# SPDX-License-Identifier: Apache-2.0
"""A client of the gateway: signed REST calls and one pipelined WebSocket.

It knows nothing of the services' code: what it says is what any client must say.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from tradewind.cli.credentials import Credentials, Token
from tradewind.common.errors import TradewindError

WS_PATH = "/v1/ws"
TIMEOUT_S = 10.0
FAILED_FROM = 400
SILENCE_S = 0.3
LOOK_S = 0.02
MAX_FRAME_BYTES = 24 * 1024
PAGE_MAX = 1_000
"""The gateway takes frames of 32 KiB; messages are gathered to less than that."""

Message = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class GatewayError(TradewindError):
    """The gateway said no, or could not be reached. `status` is HTTP's, 0 without an answer."""

    code = "GATEWAY_UNREACHABLE"

    def __init__(self, text: str, *, code: str | None = None, status: int = 0) -> None:
        super().__init__(text, code=code)
        self.status = status


class GatewayClient:
    """REST calls. Use as an async context manager."""

    def __init__(
        self, url: str, credentials: Credentials | Token, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "GatewayClient":
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Message | None = None,
    ) -> Message:
        """One signed call; the answer's JSON.

        Raises:
            GatewayError: with the gateway's code, or GATEWAY_UNREACHABLE.
        """
        assert self._session is not None, "use the client as a context manager"
        given = {name: value for name, value in (query or {}).items() if value is not None}
        full_path = f"{path}?{urlencode(given)}" if given else path
        content = b"" if body is None else _encode(body)
        headers = self._credentials.headers(method, full_path, content)
        url = URL(self._url + full_path, encoded=True)
        try:
            async with self._session.request(
                method, url, data=content or None, headers=headers
            ) as response:
                raw, status = await response.read(), response.status
            answer: Message = _decode(raw)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise GatewayError(
                f"the gateway at {self._url} gave no answer ({type(error).__name__}): "
                "see whether it runs; a retry with the same cl_ord_id is safe"
            ) from error
        if status >= FAILED_FROM:
            text = str(answer.get("detail", f"the gateway answered with {status}"))
            raise GatewayError(text, code=answer.get("code"), status=status)
        return answer

    async def submit(self, order: Message) -> Message:
        """Submits an order: account, cl_ord_id, symbol, side, ord_type, and so on."""
        return await self.call("POST", "/v1/orders", body=order)

    async def cancel(self, account: str, cl_ord_id: str, request_id: str) -> Message:
        """Cancels the order `cl_ord_id`; `request_id` is the request's own new id."""
        query = {"account": account, "request_id": request_id}
        return await self.call("DELETE", _order_path(cl_ord_id), query=query)

    async def replace(
        self,
        account: str,
        orig_cl_ord_id: str,
        cl_ord_id: str,
        order_qty: str,
        price: str | None,
        stop_px: str | None = None,
    ) -> Message:
        """Asks for other terms of `orig_cl_ord_id`; `cl_ord_id` is the request's own new id."""
        body = {
            "account": account,
            "cl_ord_id": cl_ord_id,
            "order_qty": order_qty,
            "price": price,
            "stop_px": stop_px,
        }
        return await self.call("PUT", _order_path(orig_cl_ord_id), body=body)

    async def ask_status(self, account: str, cl_ord_id: str) -> Message:
        """Has the order told as it stands; a venue that owes an answer is asked for it."""
        path = f"{_order_path(cl_ord_id)}/status"
        return await self.call("POST", path, query={"account": account})

    async def mass_cancel(self, request: Message) -> Message:
        """Cancels an account's orders: account, cl_ord_id, and symbol or strategy for a part."""
        return await self.call("POST", "/v1/mass-cancel", body=request)

    async def flatten(self, request: Message) -> Message:
        """Closes a position: account, cl_ord_id, symbol, strategy."""
        return await self.call("POST", "/v1/positions/flatten", body=request)

    async def operate(self, what: str, request: Message) -> Message:
        """An operator's entry: POST /v1/admin/`what`, which says what it needs."""
        return await self.call("POST", f"/v1/admin/{what}", body=request)

    async def remove_instrument(self, symbol: str) -> Message:
        """Removes an instrument that nobody has anything in."""
        return await self.call("DELETE", f"/v1/admin/instruments/{quote(symbol, safe='')}")

    async def orders(
        self, account: str | None = None, *, is_open_only: bool = False, limit: int = 500
    ) -> list[Message]:
        """Orders of an account, or of all accounts of the key: the first `limit`, page by page."""
        query = {"account": account, "open_only": "true" if is_open_only else "false"}
        found: list[Message] = []
        while len(found) < limit:
            query["limit"] = str(min(limit - len(found), PAGE_MAX))
            answer = await self.call("GET", "/v1/orders", query=query)
            found += answer["orders"]
            query["cursor"] = answer["next_cursor"]
            if query["cursor"] is None:
                break
        return found

    async def order(self, account: str, cl_ord_id: str) -> Message:
        """One order by any id it has had."""
        found: Message = await self.call("GET", _order_path(cl_ord_id), query={"account": account})
        order: Message = found["order"]
        return order

    async def positions(self, account: str | None = None, by: str | None = None) -> list[Message]:
        """Positions of an account, or of all accounts of the key."""
        answer = await self.call("GET", "/v1/positions", query={"account": account, "by": by})
        found: list[Message] = answer["positions"]
        return found

    async def limits(self, account: str | None = None) -> Message:
        """Limits of an account, or of all accounts of the key: `limits` and `account_limits`."""
        return await self.call("GET", "/v1/limits", query={"account": account})

    async def instruments(self) -> list[Message]:
        """All instruments."""
        found: list[Message] = (await self.call("GET", "/v1/instruments"))["instruments"]
        return found

    async def status(self) -> Message:
        """The gateway and the shards."""
        return await self.call("GET", "/v1/status")

    async def set_trading_state(self, scope: str, state: str, reason: str) -> Message:
        """ACTIVE, REDUCING or HALTED for `firm`, `account:<account>` or `symbol:<symbol>`."""
        body = {"scope": scope, "state": state, "reason": reason}
        return await self.call("POST", "/v1/admin/trading-state", body=body)


class GatewaySocket:
    """One WebSocket. Requests are gathered and pipelined; what comes back goes to a function.

    It ends by itself when something was asked and nothing at all was heard for SILENCE_S: a gateway
    that hangs looks like that, since one that cannot do a request says so within 250 ms.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        on_message: Callable[[Message], None],
        instance: str,
        ordinals: dict[int, int],
    ) -> None:
        """`ordinals`: by shard, the last report that was heard; to resume from with `connect`."""
        self.instance = instance
        self.ordinals = ordinals
        self._session = session
        self._socket = socket
        self._on_message = on_message
        self._queue: list[bytes] = []
        self._filled = asyncio.Event()
        self._waits_since_s: float | None = None
        parts = (self._write(), self._read(), self._watch())
        self._parts = [asyncio.ensure_future(part) for part in parts]

    @classmethod
    async def connect(
        cls,
        url: str,
        credentials: Credentials | Token,
        on_message: Callable[[Message], None],
        *,
        cancel_on_disconnect: Sequence[str] = (),
        resume: Mapping[int, int] | None = None,
    ) -> "GatewaySocket":
        """Connects and authenticates; returns once the gateway is ready.

        In the accounts of `cancel_on_disconnect` this key's orders end with the connection. With
        the `ordinals` of an earlier connection as `resume`, what came since is told first.

        Raises:
            GatewayError: with the gateway's code, or GATEWAY_UNREACHABLE.
        """
        session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                socket = await session.ws_connect(
                    url.rstrip("/") + WS_PATH, compress=0, max_msg_size=0, heartbeat=5.0
                )
                hello = {
                    **credentials.hello(WS_PATH),
                    "batch": True,
                    "cancel_on_disconnect": list(cancel_on_disconnect),
                    "resume": {str(shard): ordinal for shard, ordinal in (resume or {}).items()},
                }
                await socket.send_str(_encode(hello).decode())
                first = await socket.receive()
                answers = _messages(first)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await session.close()
            raise GatewayError(f"the gateway at {url} took no WebSocket: {error}") from error
        if not answers or answers[0].get("type") != "ready":
            await socket.close()
            await session.close()
            found = answers[0].get("error", {}) if answers else {}
            text = found.get("text", f"the gateway at {url} closed the connection")
            raise GatewayError(text, code=found.get("code"))
        known = {int(shard): last for shard, last in answers[0].get("ordinals", {}).items()}
        instance = str(answers[0].get("instance", ""))
        made = cls(session, socket, on_message, instance, {**known, **(resume or {})})
        for message in answers[1:]:
            made._hear(message)
        return made

    def send(self, message: Message) -> None:
        """Queues a request, with a type and the fields of the REST call."""
        self._queue.append(_encode(message))
        self._filled.set()
        if self._waits_since_s is None:
            self._waits_since_s = time.monotonic()

    async def closed(self) -> None:
        """Waits until the connection is gone."""
        await asyncio.wait(self._parts, return_when=asyncio.FIRST_COMPLETED)

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands."""
        return not any(part.done() for part in self._parts)

    async def close(self) -> None:
        """Closes the connection."""
        for part in self._parts:
            part.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        try:
            async with asyncio.timeout(1.0):
                await self._socket.close()
        except TimeoutError:
            pass
        await self._session.close()

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            queue, self._queue = self._queue, []
            gathered: list[bytes] = []
            size = 0
            for message in queue:
                if size + len(message) > MAX_FRAME_BYTES:
                    await self._socket.send_str(f"[{b','.join(gathered).decode()}]")
                    gathered, size = [], 0
                gathered.append(message)
                size += len(message) + 1
            await self._socket.send_str(f"[{b','.join(gathered).decode()}]")

    async def _read(self) -> None:
        while True:
            frame = await self._socket.receive()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                return
            self._waits_since_s = None
            for message in _messages(frame):
                self._hear(message)

    def _hear(self, message: Message) -> None:
        if "ordinal" in message:
            self.ordinals[message["shard"]] = message["ordinal"]
        self._on_message(message)

    async def _watch(self) -> None:
        """Ends at a silence; one in which this process itself stood still does not count."""
        looked_s = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            before_s, looked_s = looked_s, time.monotonic()
            if self._waits_since_s is None:
                continue
            if looked_s - before_s > 3 * LOOK_S:
                self._waits_since_s = looked_s
            elif looked_s - self._waits_since_s > SILENCE_S:
                return


def _messages(frame: aiohttp.WSMessage) -> list[Message]:
    if frame.type is not aiohttp.WSMsgType.TEXT:
        return []
    content = _decode(frame.data)
    return content if isinstance(content, list) else [content]


def _order_path(cl_ord_id: str) -> str:
    return f"/v1/orders/{quote(cl_ord_id, safe='')}"
