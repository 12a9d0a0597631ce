# SPDX-License-Identifier: Apache-2.0
"""What every test may rely on."""

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is says nothing of what is right.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture
def anyio_backend() -> str:
    """Coroutine tests run on asyncio, as the services do."""
    return "asyncio"
