# SPDX-License-Identifier: Apache-2.0
"""What a client of the gateway proves itself with: a program's key, or a person's token."""

import hmac
import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tradewind.common.errors import TradewindError


class NoToken(TradewindError):
    """There is no token where one should be."""

    code = "NO_TOKEN"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key of the gateway."""

    key_id: str
    secret: str = field(repr=False)

    def sign(self, method: str, path: str, body: bytes = b"") -> tuple[str, str, str]:
        """Timestamp, fresh nonce and signature for a request."""
        timestamp = str(time.time_ns() // 1_000_000)
        nonce = secrets.token_hex(12)
        text = "\n".join([method, path, sha256(body).hexdigest(), timestamp, nonce])
        signature = hmac.new(self.secret.encode(), text.encode(), sha256).hexdigest()
        return timestamp, nonce, signature

    def headers(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """The headers of a signed request."""
        timestamp, nonce, signature = self.sign(method, path, body)
        return {
            "TW-Key": self.key_id,
            "TW-Timestamp": timestamp,
            "TW-Nonce": nonce,
            "TW-Signature": signature,
        }

    def hello(self, path: str) -> dict[str, Any]:
        """The first message of a WebSocket at `path`."""
        timestamp, nonce, signature = self.sign("GET", path)
        return {
            "type": "auth",
            "key": self.key_id,
            "timestamp": timestamp,
            "nonce": nonce,
            "signature": signature,
        }


@dataclass(frozen=True, slots=True)
class Token:
    """A person's token. Its file is read for every use: somebody else keeps it new."""

    file: Path

    def headers(self, _method: str, _path: str, _body: bytes = b"") -> dict[str, str]:
        """The headers of a request."""
        return {"Authorization": f"Bearer {self._read()}"}

    def hello(self, _path: str) -> dict[str, Any]:
        """The first message of a WebSocket."""
        return {"type": "token", "token": self._read()}

    def _read(self) -> str:
        try:
            return self.file.read_text().strip()
        except OSError as error:
            text = f"the token file {self.file} cannot be read: {error.strerror}"
            raise NoToken(text) from error
