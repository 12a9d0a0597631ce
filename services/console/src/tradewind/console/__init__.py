# SPDX-License-Identifier: Apache-2.0
"""Console: the suite in a browser."""
