# SPDX-License-Identifier: Apache-2.0
"""The workspace is whole: members, pins and links."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import MEMBERS, ROOT, label

PIN = re.compile(
    r"^[a-z0-9][a-z0-9._-]*==[^ ;]+(?: ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+$"
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
PINS = sorted(ROOT.glob("requirements*.txt"))
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("clients/*/*.md")]


def toml(path: Path) -> dict[str, Any]:
    """One TOML file."""
    return tomllib.loads(path.read_text("utf-8"))


def bad_pins(text: str) -> list[str]:
    """Requirements that are not one exact version with hashes and nothing else."""
    entries = re.split(r"\n(?! )", text.rstrip("\n"))
    return [entry.splitlines()[0] for entry in entries if not PIN.match(entry)]


def dead_links(text: str, folder: Path) -> list[str]:
    """Relative links of a document that lead nowhere."""
    targets = [target for target in LINK.findall(text) if "://" not in target]
    return [target for target in targets if not (folder / target).exists()]


def package_of(member: Path) -> str:
    """What a member is imported as; clients are no part of the platform."""
    return "tradewind_client" if member.parent.name == "clients" else f"tradewind.{member.name}"


def test_every_member_is_checked_by_every_tool() -> None:
    tool = toml(ROOT / "pyproject.toml")["tool"]
    folders = [label(member) for member in MEMBERS]
    packages = [package_of(member) for member in MEMBERS]
    assert sorted(tool["mypy"]["mypy_path"]) == sorted([".", *(f"{f}/src" for f in folders)])
    assert sorted(tool["importlinter"]["root_packages"]) == sorted(packages)


@pytest.mark.parametrize("member", MEMBERS, ids=label)
def test_every_member_is_a_typed_package_of_its_name(member: Path) -> None:
    settings, package = toml(member / "pyproject.toml"), package_of(member)
    assert settings["project"]["name"] == re.sub(r"[._]", "-", package)
    assert settings["project"]["license"] == "Apache-2.0"
    assert (member / "src" / package.replace(".", "/") / "py.typed").exists()


def test_the_core_depends_on_nothing() -> None:
    assert toml(ROOT / "libs/core/pyproject.toml")["project"]["dependencies"] == []


def test_the_package_that_is_only_data_cannot_be_imported() -> None:
    # Its licence is not ours: it is installed into a folder of its own, and read as a file.
    assert find_spec("ob_analytics") is None
    assert find_spec("rich") is not None


@pytest.mark.parametrize("path", PINS, ids=label)
def test_pins_are_exact_hashed_and_name_no_host(path: Path) -> None:
    assert bad_pins(path.read_text("utf-8")) == [], "write them with `make lock`"


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_links_between_documents_resolve(path: Path) -> None:
    assert dead_links(path.read_text("utf-8"), path.parent) == [], "name a file that exists"


def test_there_is_something_to_check() -> None:
    assert len(MEMBERS) == 17
    assert [path.name for path in PINS] == [
        "requirements-data.txt",
        "requirements-uv.txt",
        "requirements.txt",
    ]
    assert len(DOCUMENTS) > 5


@pytest.mark.parametrize(
    "text",
    [
        "a==1",
        "a>=1 \\\n    --hash=sha256:" + "0" * 64,
        "a @ https://example.org/a.whl \\\n    --hash=sha256:" + "0" * 64,
        "--index-url https://example.org/simple",
        "# written by a tool in /home/someone",
        "a==1 \\\n    --hash=sha256:" + "0" * 64 + "\n    --find-links=/somewhere",
    ],
)
def test_a_bad_pin_is_caught(text: str) -> None:
    good = "good==1.0 ; sys_platform == 'linux' \\\n    --hash=sha256:" + "1" * 64
    assert bad_pins(f"{good}\n{text}\n{good}\n") == [text.splitlines()[0]]


def test_a_dead_link_is_caught(tmp_path: Path) -> None:
    (tmp_path / "here.md").touch()
    text = "[a](here.md) [b](here.md#part) [c](https://example.org) [d](gone.md)"
    assert dead_links(text, tmp_path) == ["gone.md"]
