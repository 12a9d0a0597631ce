# SPDX-License-Identifier: Apache-2.0
"""Orchestrator: starts, watches and restarts the services."""
