# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, each with a code that never changes its meaning."""


class GatewayError(Exception):
    """The gateway said no. `code` is its stable code, `status` HTTP's, `text` what to do."""

    def __init__(self, code: str, text: str, status: int = 0) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status


class Unreachable(GatewayError):
    """No gateway has answered for as long as was tried. What was asked may have been done.

    The same call with the same cl_ord_id finds out, and does nothing twice.
    """

    def __init__(self, text: str) -> None:
        super().__init__("UNREACHABLE", text)
