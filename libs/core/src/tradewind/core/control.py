# SPDX-License-Identifier: Apache-2.0
"""What a control is."""

from enum import StrEnum

from tradewind.core.record import record
from tradewind.core.types import Reason

CORE = "core, new and replace"
TABLE = "tests/unit/core/test_risk.py"


class Standing(StrEnum):
    """Whether a control is in force, in an installation as it comes."""

    ON = "on"
    PARTLY = "partly"
    """Something that its definition names is not there; `setting` says what there is."""
    OFF = "off, optional"


@record
class Control:
    """One control. `setting` names what bounds it; `tests` are the files that prove it."""

    code: str
    name: str
    rule: str
    source: str
    where: str = CORE
    reasons: tuple[Reason, ...] = ()
    setting: str = ""
    tests: tuple[str, ...] = (TABLE,)
    standing: Standing = Standing.ON
