# SPDX-License-Identifier: Apache-2.0
"""Every case runs with every adapter, at one venue that they share, or at one of the case's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.acceptance.venue.rig import PROTOCOLS, Rig
from tests.integration.simvenue.venue_process import VenueProcess, venue_process

Shared = tuple[VenueProcess, Path, ClientSession]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One loop for the whole suite, as the shared venue needs it."""
    return "asyncio"


@pytest.fixture(scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    """A venue with an empty book for many cases."""
    folder = tmp_path_factory.mktemp("venue")
    async with venue_process(folder / "sim") as venue, ClientSession() as http:
        yield venue, folder, http


@pytest.fixture(params=PROTOCOLS)
async def rig(request: pytest.FixtureRequest, shared: Shared) -> AsyncIterator[Rig]:
    """An adapter and an account of the case's own."""
    venue, folder, http = shared
    made = Rig(PROTOCOLS[request.param], venue, folder, http)
    yield made
    await made.clear()


@pytest.fixture(params=PROTOCOLS)
async def own_rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """An adapter and a venue that the case may break."""
    async with venue_process(tmp_path / "sim") as venue, ClientSession() as http:
        yield Rig(PROTOCOLS[request.param], venue, tmp_path, http)
