# SPDX-License-Identifier: Apache-2.0
"""The one table of risk controls: what each is, where it is evaluated, what it answers with.

`docs/risk-controls.md` is drawn from it, a refusal's text begins with the id found here, and the
self-assessment goes through it row by row; so none of them can say something else than the others.
"""

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
    ABSENT = "not built"


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


R = Reason

CONTROLS: tuple[Control, ...] = (
    Control(
        code="C01",
        name="Order quantity",
        rule="An order has at most so many lots; without a limit there is no order.",
        source="RTS 6 15(1)(c); FIA 1.1",
        reasons=(R.MAX_ORDER_QTY, R.LIMIT_MISSING),
        setting="max_order_qty; the required bounds",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C02",
        name="Order value",
        rule="Quantity x price; without a price, the worst one that the collar allows.",
        source="RTS 6 15(1)(b)",
        reasons=(R.MAX_NOTIONAL,),
        setting="max_notional; max_order_value_e8",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C03",
        name="Price collar",
        rule="A limit price is near the instrument's own reference price, in every session.",
        source="RTS 6 15(1)(a); FIA 1.3",
        reasons=(R.PRICE_COLLAR,),
        setting="collar_bps",
    ),
    Control(
        code="C04",
        name="Price collar over time",
        rule="Nor is it far from where the reference has been for a while.",
        source="RTS 6 15(1)(a)",
        reasons=(R.PRICE_MOVED,),
        setting="max_move_bps, over 10 to 20 s",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C05",
        name="Grid and terms",
        rule="Exact ticks and lots, positive; just the prices that the order type has.",
        source="15c3-5(c)(1)(ii)",
        where=f"gateway (decimals); {CORE}",
        reasons=(
            R.INVALID_QUANTITY,
            R.INVALID_PRICE,
            R.INVALID_STOP_PRICE,
            R.INVALID_DISPLAY_QUANTITY,
            R.INVALID_POST_ONLY,
        ),
        setting="tick_size, lot_size",
        tests=(TABLE, "tests/unit/gateway/test_requests.py"),
    ),
    Control(
        code="C06",
        name="Duplicate request id",
        rule="A client's request id is used once in an account, for ever.",
        source="15c3-5(c)(1)(ii)",
        reasons=(R.DUPLICATE_CL_ORD_ID, R.CL_ORD_ID_REUSED),
        setting="always",
        tests=("tests/unit/core/test_decide_client.py", "tests/property/client_rules.py"),
    ),
    Control(
        code="C07",
        name="Duplicate content",
        rule="The same account, instrument, side, quantity and price only so often in a while.",
        source="15c3-5(c)(1)(ii)",
        reasons=(R.DUPLICATE_CONTENT,),
        setting="max_duplicates in duplicate_window_ms",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C08",
        name="Message rate",
        rule="So many new orders and replaces in a while; far too many end it. Never cancels.",
        source="RTS 6 15(1)(d); FIA 3.4",
        reasons=(R.MESSAGE_RATE, R.MESSAGE_FLOOD),
        setting="max_messages, flood_messages in message_window_ms",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C09",
        name="Repeated execution",
        rule="An algorithm that trades so often in a while is halted until people resume it.",
        source="RTS 6 15(3); FIA 3.2",
        reasons=(R.REPEATED_EXECUTION,),
        setting="max_repeats in repeat_window_ms",
        tests=(TABLE, "tests/unit/core/test_limits.py", "tests/unit/core/test_knight.py"),
    ),
    Control(
        code="C10",
        name="Open orders",
        rule="So many working orders, and so much value in them.",
        source="UMIR 7.1",
        reasons=(R.MAX_OPEN_ORDERS, R.MAX_OPEN_VALUE),
        setting="max_open_orders, max_open_value_e8",
        tests=(TABLE, "tests/unit/core/test_limits.py", "tests/property/test_limits_hold.py"),
    ),
    Control(
        code="C11",
        name="Position",
        rule="What is held and everything working on the same side stay within a limit.",
        source="FIA 1.2; 34-70694 para 22",
        reasons=(R.MAX_POSITION,),
        setting="max_position; max_long, max_short",
        tests=(
            TABLE,
            "tests/unit/core/test_limits.py",
            "tests/property/client_rules.py",
            "tests/property/test_limits_hold.py",
        ),
    ),
    Control(
        code="C12",
        name="Exposure",
        rule="What orders entered can lead to, over all instruments, in the base currency.",
        source="15c3-5(c)(1)(i)",
        reasons=(R.MAX_EXPOSURE, R.NO_FX_RATE, R.STALE_FX_RATE),
        standing=Standing.PARTLY,
        setting="max_gross per account; max_gross_e8, max_net_e8",
        tests=(
            TABLE,
            "tests/unit/core/test_exposure.py",
            "tests/unit/core/test_limits.py",
            "tests/property/test_limits_hold.py",
        ),
    ),
    Control(
        code="C13",
        name="Buying power",
        rule="What is bought, working and paid in fees stays within the account's credit.",
        source="15c3-5(c)(1)(i)",
        reasons=(R.CREDIT_EXCEEDED,),
        setting="max_credit_e8 of an account",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C14",
        name="Parent and children",
        rule="Children never have more than their parent asked for, nor are there too many.",
        source="34-70694 para 21",
        reasons=(
            R.UNKNOWN_PARENT,
            R.PARENT_NOT_WORKING,
            R.PARENT_MISMATCH,
            R.PARENT_EXCEEDED,
            R.TOO_MANY_CHILDREN,
            R.PARENT_VALUE,
        ),
        setting="the parent's quantity; max_children, max_parent_value_e8",
        tests=(
            "tests/unit/core/test_parents.py",
            "tests/unit/core/test_limits.py",
            "tests/unit/core/test_knight.py",
        ),
    ),
    Control(
        code="C15",
        name="Turnover",
        rule="So much traded in a trading day.",
        source="Nasdaq PRM",
        reasons=(R.MAX_TURNOVER,),
        setting="max_turnover_e8",
        tests=(TABLE, "tests/unit/core/test_limits.py", "tests/property/test_limits_hold.py"),
    ),
    Control(
        code="C16",
        name="Orders to trades",
        rule="So many new orders and replaces for each trade of the day.",
        source="RTS 9",
        reasons=(R.ORDER_TO_TRADE_RATIO,),
        setting="max_orders_per_trade",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C17",
        name="Market impact",
        rule="Quantity against average volume and displayed depth. Optional, and not there yet.",
        source="FINRA 2026",
        standing=Standing.OFF,
    ),
    Control(
        code="C18",
        name="Self-match",
        rule="An order that would meet one of its own account's is refused (the newest goes).",
        source="FIA 3.5",
        reasons=(R.SELF_MATCH,),
        setting="allows_self_match",
        tests=(TABLE, "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C19",
        name="Instrument permission",
        rule="An account trades what it has limits in, by the instrument's exact name.",
        source="15c3-5(c)(2)(ii)",
        reasons=(R.UNKNOWN_INSTRUMENT,),
        setting="limits per account and instrument",
    ),
    Control(
        code="C20",
        name="Entity permission",
        rule="Every order names client, strategy, algorithm and build, and each is permitted.",
        source="15c3-5(c)(2)(iii); RTS 6 12",
        where=f"gateway (keys); {CORE}",
        reasons=(R.ATTRIBUTION_MISSING, R.NOT_PERMITTED),
        setting="limits per account, strategy and client; gateway keys",
        tests=(TABLE, "tests/unit/core/test_limits.py", "tests/unit/gateway/test_auth.py"),
    ),
    Control(
        code="C21",
        name="Stale market data",
        rule="No reference price, or one too old: no new risk in that instrument.",
        source="FIA 3.1",
        where=f"risk (which quotes count); {CORE}",
        reasons=(R.NO_REFERENCE_PRICE, R.STALE_REFERENCE_PRICE),
        setting="max_reference_age_ms",
        tests=(TABLE, "tests/unit/risk/test_reference_rule.py"),
    ),
    Control(
        code="C22",
        name="Market data sanity",
        rule="No new risk while the reference price has just jumped.",
        source="FIA 3.1",
        where=f"risk (one-sided and crossed quotes); {CORE}",
        reasons=(R.MARKET_UNSTABLE,),
        setting="max_jump_bps, over 10 to 20 s",
        tests=("tests/unit/core/test_limits.py", "tests/unit/risk/test_reference_rule.py"),
    ),
    Control(
        code="C23",
        name="Trading state",
        rule="ACTIVE, REDUCING or HALTED for any scope; the strictest wins.",
        source="FIA 1.5",
        reasons=(R.TRADING_HALTED, R.REDUCE_ONLY),
        tests=(TABLE, "tests/property/client_rules.py"),
        setting="trading states of any scope",
    ),
    Control(
        code="C24",
        name="Venue session",
        rule="Closed, halted, auction: only the orders that the session takes.",
        source="RTS 7",
        reasons=(R.VENUE_CLOSED, R.VENUE_HALTED, R.NOT_IN_THIS_SESSION),
        setting="the venue's session",
        tests=(TABLE, "tests/integration/venue/test_venue_terms.py"),
    ),
    Control(
        code="C25",
        name="Loss",
        rule="A day's loss, realised and not, stays within a limit.",
        source="FIA PTG",
        standing=Standing.ABSENT,
    ),
    Control(
        code="C26",
        name="Drawdown",
        rule="From the day's best result to now.",
        source="market practice",
        standing=Standing.ABSENT,
    ),
    Control(
        code="C27",
        name="Losses in a row",
        rule="So many losing trades one after the other.",
        source="market practice",
        standing=Standing.ABSENT,
    ),
    Control(
        code="C28",
        name="Kill switch",
        rule="One decision stops a scope and cancels what works; two clear it, with the cause.",
        source="RTS 6 12; FIA 1.5",
        where=CORE,
        reasons=(R.KILLED,),
        setting="tradewind risk kill, clear",
        tests=("tests/unit/core/test_kill.py",),
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
        tests=(TABLE, "tests/unit/gateway/test_auth.py"),
    ),
    Control(
        code="C33",
        name="Fencing",
        rule="Outputs are appended at their own place or not at all; sends need the session.",
        source="architecture, I2, I7, I13",
        where="oms, venue",
        setting="always",
        tests=("tests/integration/oms/test_replicas.py", "tests/integration/venue/test_standby.py"),
    ),
    Control(
        code="C34",
        name="Build identity",
        rule="Only replicas of an approved build append, only approved strategies' builds trade.",
        source="34-70694",
        where="oms (replicas); core (strategies)",
        reasons=(R.BUILD_NOT_APPROVED,),
        setting="approved builds; approved_build of a scope",
        tests=("tests/integration/oms/test_builds.py", "tests/unit/core/test_limits.py"),
    ),
    Control(
        code="C35",
        name="Reconciliation",
        rule="What the venue says it has of us is what is booked, or the instrument is halted.",
        source="RTS 6 17(3); FIA 4.1",
        where="venue (asks), core (compares, halts)",
        setting="always",
        tests=("tests/unit/core/test_decide_position.py", "tests/unit/venue/test_positions.py"),
    ),
    Control(
        code="C36",
        name="Alerts",
        rule="A control that trips is an alert with an owner; one that nobody takes escalates.",
        source="RTS 6 16(5); 34-70694",
        standing=Standing.ABSENT,
    ),
)

CONTROL_OF: dict[Reason, Control] = {
    reason: control for control in CONTROLS for reason in control.reasons
}
"""The control that a reason code belongs to; some codes are no control's (UNKNOWN_ORDER)."""
