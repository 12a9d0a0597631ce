# SPDX-License-Identifier: Apache-2.0
"""When to restart what ended, and when to give up: restart intensity as in Erlang's supervisors."""

from collections import deque
from dataclasses import dataclass, field

EXIT_CORRUPTION = 70
"""A process that met corruption must be looked at by people; starting it again hides it."""


@dataclass(slots=True)
class RestartPolicy:
    """At most `restarts_max` restarts within `window_ms`; the first at once, then with backoff."""

    restarts_max: int = 5
    window_ms: int = 20_000
    backoff_ms: int = 100
    _restarts_ms: deque[int] = field(default_factory=deque)

    def delay_ms(self, now_ms: int, exit_code: int | None) -> int | None:
        """How long to wait before the restart that this end calls for, or None: give up.

        `now_ms` is monotonic. An end of unknown code counts like any other.
        """
        if exit_code == EXIT_CORRUPTION:
            return None
        while self._restarts_ms and now_ms - self._restarts_ms[0] > self.window_ms:
            self._restarts_ms.popleft()
        recent = len(self._restarts_ms)
        if recent >= self.restarts_max:
            return None
        self._restarts_ms.append(now_ms)
        return 0 if recent == 0 else self.backoff_ms * 2 ** (recent - 1)
