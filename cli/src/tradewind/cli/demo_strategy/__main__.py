# SPDX-License-Identifier: Apache-2.0
"""Runs the demo strategy: `python -m tradewind.cli.demo_strategy`."""

import os

from tradewind.cli.demo_strategy.app import run
from tradewind.cli.demo_strategy.settings import DemoSettings
from tradewind.common import lifecycle

if __name__ == "__main__":
    lifecycle.run(lambda stop: run(DemoSettings.from_env(os.environ), stop), os.environ)
