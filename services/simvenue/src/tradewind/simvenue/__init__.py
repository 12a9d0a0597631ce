# SPDX-License-Identifier: Apache-2.0
"""Simulated venue: matches orders against replayed order flow."""
