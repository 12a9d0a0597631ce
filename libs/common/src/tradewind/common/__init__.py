# SPDX-License-Identifier: Apache-2.0
"""Everything shared that touches the world: the bus, the wire, settings, life cycle."""
