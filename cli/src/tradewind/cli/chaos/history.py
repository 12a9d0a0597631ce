# SPDX-License-Identifier: Apache-2.0
"""A client's history: one line for each thing it asked or was told, with the monotonic time.

The monotonic clock is the machine's, so lines of several processes can be compared.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`kind` is `invoke`, `again`, `durable`, `report`, `error`, `connected`, `lost` or `final`.

    `op` is what was asked: submit, cancel or replace. `report` is as the gateway gave it. `final`
    is what the gateway says of an order after everything was healed, None if it knows of none.
    """

    t_ns: int
    kind: str
    op: str = ""
    account: str = ""
    cl_ord_id: str = ""
    code: str = ""
    gateway: str = ""
    report: dict[str, Any] | None = None


class Writer:
    """Appends lines; each is in the file before anything else is done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, kind: str, **facts: Any) -> None:
        """Writes one line with the time now."""
        line = Line(t_ns=time.monotonic_ns(), kind=kind, **facts)
        self._file.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def read(path: Path) -> Iterator[Line]:
    """The lines of a history; a torn last line (the client was killed) is left out."""
    decoder = msgspec.json.Decoder(Line)
    with path.open("rb") as file:
        for raw in file:
            if raw.endswith(b"\n"):
                yield decoder.decode(raw)
