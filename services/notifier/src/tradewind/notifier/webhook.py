# SPDX-License-Identifier: Apache-2.0
"""One signed POST of one notice, and what became of it.

`Tradewind-Signature: t=<seconds>,v1=<hex>` is HMAC-SHA256 with the shared secret over the seconds,
a dot and the body: who has the secret sees that the body is ours, and how old the call is.
"""

import hmac
import logging
import time
from collections.abc import Callable
from enum import Enum, auto

import aiohttp

from tradewind.notifier.notices import Notice

log = logging.getLogger(__name__)

SIGNATURE = "Tradewind-Signature"
NOTICE_ID = "Idempotency-Key"
TIMEOUT_S = 2.0
"""For a whole call. Well below the time after which the bus takes a notifier for dead."""
REFUSALS = frozenset({400, 413, 415, 422})
"""Of this body, for ever. All else may pass: a wrong key, a wrong path, a busy receiver."""


class Answer(Enum):
    """What became of a call."""

    TAKEN = auto()
    REFUSED = auto()
    FAILED = auto()


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The header's value."""
    digest = hmac.digest(secret.encode(), b"%d." % seconds + body, "sha256")
    return f"t={seconds},v1={digest.hex()}"


class Webhook:
    """The receiver, as it is called."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        secret: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._url = url
        self._secret = secret
        self._clock = clock

    async def post(self, notice: Notice) -> Answer:
        """Calls once. A redirection is not followed: it is nobody's to send alerts elsewhere."""
        body = notice.body
        headers = {
            "Content-Type": "application/json",
            NOTICE_ID: notice.notice_id,
            SIGNATURE: signature(self._secret, int(self._clock()), body),
        }
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            ) as answer:
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            log.warning("notice %s was not taken: %s", notice.notice_id, type(error).__name__)
            return Answer.FAILED
        if 200 <= status < 300:
            return Answer.TAKEN
        log.warning("notice %s was not taken: status %d", notice.notice_id, status)
        return Answer.REFUSED if status in REFUSALS else Answer.FAILED
