# SPDX-License-Identifier: Apache-2.0
"""Tells people: alerts, kills and ends of processes go to a webhook, at least once."""
