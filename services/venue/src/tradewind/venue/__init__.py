# SPDX-License-Identifier: Apache-2.0
"""Venue connector: sends each request once, journals whatever the venue reports."""
