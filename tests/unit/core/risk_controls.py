# SPDX-License-Identifier: Apache-2.0
"""Draws `docs/risk-controls.md` from the table: `python -m tests.unit.core.risk_controls`.

The words around the tables are in `risk_controls.template.md`.
"""

from collections import Counter
from pathlib import Path

from tradewind.core.control import Control, Standing
from tradewind.core.controls import CONTROLS

TEMPLATE = Path(__file__).with_suffix(".template.md")
DOCUMENT = Path(__file__).parents[3] / "docs/risk-controls.md"
HEAD = ("id", "control", "rule", "evaluated in", "reason codes", "setting", "stands", "tests")


def document() -> str:
    """The whole page."""
    counts = Counter(control.standing.value for control in CONTROLS)
    text = TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("{counts}", ", ".join(f"{n} {word}" for word, n in counts.items()))
    return text.replace(
        "{controls}", "\n".join([_row(*HEAD), _row(*["---"] * len(HEAD)), *_rows()])
    )


def _rows() -> list[str]:
    return [_row(*_cells(control)) for control in CONTROLS]


def _cells(control: Control) -> tuple[str, ...]:
    standing = control.standing.value
    if control.standing is Standing.OFF:
        return (
            control.code,
            f"{control.name} ({control.source})",
            control.rule,
            *[""] * 3,
            standing,
            "",
        )
    codes = " ".join(f"`{reason.value}`" for reason in control.reasons)
    tests = " ".join(f"`{path.removeprefix('tests/')}`" for path in control.tests)
    name = f"{control.name} ({control.source})"
    return control.code, name, control.rule, control.where, codes, control.setting, standing, tests


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
