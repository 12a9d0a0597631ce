# SPDX-License-Identifier: Apache-2.0
"""Adapters are chosen by name, and only the chosen one's libraries are imported."""

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tradewind.common.errors import SettingsError
from tradewind.venue.dialers import ADAPTERS, Means, choose
from tradewind.venue.instruments import Instruments
from tradewind.venue.settings import Settings


def means(tmp_path: Path, **more: str) -> Means:
    (tmp_path / "password").write_text("x")
    env = {
        "TRADEWIND_NATS_URLS": "nats://none",
        "TRADEWIND_NATS_USER": "venue",
        "TRADEWIND_NATS_PASSWORD_FILE": str(tmp_path / "password"),
        "TRADEWIND_INSTANCE": "venue-0",
        "TRADEWIND_SHARDS": "1",
        "TRADEWIND_STATE_DIR": str(tmp_path),
        "TRADEWIND_VENUE": "SIM",
        "TRADEWIND_VENUE_URL": "ws://127.0.0.1:1",
        **more,
    }
    return Means(
        Settings.from_env(env), cast(Any, None), Instruments(), lambda: True, cast(Any, None)
    )


def test_the_simulated_venue_is_the_default_and_needs_no_ccxt(tmp_path: Path) -> None:
    given = means(tmp_path)
    choose(given.settings.adapter)(given)
    code = "import sys, tradewind.venue.app; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_adapter_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(SettingsError, match=", ".join(ADAPTERS)):
        choose("fax")


def test_an_exchange_of_which_nothing_is_known_is_refused(tmp_path: Path) -> None:
    exchange = {"TRADEWIND_VENUE_ADAPTER": "ccxt", "TRADEWIND_VENUE_EXCHANGE": "mtgox"}
    with pytest.raises(SettingsError, match="binance"):
        choose("ccxt")(means(tmp_path, **exchange))
