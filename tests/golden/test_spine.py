# SPDX-License-Identifier: Apache-2.0
"""The golden journal: what followed from it once, follows from it for ever, in any process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden import make
from tradewind.common.codec import decode_command, encode

ROOT = Path(make.__file__).parents[2]
HOW_TO_BUMP = (
    "The same journal now gives other outputs or another state. If no change of behaviour was "
    "meant, this is a bug: a replica on the new code would disagree with one on the old. If it "
    "was meant, run `python -m tests.golden.make --expected` and say in the commit what changed."
)


def expected() -> dict[str, object]:
    plain: dict[str, object] = json.loads(make.EXPECTED.read_text(encoding="utf-8"))
    return plain


def test_the_golden_journal_gives_what_it_always_gave() -> None:
    assert make.replay() == expected(), HOW_TO_BUMP


def test_the_wire_form_of_every_golden_entry_is_what_it_always_was() -> None:
    for line in make.JOURNAL.read_text(encoding="utf-8").splitlines():
        seq, _ts_ns, body = make.bodies(line)
        assert encode(decode_command(body)) == body, f"entry {seq}"


def test_the_golden_journal_covers_the_life_of_an_order() -> None:
    kinds = expected()["kinds"]
    assert isinstance(kinds, dict)
    for word in ("TRADE", "CANCELED", "REPLACED", "MAX_POSITION", "DUPLICATE_CL_ORD_ID"):
        assert kinds.get(f"OrderReport {word}", 0) > 0, word
    assert kinds["ReportIgnored TRADE"] > 0


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_another_process_with_another_hash_seed_agrees(hash_seed: str) -> None:
    script = "import json; from tests.golden import make; print(json.dumps(make.replay()))"
    paths = [str(ROOT), *(path for path in sys.path if path)]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected(), HOW_TO_BUMP
