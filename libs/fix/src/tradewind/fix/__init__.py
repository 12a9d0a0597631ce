# SPDX-License-Identifier: Apache-2.0
"""FIX 4.4: messages, sessions, and the values of its fields. For the reasons see ADR 0011."""
