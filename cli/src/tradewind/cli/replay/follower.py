# SPDX-License-Identifier: Apache-2.0
"""Runs in a build's own process: entries in on stdin, what that build decides out on stdout.

Imports nothing but the core and the codec, which every build has; run as a file with that build's
sources first on the path. One JSON object per line, both ways; the last line is the digest.
"""

import base64
import json
import sys

from tradewind.common.codec import decode_command, encode
from tradewind.core.commands import Entry
from tradewind.core.machine import StateMachine


def main() -> None:
    """Follows until stdin ends."""
    machine = StateMachine()
    for line in sys.stdin.buffer:
        record = json.loads(line)
        answer: dict[str, object] = {"seq": record["seq"]}
        try:
            command = decode_command(base64.b64decode(record["body"]))
            entry = Entry(seq=record["seq"], ts_ns=record["ts_ns"], command=command)
            answer["outputs"] = [encode(event).decode() for event in machine.step(entry)]
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps(answer) + "\n")
        if record["is_last"] or "error" in answer:
            sys.stdout.flush()
        if "error" in answer:
            break
    sys.stdout.write(json.dumps({"digest": machine.digest()}) + "\n")


main()
