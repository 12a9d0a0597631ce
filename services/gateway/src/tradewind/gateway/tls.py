# SPDX-License-Identifier: Apache-2.0
"""TLS on the gateway's own ports. A certificate that is renewed is taken without a restart."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from tradewind.common.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM: the certificate with those that sign it, and its private key."""

    chain_file: Path
    key_file: Path

    @property
    def files(self) -> tuple[Path, Path]:
        """What to look at for a change."""
        return self.chain_file, self.key_file

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, for every port of the gateway.

        Raises:
            SettingsError: TLS_UNUSABLE, if the files are no certificate and its key.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.chain_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"{self.chain_file} and {self.key_file} are no certificate and its key: {error}",
                code="TLS_UNUSABLE",
            ) from error
        return context

    def show_in(self, context: ssl.SSLContext) -> None:
        """What connects to `context` from now on is shown this one. Raises as `context` does.

        It is not loaded into it: a context keeps one certificate for each kind of key, and would go
        on to show the old one where the new one's key is of another kind.
        """
        fresh = self.context()

        def show(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = fresh

        context.sni_callback = show
