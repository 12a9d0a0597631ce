# SPDX-License-Identifier: Apache-2.0
"""The AsyncAPI document says what the servers enforce."""

import re

import pytest

from tests.unit.common.asyncapi import DOCUMENT, document, text
from tradewind.common import permissions
from tradewind.common.permissions import Permission

ADVICE = "docs/asyncapi.yaml is not what the table says: python -m tests.unit.common.asyncapi"


def test_the_document_is_what_the_table_says() -> None:
    assert DOCUMENT.read_text() == text(), ADVICE


def test_a_right_that_is_added_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    added = {"console": Permission(publish=("query.risk.more",), subscribe=())}
    granted = permissions.users(1) | added
    monkeypatch.setattr(permissions, "users", lambda _shards: granted)
    assert DOCUMENT.read_text() != text()


def test_every_operation_is_on_a_channel_that_is_there() -> None:
    told = document()
    channels = {f"#/channels/{name}" for name in told["channels"]}
    assert {it["channel"]["$ref"] for it in told["operations"].values()} == channels
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in told["channels"])
