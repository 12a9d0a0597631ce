# SPDX-License-Identifier: Apache-2.0
"""One database for all of these tests."""

from collections.abc import Iterator

import pytest

from tests.integration.archiver.database import PASSWORD, Database, running_database
from tradewind.archiver.clickhouse import Warehouse


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with running_database(tmp_path_factory.mktemp("warehouse") / "state") as running:
        yield running


@pytest.fixture(scope="session")
def warehouse(process: Database) -> Iterator[Warehouse]:
    opened = Warehouse(process.dsn, PASSWORD)
    yield opened
    opened.close()
