# SPDX-License-Identifier: Apache-2.0
"""The plan is read as written, and refused where it cannot be meant."""

from pathlib import Path

import msgspec
import pytest

from tradewind.common.errors import SettingsError
from tradewind.orchestrator.plan import Plan, ProcessSpec, Ready, Stage, read_plan


def spec(name: str) -> ProcessSpec:
    return ProcessSpec(name=name, argv=["/bin/true"], ready=Ready.EXIT)


def write(path: Path, plan: Plan) -> Path:
    path.write_bytes(msgspec.json.encode(plan))
    return path


def test_a_plan_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    plan = Plan(
        stages=[
            Stage(name="first", processes=[spec("a"), spec("b")]),
            Stage(name="second", processes=[spec("c")]),
        ]
    )
    found = read_plan(write(tmp_path / "plan.json", plan))
    assert found == plan
    assert [process.name for process in found.processes()] == ["a", "b", "c"]


def test_a_name_given_twice_is_refused_by_name(tmp_path: Path) -> None:
    plan = Plan(stages=[Stage(name=name, processes=[spec("a")]) for name in ("first", "second")])
    with pytest.raises(SettingsError, match="names a twice"):
        read_plan(write(tmp_path / "plan.json", plan))


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"stages": 1}', '{"stages": [], "surprise": 1}', '{"stages": [{"name": "x"}]}'],
)
def test_what_is_no_plan_is_refused_with_the_files_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"plan\.json is no plan"):
        read_plan(path)


def test_a_missing_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no plan"):
        read_plan(tmp_path / "none.json")
