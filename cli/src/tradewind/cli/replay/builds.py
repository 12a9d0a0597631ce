# SPDX-License-Identifier: Apache-2.0
"""A build to replay with: a folder of sources, or a commit of a checkout, made into a folder."""

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from tradewind.cli.replay.journal import CouldNotReplay

PARTS = ("libs/core", "libs/common")


@dataclass(frozen=True, slots=True)
class Build:
    """Where the sources of a build are."""

    name: str
    root: Path

    @property
    def python_path(self) -> list[str]:
        """What must be first on the path of its process."""
        return [str(self.root / part / "src") for part in PARTS]


@contextmanager
def opened(name: str) -> Iterator[Build]:
    """The build that a person names: a folder, or anything that git resolves to a commit.

    Raises:
        CouldNotReplay: if it is neither.
    """
    folder = Path(name)
    if _has_sources(folder):
        yield Build(name, folder.resolve())
        return
    with tempfile.TemporaryDirectory(prefix="tradewind-build-") as made:
        _extract(name, Path(made))
        yield Build(name, Path(made))


def _extract(commit: str, folder: Path) -> None:
    done = subprocess.run(
        ["git", "archive", "--format=tar", commit, "--", *PARTS],
        cwd=_checkout(),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise CouldNotReplay(
            f"{commit!r} is neither a folder with {' and '.join(PARTS)} nor a commit of this "
            f"checkout: {done.stderr.decode().strip()}",
            code="UNKNOWN_BUILD",
        )
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _checkout() -> Path:
    """The checkout that this code is of, else the folder that we are in."""
    found = (parent for parent in Path(__file__).resolve().parents if _has_sources(parent))
    return next(found, Path.cwd())


def _has_sources(folder: Path) -> bool:
    return all((folder / part / "src").is_dir() for part in PARTS)
