# SPDX-License-Identifier: Apache-2.0
"""Time travel: the exact state of a shard at any sequence number, and two builds side by side."""
