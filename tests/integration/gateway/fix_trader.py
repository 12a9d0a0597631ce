# SPDX-License-Identifier: Apache-2.0
"""A FIX client that remembers what it sent and what it was told, and goes on anywhere."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from tests.integration.simvenue.fix_client import AT, Fields, FixClient, wire
from tradewind.common.testing import eventually

TIMEOUT_S = 20.0
SESSION = frozenset("012345A")
FAR = {
    1: "BENCH0", 55: "BTC-USD", 54: "1", 38: "0.01", 40: "2", 44: "99999.99", 59: "1"
}  # fmt: skip


class Trader:
    """One session, over as many connections as it takes.

    `told` has each message of the application by its number, `heard` all numbers that came or were
    said to be empty.
    """

    def __init__(
        self,
        name: str = "trader",
        secret: str = "trader-secret",
        on_told: Callable[[Fields], None] = lambda _told: None,
    ) -> None:
        """`on_told` hears each message of the application once."""
        self._on_told = on_told
        self._name = name
        self._secret = secret
        self._client: FixClient | None = None
        self._reading: asyncio.Task[None] | None = None
        self._sent: dict[int, list[tuple[int, str]]] = {}
        self.next_out = 1
        self.next_in = 1
        self.told: dict[int, Fields] = {}
        self.heard: set[int] = set()
        self.is_cut = False
        self.is_logged_on = False
        self._asked_from = 0

    @property
    def accepted(self) -> set[str]:
        """ClOrdIDs of orders that are on their way to the venue, or were before."""
        reports = [fields for fields in self.told.values() if fields[35] == "8"]
        return {fields[11] for fields in reports if fields[150] in "AI"}

    def take_over(self, other: "Trader") -> None:
        """Goes on where the other one is."""
        self.next_out, self.next_in = other.next_out, other.next_in
        self._sent = dict(other._sent)

    @asynccontextmanager
    async def connected(self, port: int, *, is_new: bool = False) -> AsyncIterator[None]:
        """Logs on, goes on with the numbers or begins anew, and reads in the background."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self._client = FixClient(reader, writer, self._name, target="TRADEWIND")
        self.is_cut = self.is_logged_on = False
        self._asked_from = 0
        if is_new:
            self.next_out = self.next_in = 1
            self._sent.clear()
        reset = ((141, "Y"),) if is_new else ()
        await self._say("A", (98, "0"), (108, "30"), (554, self._secret), *reset)
        self._reading = asyncio.create_task(self._read(self._client))
        try:
            await self.until(lambda: self.is_logged_on or self.is_cut)
            yield
        finally:
            self._reading.cancel()
            writer.close()

    async def order(self, cl_ord_id: str, terms: Mapping[int, str] = FAR) -> None:
        """A limit order far from the market, or on other terms."""
        await self._say("D", (11, cl_ord_id), *terms.items(), (60, AT), (5005, "test"))

    async def cancel(self, cl_ord_id: str, orig_cl_ord_id: str) -> None:
        """Ends an order of those."""
        side = ((55, "BTC-USD"), (54, "1"), (60, AT))
        await self._say("F", (11, cl_ord_id), (41, orig_cl_ord_id), *side)

    async def until(self, condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> None:
        """Waits; the reader's own error ends it."""

        def holds() -> bool:
            if self._reading is not None and self._reading.done():
                self._reading.result()
            return condition()

        await eventually(holds, timeout_s)

    async def _say(self, msg_type: str, *body: tuple[int, str]) -> None:
        number, self.next_out = self.next_out, self.next_out + 1
        self._sent[number] = [(35, msg_type), *body]
        await self._put(number, [])

    async def _put(self, number: int, again: list[tuple[int, str]]) -> None:
        if self._client is None or self.is_cut:
            return  # it will be asked for again
        kind, *body = self._sent[number]
        head = [kind, (49, self._name), (56, "TRADEWIND"), (34, str(number)), (52, _now())]
        try:
            await self._client.put(wire([*head, *again, *body]))
        except ConnectionError:
            self.is_cut = True

    async def _read(self, client: FixClient) -> None:
        while message := await client._next():
            await self._take(message)
        self.is_cut = True

    async def _take(self, message: Fields) -> None:
        number = int(message[34])
        self.is_logged_on = self.is_logged_on or message[35] == "A"
        if message[35] == "4":
            assert message[123] == "Y", "a session is never reset"
            if number == self.next_in:
                self.heard |= set(range(number, int(message[36])))
                self.next_in = int(message[36])
            return
        if number > self.next_in:
            await self._hole(message)
            return
        if number < self.next_in:
            assert message.get(43) == "Y", f"{number} was used before: {message}"
            return
        self.next_in = number + 1
        self.heard.add(number)
        assert message[35] not in "35", message
        if message[35] == "2":
            await self._send_again(int(message[7]))
        elif message[35] not in SESSION:
            self.told[number] = message
            self._on_told(message)

    async def _hole(self, message: Fields) -> None:
        """All from the hole on is sent again, this message too. A ResendRequest does not wait."""
        if message[35] == "2":
            await self._send_again(int(message[7]))
        if self._asked_from != self.next_in:
            self._asked_from = self.next_in
            await self._say("2", (7, str(self.next_in)), (16, "0"))

    async def _send_again(self, first: int) -> None:
        """Orders as they were; in place of everything else a gap."""
        for number in range(first, self.next_out):
            sent_at = [(43, "Y"), (122, _now())]
            if self._sent[number][0] == (35, "D"):
                await self._put(number, sent_at)
            else:
                assert self._client is not None
                head = [(35, "4"), (49, self._name), (56, "TRADEWIND"), (34, str(number))]
                gap = [(52, _now()), *sent_at, (123, "Y"), (36, str(number + 1))]
                with suppress(ConnectionError):
                    await self._client.put(wire([*head, *gap]))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
