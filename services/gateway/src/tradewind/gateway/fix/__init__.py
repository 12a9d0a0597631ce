# SPDX-License-Identifier: Apache-2.0
"""Order entry over FIX 4.4: the same requests, refusals and reports as on the other sides."""
