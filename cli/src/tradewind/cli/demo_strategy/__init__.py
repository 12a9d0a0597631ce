# SPDX-License-Identifier: Apache-2.0
"""A small strategy for the demo: trades at the touch through the public gateway, like a client.

It buys and sells near the best prices, changes its mind (cancel, replace), and leans against its
position so that it stays small. When the gateway goes away it connects again and repeats what it
had no answer to, under the same cl_ord_ids: the platform never executes one twice.

Run: `python -m tradewind.cli.demo_strategy`, with TRADEWIND_GATEWAY_URL, _KEY_ID,
_KEY_SECRET_FILE, _ACCOUNT and _FEED_URL (quotes of the simulated venue) in the environment.
"""
