# SPDX-License-Identifier: Apache-2.0
"""What a client sees as it stands: it is told the newest of everything, however slowly it reads.

Reports are queued, each of them; a quote that was replaced before it could be told is not.
"""


class Board:
    """The newest frame of each name that was not told yet, and how many it took the place of."""

    def __init__(self) -> None:
        self._frames: dict[str, tuple[bytes, int]] = {}

    def show(self, name: str, frame: bytes) -> None:
        """Puts up a JSON object; one of that name that was not told yet goes."""
        replaced = self._frames.get(name)
        self._frames[name] = (frame, 0 if replaced is None else replaced[1] + 1)

    def take(self) -> list[bytes]:
        """What was not told yet, each with the number of those `skipped` before it."""
        frames, self._frames = self._frames, {}
        return [b'%b,"skipped":%d}' % (frame[:-1], skipped) for frame, skipped in frames.values()]
