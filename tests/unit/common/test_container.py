# SPDX-License-Identifier: Apache-2.0
"""A container's number makes its instance, its shard and its rank."""

import pytest

from tradewind.common.container import number_of, settings_of
from tradewind.common.errors import SettingsError


def env(shards: int) -> dict[str, str]:
    return {"TRADEWIND_SHARDS": str(shards), "TRADEWIND_STATE_DIR": "/state"}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("tradewind-oms-2", 2),
        ("tradewind-oms-12.tradewind_default", 12),
        ("tradewind_oms_3.tradewind_default", 3),
    ],
)
def test_the_number_is_the_end_of_the_name(name: str, number: int) -> None:
    assert number_of(name) == number


@pytest.mark.parametrize("name", ["3f2a9c1b7d1e", "tradewind-init-run-3f2a9c", "localhost", ""])
def test_a_name_without_a_number_is_said(name: str) -> None:
    with pytest.raises(SettingsError, match="ends with no number"):
        number_of(name)


def test_replicas_of_one_shard_differ_in_rank_only() -> None:
    told = [settings_of("oms", number, env(shards=1)) for number in (1, 2, 3)]
    assert [each["TRADEWIND_SHARD"] for each in told] == ["0", "0", "0"]
    assert [each["TRADEWIND_RANK"] for each in told] == ["0", "1", "2"]


def test_shards_take_turns() -> None:
    told = [settings_of("oms", number, env(shards=2)) for number in (1, 2, 3, 4)]
    assert [each["TRADEWIND_SHARD"] for each in told] == ["0", "1", "0", "1"]
    assert [each["TRADEWIND_RANK"] for each in told] == ["0", "0", "1", "1"]


def test_every_container_has_a_name_and_a_folder_of_its_own() -> None:
    told = settings_of("gateway", 2, env(shards=1))
    assert told["TRADEWIND_INSTANCE"] == "gateway-2"
    assert told["TRADEWIND_STATE_DIR"] == "/state/gateway-2"


def test_without_the_number_of_shards_nothing_is_guessed() -> None:
    with pytest.raises(SettingsError, match="TRADEWIND_SHARDS"):
        settings_of("oms", 1, {"TRADEWIND_STATE_DIR": "/state"})
