# SPDX-License-Identifier: Apache-2.0
"""The venue as a crypto exchange: a subset of the spot REST and WebSocket API of Binance.

Good enough for an unmodified ccxt client. Orders go through the same venue, book and ledger as
those of every other protocol.
"""
