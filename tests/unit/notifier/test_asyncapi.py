# SPDX-License-Identifier: Apache-2.0
"""The document that FastStream makes says what the notifier hears, and may hear."""

import msgspec
import pytest
import yaml

from tests.unit.notifier.asyncapi import DOCUMENT, text
from tradewind.common import permissions, subjects
from tradewind.common.alerts import Alert
from tradewind.common.kills import Kill
from tradewind.notifier import hearing

ADVICE = "docs/asyncapi-notifier.yaml is old: python -m tests.unit.notifier.asyncapi"


def test_the_document_is_what_the_subscribers_say() -> None:
    assert DOCUMENT.read_text() == text(), ADVICE


def test_another_body_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing.SHOWN[Alert], "_kind", Kill)
    assert DOCUMENT.read_text() != text()


def test_what_is_heard_may_be_heard_or_is_delivered() -> None:
    told = yaml.safe_load(text())
    heard = {channel["address"] for channel in told["channels"].values()}
    granted = permissions.users(1)["notifier"]
    inbox = f"{permissions.inbox_prefix('notifier')}.>"
    assert heard == {subjects.ALERTS, *granted.subscribe} - {inbox}


def test_a_body_is_shown_as_it_is_on_the_bus() -> None:
    shown = yaml.safe_load(text())["components"]["schemas"]["alerts.Message.Payload"]
    fields = {field.name for field in msgspec.structs.fields(Alert)}
    assert set(shown["properties"]) == fields
    assert not shown["additionalProperties"]
