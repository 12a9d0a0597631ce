# SPDX-License-Identifier: Apache-2.0
"""Signed requests: HMAC-SHA256 over method, path with query, body hash, timestamp and nonce."""

import hmac
import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key of the gateway."""

    key_id: str
    secret: str = field(repr=False)

    def sign(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """key, timestamp (ms), nonce and signature of one request; each serves once."""
        timestamp, nonce = str(time.time_ns() // 1_000_000), secrets.token_hex(12)
        text = "\n".join([method, path, sha256(body).hexdigest(), timestamp, nonce])
        signature = hmac.new(self.secret.encode(), text.encode(), sha256).hexdigest()
        return {
            "key": self.key_id,
            "timestamp": timestamp,
            "nonce": nonce,
            "signature": signature,
        }
