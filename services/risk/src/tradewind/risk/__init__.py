# SPDX-License-Identifier: Apache-2.0
"""Risk: limits and trading state as journaled commands, exposure as a view."""
