# SPDX-License-Identifier: Apache-2.0
"""Telemetry made of what the streams hold anyway: nothing on the order path knows of it."""
