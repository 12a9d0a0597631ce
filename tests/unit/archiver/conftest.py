# SPDX-License-Identifier: Apache-2.0
"""One embedded database for all of these tests."""

from collections.abc import Iterator

import pytest

from tests.integration.archiver.warehouse import WarehouseProcess
from tradewind.archiver.clickhouse import Warehouse


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseProcess]:
    process = WarehouseProcess(tmp_path_factory.mktemp("warehouse") / "state")
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="session")
def warehouse(process: WarehouseProcess) -> Iterator[Warehouse]:
    opened = Warehouse(process.dsn, "secret")
    yield opened
    opened.close()
