# SPDX-License-Identifier: Apache-2.0
"""The control self-assessment: each control, its setting, its tests, and how they last went.

Made of the table of controls and of the results of a test run, so anybody can make it again from
the same two things. A control counts as proved only by tests that ran.
"""

import html
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tradewind.common.build import build_id
from tradewind.core.control import Control, Standing
from tradewind.core.controls import CONTROLS

HEAD = ("id", "control", "stands", "setting", "evaluated in", "tests", "last result")
BUILD = ("tradewind.core", "tradewind.common")
"""The code in which controls are evaluated."""
IN_FORCE = (Standing.ON, Standing.PARTLY)


@dataclass(frozen=True, slots=True)
class Row:
    """One control, and the results of its tests."""

    control: Control
    passed: int
    failed: int
    missing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """It is not in force, or its tests ran and all passed."""
        if self.control.standing not in IN_FORCE:
            return True
        return self.passed > 0 and self.failed == 0 and not self.missing

    @property
    def result(self) -> str:
        """In words."""
        if self.control.standing not in IN_FORCE:
            return self.control.standing.value
        words = [f"{self.passed} passed"]
        words += [f"{self.failed} FAILED"] if self.failed else []
        words += [f"{path} did not run" for path in self.missing]
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Report:
    """All controls as of a date."""

    made: datetime
    build: str
    tested: str
    rows: tuple[Row, ...]
    limits: dict[str, Any] | None

    @property
    def holds(self) -> bool:
        """Every control that is in force is proved."""
        return all(row.holds for row in self.rows)

    def summary(self) -> str:
        """One line."""
        counts = {
            standing: sum(row.control.standing is standing for row in self.rows)
            for standing in Standing
        }
        stands = ", ".join(f"{count} {each.value}" for each, count in counts.items() if count)
        return f"{len(self.rows)} controls: {stands}; {'holds' if self.holds else 'DOES NOT HOLD'}"

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "date": self.made.isoformat(),
            "build": self.build,
            "tested": self.tested,
            "holds": self.holds,
            "controls": [
                {
                    "id": row.control.code,
                    "name": row.control.name,
                    "standing": row.control.standing.value,
                    "passed": row.passed,
                    "failed": row.failed,
                    "missing": list(row.missing),
                }
                for row in self.rows
            ],
        }


def assess(results: Path, limits: dict[str, Any] | None) -> Report:
    """What a test run says of the controls.

    Raises:
        ValueError: if the file holds no results.
    """
    try:
        suites = ElementTree.parse(results).getroot()  # a file of the user's own
    except ElementTree.ParseError as error:
        raise ValueError(f"{results} holds no results: {error}") from error
    cases = list(suites.iter("testcase"))
    suite = next(iter(suites.iter("testsuite")), suites)
    rows = tuple(_row(control, cases) for control in CONTROLS)
    tested = suite.get("timestamp", "")
    return Report(datetime.now(UTC).replace(microsecond=0), build_id(BUILD), tested, rows, limits)


def write(report: Report, folder: Path) -> list[Path]:
    """The report as Markdown and as HTML, named by its date."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"control-self-assessment-{report.made.date().isoformat()}"
    markdown, page = folder / f"{stem}.md", folder / f"{stem}.html"
    markdown.write_text(as_markdown(report), encoding="utf-8")
    page.write_text(as_html(report), encoding="utf-8")
    return [markdown, page]


def as_markdown(report: Report) -> str:
    """A table with a row for each control."""
    lines = [
        "# Control self-assessment",
        "",
        *(f"- {line}" for line in _heading(report)),
        "",
        _line(HEAD),
        _line(["---"] * len(HEAD)),
        *(_line(cell.replace("|", "\\|") for cell in _cells(row)) for row in report.rows),
    ]
    if report.limits is not None:
        lines += ["", "## Limits in force", ""]
        lines += [f"- {_limit(row)}" for row in _limits(report.limits)]
    return "\n".join([*lines, ""])


def as_html(report: Report) -> str:
    """The same as a page that prints on A4, landscape."""
    cells = "\n".join(
        f"<tr{'' if row.holds else ' class=bad'}>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(row))
        + "</tr>"
        for row in report.rows
    )
    heading = "".join(f"<li>{html.escape(line)}</li>" for line in _heading(report))
    limits = ""
    if report.limits is not None:
        items = "".join(f"<li>{html.escape(_limit(row))}</li>" for row in _limits(report.limits))
        limits = f"<h2>Limits in force</h2><ul>{items}</ul>"
    head = "".join(f"<th>{name}</th>" for name in HEAD)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Control self-assessment</title><style>{STYLE}</style></head><body>"
        f"<h1>Control self-assessment</h1><ul>{heading}</ul>"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{cells}\n</tbody></table>{limits}"
        "</body></html>\n"
    )


STYLE = (
    "@page{size:A4 landscape;margin:12mm}body{font:10pt sans-serif}"
    "table{border-collapse:collapse;width:100%}thead{display:table-header-group}"
    "tr{page-break-inside:avoid}th,td{border:1px solid #999;padding:2px 4px;text-align:left;"
    "vertical-align:top}tr.bad{background:#fdd}"
)


def _row(control: Control, cases: list[ElementTree.Element]) -> Row:
    passed = failed = 0
    missing = []
    for path in control.tests:
        mine = [case for case in cases if _is_of(case, path)]
        bad = sum(
            case.find("failure") is not None or case.find("error") is not None for case in mine
        )
        skipped = sum(case.find("skipped") is not None for case in mine)
        passed += len(mine) - bad - skipped
        failed += bad
        if len(mine) == skipped:
            missing.append(path)
    return Row(control, passed, failed, tuple(missing))


def _is_of(case: ElementTree.Element, path: str) -> bool:
    """The case is one of this file's."""
    module = path.removesuffix(".py").replace("/", ".")
    return f"{case.get('classname', '')}.".startswith(f"{module}.")


def _heading(report: Report) -> list[str]:
    return [
        f"made: {report.made.isoformat()}",
        f"build: {report.build}",
        f"tests ran: {report.tested}",
        report.summary(),
    ]


def _cells(row: Row) -> list[str]:
    control = row.control
    return [
        control.code,
        f"{control.name}: {control.rule} ({control.source})",
        control.standing.value,
        control.setting,
        control.where if control.standing in IN_FORCE else "",
        " ".join(control.tests) if control.standing in IN_FORCE else "",
        row.result,
    ]


def _limits(limits: dict[str, Any]) -> list[dict[str, Any]]:
    return [*limits["limits"], *limits["account_limits"], *limits.get("scope_limits", [])]


def _limit(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
