# SPDX-License-Identifier: Apache-2.0
"""The gateway: clients' requests in, execution reports out."""
