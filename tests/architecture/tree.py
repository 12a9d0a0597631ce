# SPDX-License-Identifier: Apache-2.0
"""Where the sources are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = sorted(
    path.parent for path in ROOT.glob("*/**/pyproject.toml") if ".venv" not in str(path)
)
CORE = ROOT / "libs/core/src/tradewind/core"
ENVIRONMENT_READERS = ("__main__.py", "cli/src/tradewind/cli/main.py")


def python_files(*folders: str) -> list[Path]:
    """Every Python file of the named folders of the repository."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def label(path: Path) -> str:
    """The path as a reader of a failure wants it."""
    return path.relative_to(ROOT).as_posix()
