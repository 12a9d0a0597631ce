# SPDX-License-Identifier: Apache-2.0
"""Writes `docs/asyncapi.yaml` from the permissions: `python -m tests.unit.common.asyncapi`.

The servers enforce that table, so what the document says of who says and hears what is so.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from tradewind.common import permissions

DOCUMENT = Path(__file__).parents[3] / "docs/asyncapi.yaml"
SHARDS = 1
INSIDE = ("_IB.", "raw.", ">")
"""Replies, the benchmark's scratch, and everything at once; JetStream's own have a dollar."""


def document() -> dict[str, Any]:
    """The subjects as channels; each user's rights as operations."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for user, granted in sorted(permissions.users(SHARDS).items()):
        for action, subjects in (("send", granted.publish), ("receive", granted.subscribe)):
            for subject in sorted(set(subjects)):
                if subject.startswith(INSIDE) or "$" in subject:
                    continue
                name = _name(subject)
                channels.setdefault(name, _channel(subject))
                operations[f"{user}.{action}.{name}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{name}"},
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tradewind on the bus",
            "version": "0.1.0",
            "description": "Who may say and hear what, for one shard (0). Bodies: ADR 6.",
        },
        "defaultContentType": "application/json",
        "channels": dict(sorted(channels.items())),
        "operations": dict(sorted(operations.items())),
    }


def text() -> str:
    """The file."""
    head = "# SPDX-License-Identifier: Apache-2.0\n# By python -m tests.unit.common.asyncapi\n"
    return head + yaml.safe_dump(document(), sort_keys=False, width=100)


def _name(subject: str) -> str:
    return subject.replace("*", "any").replace(">", "all")


def _channel(subject: str) -> dict[str, Any]:
    """Wildcards are parameters: `token1` is one token, `rest` is one or more."""
    parts = subject.split(".")
    told = [
        f"{{token{place}}}" if part == "*" else "{rest}" if part == ">" else part
        for place, part in enumerate(parts)
    ]
    address = ".".join(told)
    names = re.findall(r"\{(\w+)\}", address)
    return {"address": address} | ({"parameters": {name: {} for name in names}} if names else {})


if __name__ == "__main__":
    DOCUMENT.write_text(text())
