# SPDX-License-Identifier: Apache-2.0
"""A shard with an open session at the venue."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.simvenue.venue_process import VenueProcess
from tests.integration.venue.desk import Desk, open_desk


@pytest.fixture
async def shard(tmp_path: Path) -> AsyncIterator[tuple[Desk, VenueProcess]]:
    """A shard with an open session at the venue."""
    async with open_desk(tmp_path) as (desk, venue):
        desk.start_connector(venue, "venue-0")
        await desk.until_session(1)
        yield desk, venue
