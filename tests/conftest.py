# SPDX-License-Identifier: Apache-2.0
"""What every test may rely on."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Coroutine tests run on asyncio, as the services do."""
    return "asyncio"
