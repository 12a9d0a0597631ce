# SPDX-License-Identifier: Apache-2.0
"""Two builds on one journal: equal ones agree to the digest, a changed one is caught."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.golden import life
from tradewind.cli.replay.diff import compare
from tradewind.cli.replay.journal import CouldNotReplay, FileJournal
from tradewind.core.commands import SubmitOrder

ROOT = Path(__file__).parents[4]
RISK = Path("libs/core/src/tradewind/core/risk.py")


@pytest.fixture
def other(tmp_path: Path) -> Callable[[str, str], Path]:
    """A copy of this build with one text of its risk rules changed."""

    def make(old: str, new: str) -> Path:
        folder = tmp_path / "other"
        for part in ("libs/core", "libs/common"):
            shutil.copytree(ROOT / part / "src", folder / part / "src")
        text = (folder / RISK).read_text()
        assert old in text
        (folder / RISK).write_text(text.replace(old, new))
        return folder

    return make


def compared(path: Path, other: str) -> dict[str, Any]:
    env = {"PATH": os.defpath}
    builds = (str(ROOT), other)
    return asyncio.run(compare(FileJournal(path), builds, None, lambda _s, _l: None, env))


def test_a_build_agrees_with_itself(exported: Path) -> None:
    report = compared(exported, str(ROOT))
    assert report["equal"]
    assert report["digests_equal"]


def test_a_changed_rule_is_caught_at_the_first_entry_it_decides(
    exported: Path, other: Callable[[str, str], Path]
) -> None:
    changed = other(
        "Reason.MAX_ORDER_QTY, intent.order_qty, limit)",
        "Reason.MAX_ORDER_QTY, intent.order_qty, 49)",
    )
    report = compared(exported, str(changed))
    first = next(
        entry.seq
        for entry in life.entries()
        if isinstance(entry.command, SubmitOrder) and entry.command.order_qty >= 50
    )
    found = report["first_difference"]
    assert found["seq"] == first
    assert {"output": 0, "field": "exec_type", "values": ["PENDING_NEW", "DENIED"]} in found[
        "fields"
    ]


def test_a_build_that_does_not_start_is_named(
    exported: Path, other: Callable[[str, str], Path]
) -> None:
    broken = other("from tradewind.core import limits", "from nowhere import limits")
    with pytest.raises(CouldNotReplay, match="nowhere") as caught:
        compared(exported, str(broken))
    assert caught.value.code == "BUILD_FAILED"


def test_a_build_that_does_not_exist_is_named(exported: Path) -> None:
    with pytest.raises(CouldNotReplay, match="no-such-commit") as caught:
        compared(exported, "no-such-commit")
    assert caught.value.code == "UNKNOWN_BUILD"
