# SPDX-License-Identifier: Apache-2.0
"""The exception tree.

TradewindError
├── SettingsError    the environment or a file says something unusable
├── CodecError       bytes that are not a message of ours
├── BusError
│   ├── Refused      a definite no: nothing was stored
│   └── Unknown      no answer: it may or may not have been stored
└── CorruptionError  a hole, a wrong hash, a poison entry: stop, never skip
"""


class TradewindError(Exception):
    """Base of all. `code` is stable and for machines, `text` is for people."""

    code = "INTERNAL"

    def __init__(self, text: str, *, code: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        if code is not None:
            self.code = code


class SettingsError(TradewindError):
    """The environment or a file says something unusable."""

    code = "BAD_SETTINGS"


class CodecError(TradewindError):
    """Bytes that are not a message of ours."""

    code = "BAD_MESSAGE"


class BusError(TradewindError):
    """The bus did not do what was asked."""

    code = "BUS_ERROR"


class Refused(BusError):
    """A definite no: nothing was stored. `err_code` is JetStream's own, where it gave one."""

    code = "BUS_REFUSED"

    def __init__(self, text: str, *, err_code: int | None = None) -> None:
        super().__init__(text)
        self.err_code = err_code


class Unknown(BusError):
    """No answer: it may or may not have been stored. Read the tail before deciding anything."""

    code = "BUS_UNKNOWN"


class CorruptionError(TradewindError):
    """A hole, a wrong hash, or an entry that cannot be applied: the reader stops, never skips."""

    code = "CORRUPTION"
