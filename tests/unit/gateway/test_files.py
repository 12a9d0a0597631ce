# SPDX-License-Identifier: Apache-2.0
"""What the keys file says holds soon after it was written; nonsense changes nothing."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tradewind.common.testing import eventually
from tradewind.gateway import files
from tradewind.gateway.auth import Authenticator, Key, load_keys

pytestmark = pytest.mark.anyio


def write(path: Path, *names: str) -> None:
    """As people should: the new file takes the old one's place at once."""
    entry = {"secret": "s", "accounts": [], "scopes": ["read"], "client": "c"}
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"keys": dict.fromkeys(names, entry)}))
    os.replace(part, path)


async def test_a_changed_file_is_followed_and_a_broken_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(files, "LOOK_S", 0.01)
    path = tmp_path / "keys.json"
    write(path, "one")
    no_nonces: Any = None
    authenticator = Authenticator(load_keys(path), lambda: 0, no_nonces)

    def take() -> None:
        authenticator.renew(load_keys(path))

    following = asyncio.ensure_future(files.follow([path], take, "list of keys"))

    def knows(name: str) -> bool:
        return isinstance(authenticator.of_secret(name, "s", ""), Key)

    try:
        await asyncio.sleep(0)
        write(path, "two")
        await eventually(lambda: knows("two") and not knows("one"))
        path.write_text("{")
        await eventually(lambda: "the list of keys of before holds" in caplog.text)
        path.unlink()
        write(path, "one", "two")
        await eventually(lambda: knows("one") and knows("two"))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
