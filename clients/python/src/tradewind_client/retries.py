# SPDX-License-Identifier: Apache-2.0
"""When a request goes again, where, and after how long: decided here, without any I/O.

A request may always go again: an order is known by its cl_ord_id for ever, at every gateway, and
the answer to the second is what became of the first. So asking again finds out what is unknown.
"""

import json
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from tradewind_client.errors import GatewayError, Unreachable
from tradewind_client.requests import Request
from tradewind_client.signing import Credentials

AGAIN = frozenset({429, 502, 503, 504})
"""Answers after which the same request may have another outcome."""
FAILED_FROM = 400


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent at most; how long is waited at first, and at most."""

    attempts: int = 8
    first_s: float = 0.05
    longest_s: float = 1.0

    def pause_s(self, attempt: int) -> float:
        """Twice as long each time, and never at the same moment as everybody else."""
        longest_s = min(self.first_s * 2.0**attempt, self.longest_s)
        return longest_s * random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """To be sent now, after a pause."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    pause_s: float


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    status: int
    body: bytes
    retry_after: str = ""


def exchange(
    request: Request, urls: Sequence[str], credentials: Credentials, retries: Retries
) -> Generator[Attempt, Response | None, dict[str, Any]]:
    """Yields attempts, is sent what came back (None if nothing did), and returns the answer.

    An attempt without an answer, or one that a gateway could not serve, goes to the next gateway.

    Raises:
        GatewayError: the answer is no.
        Unreachable: nobody has answered.
    """
    pause_s, refused = 0.0, None
    for attempt in range(retries.attempts):
        url = urls[attempt % len(urls)].rstrip("/")
        signed = credentials.sign(request.method, request.path, request.body)
        headers = {f"TW-{name.capitalize()}": value for name, value in signed.items()}
        response = yield Attempt(request.method, url + request.path, headers, request.body, pause_s)
        pause_s = retries.pause_s(attempt)
        if response is None:
            continue
        answer = _decoded(response)
        if response.status < FAILED_FROM:
            return answer
        refused = GatewayError(
            str(answer.get("code", "UNEXPECTED")),
            str(answer.get("detail", f"the gateway answered with {response.status}")),
            response.status,
        )
        if response.status not in AGAIN:
            raise refused
        if len(urls) == 1:
            pause_s = max(pause_s, _seconds(response.retry_after, retries.longest_s))
    raise refused or Unreachable(f"no gateway of {', '.join(urls)} has answered")


def _decoded(response: Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.body)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def _seconds(retry_after: str, most_s: float) -> float:
    """Whole seconds are what the header can say; most refusals are over much sooner."""
    return min(float(retry_after), most_s) if retry_after.isdigit() else 0.0
