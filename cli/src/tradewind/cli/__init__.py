# SPDX-License-Identifier: Apache-2.0
"""The tradewind command line and the suite launcher."""
