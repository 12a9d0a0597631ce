# SPDX-License-Identifier: Apache-2.0
"""The deterministic order machine: pure, integers only, no dependencies."""
