# SPDX-License-Identifier: Apache-2.0
"""What a service in a container is told besides: who it is, of several that are told the same.

An engine numbers the containers of a service, from 1, and knows each by a name that ends with its
number. The number makes the instance's name, its shard and its rank. Nothing is agreed on: two of
the same rank would be equally patient, no more.
"""

import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tradewind.common.errors import SettingsError
from tradewind.common.settings import integer, require

_NUMBERED = re.compile(r"[^.]*[-_](\d+)(?:\..*)?")


def settings_of(service: str, number: int, env: Mapping[str, str]) -> dict[str, str]:
    """The settings that differ between containers of one service.

    Replicas of the shards take turns: with two shards, 1 and 3 are of shard 0, 2 and 4 of shard 1.

    Raises:
        SettingsError: if TRADEWIND_SHARDS or _STATE_DIR is missing.
    """
    rank, shard = divmod(number - 1, integer(env, "TRADEWIND_SHARDS"))
    instance = f"{service}-{number}"
    place = {"SHARD": shard, "RANK": rank} if service == "oms" else {"RANK": number - 1}
    return {
        "TRADEWIND_INSTANCE": instance,
        "TRADEWIND_STATE_DIR": str(Path(require(env, "TRADEWIND_STATE_DIR")) / instance),
        **{f"TRADEWIND_{name}": str(value) for name, value in place.items()},
    }


def number_of(name: str) -> int:
    """The number at the end of a container's name, which may have the network's name behind it.

    Raises:
        SettingsError: if it ends otherwise.
    """
    found = _NUMBERED.fullmatch(name)
    if found is None:
        raise SettingsError(f"the container is called {name!r}, which ends with no number")
    return int(found[1])


def own_name() -> str:
    """What the network calls this container; its own list of hosts has another name for it.

    Raises:
        SettingsError: if the container is on no network that knows it.
    """
    try:
        address = socket.gethostbyname(socket.gethostname())
        asked = ["getent", "--service=dns", "hosts", address]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()[1]
    except (OSError, subprocess.CalledProcessError) as error:
        raise SettingsError(
            f"the network does not know this container ({error}): connect it again"
        ) from error
