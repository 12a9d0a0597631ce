# SPDX-License-Identifier: Apache-2.0
"""W3C trace context as an opaque header that travels with an order from the first call on."""

import re
import secrets

HEADER = "traceparent"
_PATTERN = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def new_traceparent() -> str:
    """A new trace that is not sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def accepted(traceparent: str | None) -> str:
    """The caller's trace context if it is well formed, else a new one."""
    if traceparent is not None and _PATTERN.fullmatch(traceparent):
        return traceparent
    return new_traceparent()


def child(traceparent: str) -> str:
    """The same trace with a new span id."""
    return f"{traceparent[:36]}{secrets.token_hex(8)}{traceparent[52:]}"
