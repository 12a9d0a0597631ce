# SPDX-License-Identifier: Apache-2.0
"""Follows files: keys, people and certificates are given and taken without a restart."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from tradewind.common.errors import SettingsError

log = logging.getLogger(__name__)

LOOK_S = 1.0


async def follow(paths: Sequence[Path], take: Callable[[], None], what: str) -> None:
    """Calls `take` whenever one of the files changes, for ever; `what` is what they hold.

    Files that cannot be used change nothing: half a file must not lock everybody out. `take` raises
    SettingsError for those.
    """
    seen = [_stamp(path) for path in paths]
    while True:
        await asyncio.sleep(LOOK_S)
        found = [_stamp(path) for path in paths]
        if found == seen:
            continue
        seen = found
        try:
            take()
        except SettingsError as error:
            log.error("%s; the %s of before holds", error.text, what)
        else:
            log.info("the %s is now as %s says", what, paths[0])


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes with the file; None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
