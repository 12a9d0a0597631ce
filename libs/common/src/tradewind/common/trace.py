# SPDX-License-Identifier: Apache-2.0
"""W3C trace context as an opaque header that travels with an order from the first call on.

Nothing on the order path looks into it. The gateway decides once whether a trace is sampled.
"""

import re
import secrets
from dataclasses import dataclass

HEADER = "traceparent"
SAMPLED = 0x01
_PATTERN = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Context:
    """What a header says."""

    trace_id: str
    span_id: str
    is_sampled: bool


class Sampler:
    """Chooses a share of the traces, by their ids: whoever is asked gives the same answer."""

    def __init__(self, ratio: float) -> None:
        self._below = int(ratio * 2**32)

    def new(self) -> str:
        """A new trace."""
        trace_id = secrets.token_hex(16)
        flags = SAMPLED if int(trace_id[:8], 16) < self._below else 0
        return f"00-{trace_id}-{secrets.token_hex(8)}-{flags:02x}"

    def joined(self, traceparent: str | None) -> tuple[str, str]:
        """A span of the caller's trace, with the caller's span id; a new trace without a caller."""
        context = read(traceparent)
        if context is None or traceparent is None:
            return self.new(), ""
        return f"{traceparent[:36]}{secrets.token_hex(8)}{traceparent[52:]}", context.span_id


def read(traceparent: str | None) -> Context | None:
    """What the header says, None if it is missing or not well formed."""
    found = _PATTERN.fullmatch(traceparent) if traceparent is not None else None
    if found is None:
        return None
    return Context(found[1], found[2], bool(int(found[3], 16) & SAMPLED))
