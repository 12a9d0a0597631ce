# SPDX-License-Identifier: Apache-2.0
"""A small exchange with real order flow behind it, to trade against and to test with."""
