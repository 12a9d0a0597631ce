# SPDX-License-Identifier: Apache-2.0
"""A cluster with streams, and an archiver process on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.archiver.process import ArchiverProcess
from tradewind.common.testing import LocalCluster


@pytest.fixture
async def cluster() -> AsyncIterator[LocalCluster]:
    async with LocalCluster(shards=1) as started:
        await started.create_streams()
        yield started


@pytest.fixture
async def archiver(cluster: LocalCluster, tmp_path: Path) -> AsyncIterator[ArchiverProcess]:
    process = ArchiverProcess(cluster, tmp_path / "archive")
    yield process
    process.kill()
