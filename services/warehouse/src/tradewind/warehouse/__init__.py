# SPDX-License-Identifier: Apache-2.0
"""The embedded ClickHouse in a process of its own, for suites without a ClickHouse server."""
