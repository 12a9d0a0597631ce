# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked over REST, the answer is one that the OpenAPI document announces."""

import asyncio
import copy
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from requests.auth import AuthBase
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tradewind.gateway import openapi

from .conftest import ANYBODY, Platform

pytestmark = [pytest.mark.cluster, pytest.mark.anyio, pytest.mark.timeout(300)]

EXAMPLES = 25
LAST = ("/v1/admin/kill", "/v1/admin/skip-entry")
"""What makes later requests be refused is asked last."""


class Signature(AuthBase):
    """Signs the bytes that leave."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        parts = urlsplit(request.url or "")
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        body: Any = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        request.headers.update(ANYBODY.headers(str(request.method), path, content))
        return request


def for_programs(document: dict[str, Any]) -> dict[str, Any]:
    """The document without tokens: with one that was drawn, no signature would count."""
    found = copy.deepcopy(document)
    del found["components"]["securitySchemes"]["Token"]
    for methods in found["paths"].values():
        for operation in methods.values():
            if "security" in operation:
                operation["security"] = [way for way in operation["security"] if "TW-Key" in way]
    return found


def play(operation: Any, url: str) -> None:
    """Many requests, of the document's form and of others; every check that there is but one.

    Whether a request is carried out depends on more than its form.
    """

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        case.call_and_validate(
            base_url=url, auth=Signature(), excluded_checks=[positive_data_acceptance]
        )

    holds()


async def test_every_answer_is_as_documented(platform: Platform) -> None:
    schema = schemathesis.openapi.from_dict(for_programs(openapi.DOCUMENT))
    found: Any = schema.get_all_operations()
    operations = [each.ok() for each in found]
    assert len(operations) > 30
    for operation in sorted(operations, key=lambda each: each.path in LAST):
        await asyncio.to_thread(play, operation, platform.url)
    await platform.ready()
    assert "INTERNAL" not in platform.log("gateway-1")
