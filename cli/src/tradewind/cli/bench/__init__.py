# SPDX-License-Identifier: Apache-2.0
"""Measurements of a running suite: latencies along the order path, and throughput.

Each is a coroutine that takes a `Target` and returns the figures; starting and stopping a suite
is the launcher's. Everything is judged by the client's own clock and by the venue's own log.
"""

from tradewind.cli.bench.order_path import measure_order_path
from tradewind.cli.bench.target import Target
from tradewind.cli.bench.telemetry_cost import measure_telemetry
from tradewind.cli.bench.throughput import measure_core, measure_throughput, measure_whole

__all__ = [
    "Target",
    "measure_core",
    "measure_order_path",
    "measure_telemetry",
    "measure_throughput",
    "measure_whole",
]
