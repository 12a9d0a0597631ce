# SPDX-License-Identifier: Apache-2.0
"""An exported journal: the golden life, as `tradewind replay --export` would write it."""

from pathlib import Path

import msgspec
import pytest

from tests.golden import life
from tradewind.cli.replay.journal import Line
from tradewind.common import subjects
from tradewind.common.codec import encode


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with path.open("wb") as file:
        for entry in life.entries():
            line = Line(
                seq=entry.seq,
                ts_ns=entry.ts_ns,
                subject=subjects.journal_subject(0, entry.command),
                headers={},
                body=encode(entry.command).decode(),
            )
            file.write(msgspec.json.encode(line) + b"\n")
    return path
