# SPDX-License-Identifier: Apache-2.0
"""Venue connector: sends orders once, journals what the venue reports."""
