# SPDX-License-Identifier: Apache-2.0
"""The venue's drop copy beside what is booked: an eye that does not look through the connector."""
