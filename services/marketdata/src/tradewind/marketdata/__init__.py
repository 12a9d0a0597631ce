# SPDX-License-Identifier: Apache-2.0
"""Market data: venue feeds in, normalised quotes and trades out."""
