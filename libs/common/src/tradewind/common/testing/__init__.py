# SPDX-License-Identifier: Apache-2.0
"""For tests of services: a real three-node bus, and waiting on conditions."""

from tradewind.common.testing.cluster import LocalCluster, RunNode, as_process
from tradewind.common.testing.waiting import eventually

__all__ = ["LocalCluster", "RunNode", "as_process", "eventually"]
