# SPDX-License-Identifier: Apache-2.0
"""A cluster with streams, a warehouse, and an archiver process between them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.archiver.database import Database, running_database
from tests.integration.archiver.process import ArchiverProcess
from tradewind.common.testing import LocalCluster


@pytest.fixture
async def cluster() -> AsyncIterator[LocalCluster]:
    async with LocalCluster(shards=1) as started:
        await started.create_streams()
        yield started


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Database]:
    with running_database(tmp_path / "warehouse") as running:
        yield running


@pytest.fixture
async def archiver(
    cluster: LocalCluster, warehouse: Database, tmp_path: Path
) -> AsyncIterator[ArchiverProcess]:
    process = ArchiverProcess(cluster, warehouse, tmp_path)
    yield process
    process.kill()
