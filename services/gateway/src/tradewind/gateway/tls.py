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
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """What connects from now on is shown this certificate. Raises as `context` does."""
        try:
            # Tried on another context first: a key that does not fit would stay half loaded.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.chain_file, self.key_file)
            context.load_cert_chain(self.chain_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"{self.chain_file} and {self.key_file} are no certificate and its key: {error}",
                code="TLS_UNUSABLE",
            ) from error
