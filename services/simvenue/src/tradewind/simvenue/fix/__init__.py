# SPDX-License-Identifier: Apache-2.0
"""The venue's FIX 4.4 acceptor: one connection for each session, and the latest logon has it."""
