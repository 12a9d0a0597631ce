# SPDX-License-Identifier: Apache-2.0
"""Reports over a WebSocket that breaks, without losing one or telling one twice. No I/O here."""

import json
from collections.abc import Mapping
from typing import Any

from tradewind_client.errors import GatewayError
from tradewind_client.signing import Credentials
from tradewind_client.types import ReportMessage

PATH = "/v1/ws"
PASSING = frozenset({"NOT_READY", "SLOW_CONSUMER", "OVERLOADED", "RATE_LIMITED", "NOT_PROCESSING"})
"""Refusals of a connection that another gateway, or this one later, does not give."""


class Stream:
    """Where a client stands in the reports: `ordinals` is the last one heard of each shard.

    Kept by the client over its own restarts, they let it go on where it was.
    """

    def __init__(self, credentials: Credentials, ordinals: Mapping[int, int]) -> None:
        self._credentials = credentials
        self._is_first = not ordinals
        self.ordinals = dict(ordinals)

    def hello(self) -> str:
        """The first message of a connection."""
        resume = {str(shard): ordinal for shard, ordinal in self.ordinals.items()}
        signed = self._credentials.sign("GET", PATH)
        return json.dumps({"type": "auth", **signed, "batch": True, "resume": resume})

    def hear(self, frame: str | bytes) -> list[ReportMessage]:
        """The reports in a frame that were not heard before.

        Raises:
            GatewayError: the connection was refused for good.
        """
        content = json.loads(frame)
        found = []
        for message in content if isinstance(content, list) else [content]:
            if message.get("type") == "ready":
                self._begin(message["ordinals"])
            elif message.get("type") == "error":
                _raise_if_lasting(message)
            elif "ordinal" in message and self._is_new(message):
                self.ordinals[message["shard"]] = message["ordinal"]
                found.append(message)
        return found

    def _begin(self, ordinals: Mapping[str, int]) -> None:
        if self._is_first:
            self.ordinals = {int(shard): ordinal for shard, ordinal in ordinals.items()}
        self._is_first = False

    def _is_new(self, message: Mapping[str, Any]) -> bool:
        return bool(message["ordinal"] > self.ordinals.get(message["shard"], 0))


def _raise_if_lasting(message: Mapping[str, Any]) -> None:
    error = message.get("error", {})
    code = str(error.get("code", "UNEXPECTED"))
    if code not in PASSING:
        raise GatewayError(code, str(error.get("text", "")))


def socket_url(url: str) -> str:
    """Where a gateway's WebSocket is."""
    return "ws" + url.rstrip("/").removeprefix("http") + PATH
