# SPDX-License-Identifier: Apache-2.0
"""Order management: one hot replica of a shard's state machine."""
