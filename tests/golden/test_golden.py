# SPDX-License-Identifier: Apache-2.0
"""Golden journals: what followed from them once, follows from them for ever, in any process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden import life, make
from tradewind.common.codec import decode_command, encode
from tradewind.core.commands import COMMANDS
from tradewind.core.events import EVENTS
from tradewind.core.types import ExecType

ROOT = Path(make.__file__).parents[2]
HOW_TO_BUMP = (
    "The same journal now gives other outputs or another state. If no change of behaviour was "
    "meant, this is a bug: a replica on the new code would disagree with one on the old. If it "
    "was meant, run `python -m tests.golden.make --expected` and say in the commit what changed."
)


def expected(name: str) -> dict[str, object]:
    plain: dict[str, object] = json.loads(make.expected(name).read_text(encoding="utf-8"))
    return plain


@pytest.mark.parametrize("name", make.NAMES)
def test_a_golden_journal_gives_what_it_always_gave(name: str) -> None:
    assert make.replay(name) == expected(name), HOW_TO_BUMP


def test_the_wire_form_of_every_entry_is_what_it_always_was() -> None:
    for line in make.journal("life").read_text(encoding="utf-8").splitlines():
        seq, _ts_ns, body = make.bodies(line)
        assert encode(decode_command(body)) == body, f"entry {seq}"


def test_the_older_wire_form_is_another_one_and_still_reads() -> None:
    lines = make.journal("spine").read_text(encoding="utf-8").splitlines()
    found = [make.bodies(line)[2] for line in lines]
    assert any(encode(decode_command(body)) != body for body in found)


def test_the_life_covers_every_command_and_every_event() -> None:
    kinds = expected("life")["kinds"]
    assert isinstance(kinds, dict)
    assert {kind.split()[0] for kind in kinds} == set(EVENTS)
    said = {type(entry.command).__name__ for entry in life.entries()}
    assert said == set(COMMANDS)


def test_the_life_covers_every_kind_of_report() -> None:
    kinds = expected("life")["kinds"]
    assert isinstance(kinds, dict)
    words = {word for kind in kinds for word in kind.split()[1:]}
    ours = {ExecType.DENIED, ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE}
    assert set(ExecType) - ours <= words


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
@pytest.mark.parametrize("name", make.NAMES)
def test_another_process_with_another_hash_seed_agrees(hash_seed: str, name: str) -> None:
    script = f"import json; from tests.golden import make; print(json.dumps(make.replay({name!r})))"
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
    assert json.loads(done.stdout) == expected(name), HOW_TO_BUMP
