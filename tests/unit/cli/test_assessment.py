# SPDX-License-Identifier: Apache-2.0
"""The self-assessment says of each control what its tests said, and nothing better."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tradewind.cli.assessment import as_html, as_markdown, assess
from tradewind.cli.main import app
from tradewind.core.control import Standing
from tradewind.core.controls import CONTROLS

IN_FORCE = [c for c in CONTROLS if c.standing in (Standing.ON, Standing.PARTLY)]
FILES = sorted({path for control in IN_FORCE for path in control.tests})
LIMITS: dict[str, Any] = {
    "limits": [{"account": "A", "max_order_qty": "5"}],
    "account_limits": [],
    "scope_limits": [{"scope": "firm", "max_gross": "100"}],
}


def results(folder: Path, words: dict[str, str] | None = None, without: str = "") -> Path:
    """A test run: one case in each file of the table, those of `words` with that element in it."""
    cases = []
    for path in FILES:
        if path == without:
            continue
        module = path.removesuffix(".py").replace("/", ".")
        inside = (words or {}).get(path, "")
        cases.append(f'<testcase classname="{module}" name="test_it">{inside}</testcase>')
    text = "".join(cases)
    found = folder / "results.xml"
    found.write_text(
        f'<testsuites><testsuite timestamp="2026-01-02T03:04:05">{text}</testsuite></testsuites>'
    )
    return found


def test_it_holds_when_every_test_of_every_control_in_force_passed(tmp_path: Path) -> None:
    report = assess(results(tmp_path), LIMITS)
    assert report.holds
    assert report.tested == "2026-01-02T03:04:05"
    assert [row.control.code for row in report.rows] == [c.code for c in CONTROLS]
    for text in (as_markdown(report), as_html(report)):
        assert all(control.code in text for control in CONTROLS)
        assert "scope firm, max_gross 100" in text


@pytest.mark.parametrize("word", ["<failure/>", "<error/>", "<skipped/>"])
@pytest.mark.parametrize("path", FILES)
def test_a_test_that_failed_or_did_not_run_proves_nothing(
    word: str, path: str, tmp_path: Path
) -> None:
    report = assess(results(tmp_path, {path: word}), None)
    bad = {row.control.code for row in report.rows if not row.holds}
    assert bad == {control.code for control in IN_FORCE if path in control.tests}
    assert not report.holds


def test_a_file_that_is_not_in_the_run_is_named(tmp_path: Path) -> None:
    path = "tests/unit/core/test_kill.py"
    report = assess(results(tmp_path, without=path), None)
    (row,) = [row for row in report.rows if row.control.code == "C28"]
    assert not row.holds
    assert row.result.endswith(f" passed, {path} did not run")


def test_the_command_writes_both_and_says_whether_it_holds(tmp_path: Path) -> None:
    words = ["risk", "self-assessment", "--folder", str(tmp_path), "--results"]
    done = CliRunner().invoke(app, [*words, str(results(tmp_path))])
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.glob("control-self-assessment-*.md"))) == 1
    (page,) = tmp_path.glob("control-self-assessment-*.html")
    assert page.read_text().startswith("<!doctype html>")
    broken = results(tmp_path, {"tests/unit/core/test_risk.py": "<failure/>"})
    assert CliRunner().invoke(app, [*words, str(broken)]).exit_code == 1
