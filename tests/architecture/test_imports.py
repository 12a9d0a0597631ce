# SPDX-License-Identifier: Apache-2.0
"""The import contracts hold, and each of them still catches what it forbids."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

LINT = Path(sys.executable).with_name("lint-imports")
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
    "root_packages"
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts on the packages of one folder."""
    return subprocess.run(
        [LINT, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def empty_suite(tmp_path: Path) -> Path:
    """Every package, without a line in it."""
    for package in PACKAGES:
        folder = tmp_path.joinpath(*package.split("."))
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    return tmp_path


def test_the_import_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_packages_that_import_nothing_break_no_contract(empty_suite: Path) -> None:
    result = lint(empty_suite)
    assert (result.returncode, "9 kept, 0 broken" in result.stdout) == (0, True), result.stdout


@pytest.mark.parametrize(
    ("package", "statement", "contract"),
    [
        ("common", "import tradewind.oms", "services do not import one another"),
        ("oms", "import tradewind.gateway", "services do not import one another"),
        ("core", "import tradewind.common", "services do not import one another"),
        ("core", "import time", "the core does no I/O and has no ambient input"),
        ("gateway", "import nats", "only the JetStream layer talks to NATS"),
        ("console", "import chdb", "one module talks to ClickHouse"),
        ("archiver", "import clickhouse_connect", "one module talks to ClickHouse"),
        ("gateway", "import opentelemetry", "one module talks to OpenTelemetry"),
        ("notifier", "import faststream", "only the notifier's hearing imports FastStream"),
        ("risk", "import faststream", "only the notifier's hearing imports FastStream"),
        ("cli", "import jwt", "one module reads tokens"),
        ("venue", "import ccxt", "only the ccxt adapter imports ccxt"),
    ],
)
def test_a_broken_contract_is_caught(
    empty_suite: Path, package: str, statement: str, contract: str
) -> None:
    module = empty_suite / "tradewind" / package / "__init__.py"
    module.write_text(statement + "\n", encoding="utf-8")
    result = lint(empty_suite)
    broken = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert result.returncode == 1
    assert any(contract in line for line in broken), result.stdout + result.stderr
