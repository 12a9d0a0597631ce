# SPDX-License-Identifier: Apache-2.0
"""Follows the keys file: keys are handed out, changed and taken back without a restart."""

import asyncio
import logging
from pathlib import Path

from tradewind.common.errors import SettingsError
from tradewind.gateway.auth import Authenticator, load_keys

log = logging.getLogger(__name__)

LOOK_S = 1.0


async def follow(path: Path, authenticator: Authenticator) -> None:
    """Takes what the file says whenever it changes, for ever.

    A file that cannot be used changes nothing: half a file must not lock everybody out.
    """
    seen = stamp(path)
    while True:
        await asyncio.sleep(LOOK_S)
        found = stamp(path)
        if found == seen:
            continue
        seen = found
        try:
            authenticator.renew(load_keys(path))
        except SettingsError as error:
            log.error("%s; the keys of before hold", error.text)
        else:
            log.info("the keys are now as %s says", path)


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes with the file; None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
