# SPDX-License-Identifier: Apache-2.0
"""Runs the gateway: `python -m tradewind.gateway`."""

import os
from functools import partial

from tradewind.common import lifecycle
from tradewind.gateway.app import serve

if __name__ == "__main__":
    lifecycle.run(partial(serve, os.environ), os.environ)
