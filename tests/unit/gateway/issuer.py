# SPDX-License-Identifier: Apache-2.0
"""An issuer of tokens: keys of its own, and documents that a web server of its own serves."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUDIENCE = "tradewind"
MAKES: dict[str, Any] = {
    "RS256": lambda: rsa.generate_private_key(65_537, 2_048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


class Issuer:
    """Signs tokens. What it announces is in `folder`, if there is one."""

    def __init__(self, name: str = "http://127.0.0.1:1", folder: Path | None = None) -> None:
        self.name = name
        self.folder = folder
        self.private: dict[str, tuple[str, Any]] = {}

    def add(self, kid: str, algorithm: str = "ES256") -> None:
        """Makes a key and announces it."""
        self.private[kid] = (algorithm, MAKES[algorithm]())
        self.announce()

    def remove(self, kid: str) -> None:
        """Takes a key back; tokens can still be signed with it."""
        self.announce(*(each for each in self.private if each != kid))

    def jwks(self, *kids: str) -> bytes:
        """The public keys, of these ids or of all."""
        found = []
        for kid in kids or self.private:
            algorithm, key = self.private[kid]
            jwk: Any = jwt.get_algorithm_by_name(algorithm)
            found.append(jwk.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"})
        return json.dumps({"keys": found}).encode()

    def announce(self, *kids: str) -> None:
        """Writes what the web server shows."""
        if self.folder is None:
            return
        well_known = self.folder / ".well-known"
        well_known.mkdir(parents=True, exist_ok=True)
        shown = {"issuer": self.name, "jwks_uri": f"{self.name}/jwks.json"}
        for path, content in (
            (self.folder / "jwks.json", self.jwks(*kids)),
            (well_known / "openid-configuration", json.dumps(shown).encode()),
        ):
            part = path.with_suffix(".part")
            part.write_bytes(content)
            part.replace(path)

    def pem(self, kid: str) -> bytes:
        """The public key as everybody may have it."""
        public: bytes = (
            self.private[kid][1]
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        return public

    def claims(self, now_s: float, **changes: Any) -> dict[str, Any]:
        """What a token says; None leaves a claim out."""
        found: dict[str, Any] = {
            "iss": self.name,
            "aud": AUDIENCE,
            "sub": "u-1",
            "iat": int(now_s),
            "exp": int(now_s) + 300,
            "jti": "t-1",
            "groups": ["trader"],
        }
        return {name: value for name, value in (found | changes).items() if value is not None}

    def token(self, kid: str, now_s: float, headers: Any = None, **changes: Any) -> str:
        """A token that `kid` has signed."""
        algorithm, key = self.private[kid]
        told = {"kid": kid} | (headers or {})
        return jwt.encode(self.claims(now_s, **changes), key, algorithm, told)


class Served:
    """The web server: a process that shows a folder, to be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self.log = folder.with_suffix(".log")
        self.start()

    def start(self) -> None:
        """Starts it."""
        module = [sys.executable, "-m", "http.server", str(self._port), "--bind", "127.0.0.1"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*module, "--directory", str(self._folder)], stdout=log, stderr=log
            )

    def stop(self) -> None:
        """Kills it."""
        self._process.kill()
        self._process.wait()

    @property
    def asked(self) -> int:
        """How often it was asked for its keys."""
        return self.log.read_text().count("GET /jwks.json")
