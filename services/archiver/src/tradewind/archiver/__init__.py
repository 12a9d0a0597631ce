# SPDX-License-Identifier: Apache-2.0
"""Mirrors the streams into ClickHouse, exactly once, and answers reads of what it holds."""
