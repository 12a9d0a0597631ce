# SPDX-License-Identifier: Apache-2.0
"""Writes `docs/asyncapi-notifier.yaml`: `python -m tests.unit.notifier.asyncapi`.

FastStream makes it of the subscribers that run.
"""

from pathlib import Path

import yaml

from tradewind.notifier.hearing import document

DOCUMENT = Path(__file__).parents[3] / "docs/asyncapi-notifier.yaml"


def text() -> str:
    """The file."""
    head = "# SPDX-License-Identifier: Apache-2.0\n# By python -m tests.unit.notifier.asyncapi\n"
    body = yaml.safe_dump(document(), width=100)
    # Names of components must not have a colon (AsyncAPI 3.0.0, Components Object).
    return head + body.replace(":SubscribeMessage", ".SubscribeMessage").replace(
        ":Message:", ".Message."
    )


if __name__ == "__main__":
    DOCUMENT.write_text(text())
