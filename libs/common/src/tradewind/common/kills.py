# SPDX-License-Identifier: Apache-2.0
"""The kill switch on its short way: a plain subject that everybody hears at once.

No stream, so no leader, has to be there for it. Gateways stop taking and connectors stop sending
what it covers the moment they hear it; the entry in the journal, which makes it last, follows.
It is said again for a while: who has just lost its node hears it on the next one.
Nothing heard here opens anything again but the word that two people have cleared it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

import msgspec

from tradewind.common import subjects
from tradewind.common.errors import BusError
from tradewind.common.jetstream import Bus, Message

log = logging.getLogger(__name__)

AGAIN_S = (*(0.02 * number for number in range(1, 16)), 0.5, 1.0, 2.0)
"""Densest while who has lost a node is finding another: new orders stop when it hears."""


class Kill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scope is stopped; or, `is_cleared`, that kill of it is over."""

    scope: str
    kill_id: str
    actor: str
    reason: str
    is_cleared: bool = False


_decoder = msgspec.json.Decoder(Kill)


class Kills:
    """The scopes that are stopped, as far as this process heard; `on_kill` hears of new ones."""

    def __init__(self, on_kill: Callable[[Kill], None] = lambda _kill: None) -> None:
        self._on_kill = on_kill
        self._stopped: dict[str, Kill] = {}

    @property
    def scopes(self) -> list[str]:
        """What is stopped."""
        return sorted(self._stopped)

    async def listen(self, bus: Bus) -> None:
        """Hears of kills from now on."""
        await bus.subscribe(subjects.kill(), self._hear)

    def take(self, kill: Kill) -> None:
        """A kill begins, or is over."""
        known = self._stopped.get(kill.scope)
        if kill.is_cleared:
            if known is not None and known.kill_id == kill.kill_id:
                del self._stopped[kill.scope]
            return
        if known is None:
            self._stopped[kill.scope] = kill
            self._on_kill(kill)

    def spread(self, bus: Bus, kill: Kill) -> None:
        """A kill begins here: takes it, and tells everybody, again and again for a while."""
        self.take(kill)
        self._say_again(bus, kill)
        loop = asyncio.get_running_loop()
        for pause_s in AGAIN_S:
            loop.call_later(pause_s, self._say_again, bus, kill)

    def stop(self, scopes: Iterable[str]) -> bool:
        """Whether one of these scopes is stopped."""
        return bool(self._stopped) and any(scope in self._stopped for scope in scopes)

    def _say_again(self, bus: Bus, kill: Kill) -> None:
        """Not once it is over: the word that it is must be the last one.

        There may be no connection just now: then it is said when there is one.
        """
        if kill.scope not in self._stopped:
            return
        try:
            say(bus, kill)
        except BusError as error:
            log.warning("the kill of %s was not said: %s", kill.scope, error)

    def _hear(self, message: Message) -> None:
        try:
            self.take(_decoder.decode(message.body))
        except msgspec.MsgspecError as error:
            log.error("a kill was not understood: %s", error)


def say(bus: Bus, kill: Kill) -> None:
    """Tells everybody who listens, at once."""
    bus.tell(subjects.kill(), msgspec.json.encode(kill))
