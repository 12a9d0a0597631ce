# SPDX-License-Identifier: Apache-2.0
"""The page and its pushes, as a browser gets them; everything it loads comes from here."""

import json
import re
from typing import Any, cast

import pytest
from httpx import ASGITransport, AsyncClient

from tradewind.console.http import STATIC, web_app
from tradewind.console.watcher import Watcher

pytestmark = pytest.mark.anyio


class Shown:
    """Stands where the watcher would."""

    def __init__(self, *, is_ready: bool = True) -> None:
        self.is_ready = is_ready

    def picture(self) -> dict[str, Any]:
        return {"orders": [], "note": "é"}


def browser(shown: Shown) -> AsyncClient:
    app = web_app(cast(Watcher, shown))
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://console")


async def test_probes_tell_alive_from_ready() -> None:
    async with browser(Shown(is_ready=False)) as client:
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
    async with browser(Shown()) as client:
        assert (await client.get("/readyz")).status_code == 200


async def test_the_page_and_all_that_it_loads_are_served_from_here() -> None:
    async with browser(Shown()) as client:
        page = await client.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert {"app.js", "style.css"} <= set(loaded)
        for name in loaded:
            assert (await client.get(f"/{name}")).status_code == 200, name


@pytest.mark.parametrize("name", ["index.html", "app.js", "style.css"])
def test_the_page_loads_nothing_from_elsewhere(name: str) -> None:
    text = (STATIC / name).read_text()
    allowed = {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"https?://[^\s\"'`)$]+", text)) <= allowed


def test_text_from_outside_never_becomes_markup() -> None:
    script = (STATIC / "app.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_every_element_that_the_script_draws_into_is_on_the_page() -> None:
    page, script = (STATIC / "index.html").read_text(), (STATIC / "app.js").read_text()
    wanted = set(re.findall(r'(?:byId|draw)\("([^"]+)"', script))
    assert wanted <= set(re.findall(r'id="([^"]+)"', page))


async def test_the_picture_is_json_and_can_be_asked_for() -> None:
    async with browser(Shown()) as client:
        answer = await client.get("/v1/picture")
        assert json.loads(answer.content) == {"orders": [], "note": "é"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/picture", "/", "/livez"])
async def test_the_console_only_reads(method: str, path: str) -> None:
    async with browser(Shown()) as client:
        assert (await client.request(method, path)).status_code == 405


@pytest.mark.parametrize("path", ["/../http.py", "/%2e%2e/http.py", "/..%2fwatcher.py", "/nothing"])
async def test_nothing_but_the_page_can_be_fetched(path: str) -> None:
    async with browser(Shown()) as client:
        assert (await client.get(path)).status_code == 404
