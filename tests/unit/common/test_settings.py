# SPDX-License-Identifier: Apache-2.0
"""Settings: from an explicit mapping, and a sentence for whatever is missing."""

from pathlib import Path

import pytest

from tradewind.common.errors import SettingsError
from tradewind.common.settings import (
    BusSettings,
    ServiceSettings,
    integer,
    optional_secret,
    require,
)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    password = tmp_path / "password"
    password.write_text("secret\n")
    return {
        "TRADEWIND_NATS_URLS": "nats://a:1, nats://b:2",
        "TRADEWIND_NATS_USER": "oms",
        "TRADEWIND_NATS_PASSWORD_FILE": str(password),
        "TRADEWIND_INSTANCE": "oms-0-a",
        "TRADEWIND_SHARDS": "2",
        "TRADEWIND_STATE_DIR": str(tmp_path),
    }


def test_a_service_is_told_everything(env: dict[str, str], tmp_path: Path) -> None:
    settings = ServiceSettings.from_env(env)
    assert settings.bus.urls == ("nats://a:1", "nats://b:2")
    assert (settings.bus.user, settings.bus.password) == ("oms", "secret")
    assert (settings.instance, settings.shards) == ("oms-0-a", 2)
    assert (settings.state_dir, settings.status_interval_ms) == (tmp_path, 500)


@pytest.mark.parametrize(
    "key",
    [
        "TRADEWIND_NATS_URLS",
        "TRADEWIND_NATS_USER",
        "TRADEWIND_NATS_PASSWORD_FILE",
        "TRADEWIND_INSTANCE",
        "TRADEWIND_SHARDS",
        "TRADEWIND_STATE_DIR",
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing_is_named(env: dict[str, str], key: str, value: str | None) -> None:
    if value is None:
        del env[key]
    else:
        env[key] = value
    with pytest.raises(SettingsError, match=f"{key} is not set"):
        ServiceSettings.from_env(env)


@pytest.mark.parametrize("value", ["two", "1.5", "0", "-1"])
def test_shards_are_a_whole_number_above_zero(env: dict[str, str], value: str) -> None:
    with pytest.raises(SettingsError, match=f"TRADEWIND_SHARDS was .*{value}"):
        ServiceSettings.from_env(env | {"TRADEWIND_SHARDS": value})


def test_an_unreadable_password_file_is_named(env: dict[str, str], tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    with pytest.raises(SettingsError, match=r"gone.*No such file"):
        BusSettings.from_env(env | {"TRADEWIND_NATS_PASSWORD_FILE": gone})


def test_the_password_is_not_shown(env: dict[str, str]) -> None:
    assert "secret" not in repr(ServiceSettings.from_env(env))


def test_a_default_is_used_only_when_nothing_is_set() -> None:
    assert integer({}, "X", 5) == integer({"X": ""}, "X", 5) == 5
    assert integer({"X": "7"}, "X", 5) == 7
    assert require({"X": "y"}, "X") == "y"
    with pytest.raises(SettingsError, match="X was 'z'"):
        integer({"X": "z"}, "X", 5)


def test_a_secret_may_be_a_file_or_not_be_there(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")
    assert optional_secret({"KEY_FILE": str(file), "KEY": "x"}, "KEY") == "from the file"
    assert optional_secret({"KEY": "from here"}, "KEY") == "from here"
    assert optional_secret({}, "KEY") == ""
