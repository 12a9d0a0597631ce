# SPDX-License-Identifier: Apache-2.0
"""One embedded database for all of these tests: a process can open only one in its life."""

from collections.abc import Iterator

import pytest

from tradewind.archiver.clickhouse import Warehouse


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = Warehouse(f"chdb://{tmp_path_factory.mktemp('warehouse')}/archive")
    yield opened
    opened.close()
