# SPDX-License-Identifier: Apache-2.0
"""The one table of risk controls: what each is, where it is evaluated, what it answers with.

`docs/risk-controls.md` is drawn from it, a refusal's text begins with the id found here, and the
self-assessment goes through it row by row; so none of them can say something else than the others.
"""

from tradewind.core.control import CORE, TABLE, Control, Standing
from tradewind.core.controls_of_orders import OF_ORDERS
from tradewind.core.types import Reason

R = Reason

CONTROLS: tuple[Control, ...] = (
    *OF_ORDERS,
    Control(
        code="C25",
        name="Loss",
        rule="A day's loss, realised and not, stays within a limit, or its scope only reduces.",
        source="FIA PTG",
        where="core, at every reference price",
        setting="max_loss_e8, since the day's first price",
        tests=("tests/unit/core/test_results.py",),
    ),
    Control(
        code="C26",
        name="Drawdown",
        rule="Nor is it too far below the day's best result.",
        source="market practice",
        where="core, at every reference price",
        setting="max_drawdown_e8",
        tests=("tests/unit/core/test_results.py",),
    ),
    Control(
        code="C27",
        name="Losses in a row",
        rule="After so many losing trades in a row, in a while, a scope only reduces.",
        source="market practice",
        where="core, at every trade",
        setting="max_losses in loss_window_ms",
        tests=("tests/unit/core/test_losses.py",),
    ),
    Control(
        code="C28",
        name="Kill switch",
        rule="One decision stops a scope and cancels what works; two clear it, with the cause.",
        source="RTS 6 12; FIA 1.5",
        where=f"gateway, venue; {CORE}",
        reasons=(R.KILLED,),
        setting="tradewind risk kill, clear",
        tests=(
            "tests/unit/core/test_kill.py",
            "tests/unit/venue/test_kill.py",
            "tests/integration/gateway/test_kill.py",
            "tests/integration/gateway/test_kill_drill.py",
        ),
    ),
    Control(
        code="C29",
        name="Cancel on disconnect",
        rule="A session that ends has its orders cancelled; nothing is assumed until confirmed.",
        source="CME COD",
        where="gateway",
        setting="cancel_on_disconnect",
        tests=(
            "tests/unit/gateway/test_disconnects.py",
            "tests/integration/gateway/test_disconnects.py",
        ),
    ),
    Control(
        code="C30",
        name="Time in force",
        rule="An expiry is in the future; algorithms enter GTC orders only where permitted.",
        source="good practice",
        reasons=(R.INVALID_EXPIRE_TIME, R.TIME_IN_FORCE_NOT_PERMITTED),
        setting="allows_gtc",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C31",
        name="Short-sale and regulatory marks",
        rule="Required fields are there. Optional, and not there yet: nothing traded here has any.",
        source="15c3-5(c)(2)(i)",
        standing=Standing.OFF,
    ),
    Control(
        code="C32",
        name="Age of the intent",
        rule="What the journal takes after the client's deadline is denied.",
        source="replay protection",
        where=f"gateway (nonce); {CORE}",
        reasons=(R.TOO_LATE, R.NOT_SENT_IN_TIME),
        setting="void_after_ns",
        tests=(TABLE, "tests/unit/gateway/test_auth.py", "tests/unit/gateway/test_nonces.py"),
    ),
    Control(
        code="C33",
        name="Fencing",
        rule="Outputs are appended at their own place or not at all; sends need the session.",
        source="architecture, I2, I7, I13",
        where="oms, venue",
        setting="always",
        tests=(
            "tests/unit/oms/test_replica.py",
            "tests/unit/oms/test_appender.py",
            "tests/unit/venue/test_session.py",
            "tests/integration/oms/test_replicas.py",
            "tests/integration/venue/test_standby.py",
        ),
    ),
    Control(
        code="C34",
        name="Build identity",
        rule="Only replicas of an approved build append, only approved strategies' builds trade.",
        source="34-70694",
        where="oms (replicas); core (strategies)",
        reasons=(R.BUILD_NOT_APPROVED,),
        setting="approved builds; approved_build of a scope",
        tests=(
            "tests/unit/core/test_limits.py",
            "tests/unit/oms/test_replica.py",
            "tests/integration/oms/test_builds.py",
        ),
    ),
    Control(
        code="C35",
        name="Reconciliation",
        rule="What the venue says it has of us is what is booked, or the instrument is halted.",
        source="RTS 6 17(3); FIA 4.1",
        where="venue (asks), core (compares, halts); risk (compares with the drop copy)",
        setting="always; the drop copy's address, how long what differs may stand",
        tests=(
            "tests/unit/core/test_decide_position.py",
            "tests/unit/venue/test_positions.py",
            "tests/unit/risk/reconcile/test_grades.py",
            "tests/unit/risk/reconcile/test_matching.py",
            "tests/unit/risk/reconcile/test_breaker.py",
            "tests/integration/venue/test_reconciliation.py",
        ),
    ),
    Control(
        code="C36",
        name="Alerts",
        rule="A control that trips is an alert with an owner; one that nobody takes escalates.",
        source="RTS 6 16(5); 34-70694",
        where="risk (raises, hands on), gateway (lists, is told who takes one), notifier (tells)",
        setting="owner operator, after 5 s supervisor",
        tests=(
            "tests/unit/risk/test_alerts.py",
            "tests/integration/gateway/test_alerts.py",
            "tests/integration/notifier/test_notifier.py",
        ),
    ),
)

CONTROL_OF: dict[Reason, Control] = {
    reason: control for control in CONTROLS for reason in control.reasons
}
"""The control that a reason code belongs to; some codes are no control's (UNKNOWN_ORDER)."""
