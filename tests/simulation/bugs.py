# SPDX-License-Identifier: Apache-2.0
"""Planted bugs."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.simulation.exchange import Exchange

BUGS: dict[str, Callable[[Exchange], AbstractContextManager[object]]] = {}
