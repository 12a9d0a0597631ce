# SPDX-License-Identifier: Apache-2.0
"""Where a peer listens: `fix://host:port`, `fixs://` with TLS; backups follow after commas."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from tradewind.common.errors import SettingsError
from tradewind.fix.link import LinkDown

DIAL_TIMEOUT_S = 1.0
SCHEMES = {"fix": False, "fixs": True}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a FIX port is."""

    host: str
    port: int
    is_tls: bool


def parse_addresses(text: str, setting: str) -> list[Address]:
    """The addresses in a setting of this name.

    Raises:
        SettingsError: if one of them is none.
    """
    found = []
    for part in text.split(","):
        url = urlsplit(part.strip())
        try:
            found.append(Address(url.hostname or "", url.port or 0, SCHEMES[url.scheme]))
        except (KeyError, ValueError):
            found.append(Address("", 0, is_tls=False))
        if not (found[-1].host and found[-1].port):
            raise SettingsError(
                f"{setting} was {text!r}: write fix://host:port, or fixs:// with TLS, "
                "and backup addresses after commas"
            )
    return found


async def dial(addresses: list[Address]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reaches one of them. The one that worked last is the first in the list afterwards.

    Raises:
        LinkDown: if none can be reached.
    """
    failures = []
    for _address in list(addresses):
        address = addresses[0]
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                return await asyncio.open_connection(
                    address.host,
                    address.port,
                    ssl=ssl.create_default_context() if address.is_tls else None,
                )
        except (OSError, TimeoutError) as error:
            failures.append(f"{address.host}:{address.port} {error!r}")
            addresses.append(addresses.pop(0))
    raise LinkDown("; ".join(failures))
