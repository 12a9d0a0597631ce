# SPDX-License-Identifier: Apache-2.0
"""`python -m tradewind.common.container SERVICE`: becomes that service, with its own settings.

With more arguments, these are the module, and what it is told, that runs in place of the service's.
"""

import os
import sys
from pathlib import Path

from tradewind.common.container import number_of, own_name, settings_of
from tradewind.common.errors import SettingsError

if __name__ == "__main__":
    service = sys.argv[1]
    try:
        own = settings_of(service, number_of(own_name()), os.environ)
    except SettingsError as error:
        sys.exit(f"{error.code}: {error.text}")
    Path(own["TRADEWIND_STATE_DIR"]).mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", *(sys.argv[2:] or [f"tradewind.{service}"])]
    os.execve(sys.executable, argv, {**os.environ, **own})
