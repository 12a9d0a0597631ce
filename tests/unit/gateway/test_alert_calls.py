# SPDX-License-Identifier: Apache-2.0
"""Alerts over REST: listed, and taken once, by operators."""

import pytest

from tradewind.common import alerts
from tradewind.common.alerts import Alert

from .conftest import Harness, call

pytestmark = pytest.mark.anyio

PATH = "/v1/admin/alerts"


async def there_is(harness: Harness, alert_id: str, raised_ns: int = 1) -> None:
    alert = Alert(
        alert_id=alert_id, control="C28", scope="firm", text="t", owner="desk", raised_ns=raised_ns
    )
    await harness.alerts.put(alerts.key_of(alert_id), alerts.encode(alert))


async def test_the_latest_alert_comes_first(harness: Harness) -> None:
    assert (await call(harness, "GET", PATH, key="root")).json() == {"alerts": []}
    await there_is(harness, "old", 1)
    await there_is(harness, "new", 2)
    found = (await call(harness, "GET", PATH, key="root")).json()["alerts"]
    assert [alert["alert_id"] for alert in found] == ["new", "old"]
    assert found[0]["owner"] == "desk"


async def test_who_takes_an_alert_first_has_it(harness: Harness) -> None:
    await there_is(harness, "a-1")
    body = {"alert_id": "a-1", "note": "I look at it"}
    first = await call(harness, "POST", f"{PATH}/acknowledge", body, key="root")
    assert (first.status_code, first.json()["alert"]["acknowledged_by"]) == (200, "ops")
    again = await call(harness, "POST", f"{PATH}/acknowledge", body | {"note": "no, I"}, key="root")
    assert again.json()["alert"] == first.json()["alert"]
    left = await call(harness, "GET", f"{PATH}?open_only=true", key="root")
    assert left.json() == {"alerts": []}


async def test_bad_requests_are_refused(harness: Harness) -> None:
    body = {"alert_id": "none", "note": "?"}
    cases = [
        (body, "root", 404, "UNKNOWN_ALERT"),
        (body, "k1", 403, "SCOPE_MISSING"),
        (body, "stop", 403, "SCOPE_MISSING"),
        ({"alert_id": "a.b", "note": "?"}, "root", 400, "INVALID_FIELD"),
        ({"alert_id": "a"}, "root", 400, "MISSING_FIELD"),
    ]
    for asked, key, status, code in cases:
        response = await call(harness, "POST", f"{PATH}/acknowledge", asked, key=key)
        assert (response.status_code, response.json()["code"]) == (status, code)
    response = await call(harness, "GET", f"{PATH}?open_only=perhaps", key="root")
    assert response.json()["code"] == "INVALID_FIELD"


async def test_without_the_bucket_nobody_is_told_that_there_are_none(harness: Harness) -> None:
    harness.alerts.is_up = False
    response = await call(harness, "GET", PATH, key="root")
    assert (response.status_code, response.json()["code"]) == (503, "QUERY_TIMEOUT")
    body = {"alert_id": "a-1", "note": "?"}
    response = await call(harness, "POST", f"{PATH}/acknowledge", body, key="root")
    assert (response.status_code, response.json()["code"]) == (504, "OUTCOME_UNKNOWN")
