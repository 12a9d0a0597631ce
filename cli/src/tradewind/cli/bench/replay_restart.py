# SPDX-License-Identifier: Apache-2.0
"""A restart, in a process of its own: newest snapshot and tail from files, then the digest.

`python -m tradewind.cli.bench.replay_restart FOLDER` prints one JSON object.
"""

import json
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tradewind.common import snapshots
from tradewind.common.codec import decode_command
from tradewind.core.commands import Entry

SNAPSHOT = "snapshot"
TAIL = "tail"
_HEAD = struct.Struct("<QQI")


def write_tail(path: Path, entries: Iterable[tuple[int, int, bytes]]) -> None:
    """Writes the entries after a snapshot."""
    with path.open("wb") as file:
        for seq, ts_ns, body in entries:
            file.write(_HEAD.pack(seq, ts_ns, len(body)) + body)


def _read_tail(path: Path) -> Iterator[tuple[int, int, bytes]]:
    content = path.read_bytes()
    start = 0
    while start < len(content):
        seq, ts_ns, size = _HEAD.unpack_from(content, start)
        start += _HEAD.size
        yield seq, ts_ns, content[start : start + size]
        start += size


def main(folder: Path) -> None:
    """Restores and catches up."""
    machine = snapshots.decode((folder / SNAPSHOT).read_bytes()).machine
    for seq, ts_ns, body in _read_tail(folder / TAIL):
        machine.step(Entry(seq=seq, ts_ns=ts_ns, command=decode_command(body)))
    state = machine.state
    facts = {"seq": state.seq, "live_orders": len(state.live_orders), "digest": machine.digest()}
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
