# SPDX-License-Identifier: Apache-2.0
"""A day with everything in it: each command at least once, and what follows of each kind."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tradewind.core import commands
from tradewind.core.commands import Entry
from tradewind.core.events import OrderReport
from tradewind.core.logic import (
    FOUR_EYES,
    REDUCING_REPLACES,
    REVISED_CONTROLS,
    RISK_CONTROLS,
)
from tradewind.core.shares import WHOLE
from tradewind.core.testing import (
    ACCOUNT,
    BOUNDS,
    LIMITS,
    MILLISECOND_NS,
    NEVER_NS,
    STATEMENT,
    SUBMIT,
    SYMBOL,
    VENUE,
    Desk,
)
from tradewind.core.types import ExecType, OrdType, Side, TimeInForce, TradingState, TradSesStatus

PEOPLE = {"actor": "operator", "reason": "drill"}
ABOUT = {"account": ACCOUNT, "client": "client"}
REQUESTED = (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE)


class Life(Desk):
    """A desk that also remembers order ids by the name they were submitted with."""

    def make(self, cl_ord_id: str, **changes: Any) -> str:
        """A new order, acknowledged unless it is a parent; its order id."""
        report = self.submit(cl_ord_id, **changes)
        if report.exec_type is ExecType.PENDING_NEW:
            self.ack(report.order_id)
        return report.order_id

    def answer(self, order_id: str, exec_type: ExecType, index: int = 0) -> None:
        """Answers one of the pending requests."""
        pending = self.order(order_id).pendings[index]
        self.report(
            order_id,
            exec_type,
            request_id=pending.request_id,
            order_qty=pending.order_qty,
            price=pending.price,
        )


def entries() -> Iterator[Entry]:
    """The whole day."""
    desk = Life.opened()
    for chapter in (
        _orders,
        _chains,
        _busts,
        _unknown,
        _strangers,
        _family,
        _account,
        _control,
        _days,
        _limits,
        _kill,
        _parts,
        _skips,
        _revised,
    ):
        chapter(desk)
    yield from desk.entries


def _orders(desk: Life) -> None:
    """Each type and time in force; venue words of every kind."""
    desk.take_session()
    session(desk, TradSesStatus.PRE_OPEN)
    desk.make("open", time_in_force=TimeInForce.AT_OPEN)
    session(desk, TradSesStatus.OPEN)
    stop = desk.make("stop", ord_type=OrdType.STOP, price=0, stop_px=1_010)
    desk.report(stop, ExecType.TRIGGERED)
    desk.fill(stop, 10, 1_011, fee_e8=250, fee_currency="USD")
    limit = desk.make("stop-limit", ord_type=OrdType.STOP_LIMIT, stop_px=990)
    desk.report(limit, ExecType.RESTATED, order_qty=8, price=995)
    desk.report(limit, ExecType.EXPIRED)
    iceberg = desk.make("iceberg", order_qty=50, display_qty=5, is_post_only=True)
    desk.fill(iceberg, 5)
    desk.make("dated", time_in_force=TimeInForce.GTD, expire_ns=desk.now_ns + 50_000_000)
    desk.make("today", time_in_force=TimeInForce.DAY)
    refused = desk.submit("refused", time_in_force=TimeInForce.FOK).order_id
    desk.report(refused, ExecType.REJECTED, text="no")
    desk.submit("market", ord_type=OrdType.MARKET, price=0, time_in_force=TimeInForce.IOC)
    desk.submit("too-large", order_qty=101)
    desk.submit("iceberg")  # its id was used for another order


def _chains(desk: Life) -> None:
    """Three replaces pending, confirmed out of order; a cancel that is refused, one that is not."""
    order = desk.make("chain")
    for number, qty in enumerate((20, 30, 40)):
        desk.replace(f"chain-{number}", "chain", qty=qty)
    desk.answer(order, ExecType.REPLACED, 1)
    desk.answer(order, ExecType.REPLACED, 0)
    desk.cancel("chain-x", "chain")
    desk.answer(order, ExecType.REPLACE_REJECTED, 0)
    desk.answer(order, ExecType.CANCEL_REJECTED)
    desk.cancel("chain-y", "chain-1")
    desk.answer(order, ExecType.CANCELED)
    desk.cancel("chain-z", "chain")
    desk.cancel("nothing-x", "nothing")


def _busts(desk: Life) -> None:
    """Fills that were others, or never were, while the order works and after its end."""
    order = desk.make("bust", order_qty=20)
    for number in (1, 2, 3):
        desk.fill(order, 5, 1_000 + number, exec_id=f"B{number}")
    correct = {"exec_ref_id": "B1", "last_qty": 4, "last_px": 999}
    desk.report(order, ExecType.TRADE_CORRECT, **correct)
    desk.report(order, ExecType.CANCELED)
    desk.report(order, ExecType.TRADE_CANCEL, exec_ref_id="B2")
    desk.report(order, ExecType.TRADE_CANCEL, exec_ref_id="B2")  # refers to no fill any more
    late = {"exec_id": "late", "last_qty": 1, "last_px": 1_001}
    desk.report(order, ExecType.TRADE, **late)
    desk.report(order, ExecType.TRADE, **late)


def _unknown(desk: Life) -> None:
    """A silent venue, asked by a new session; then its truth."""
    silent = desk.submit("silent").order_id
    desk.report(silent, ExecType.UNKNOWN)
    desk.step(commands.RequestStatus(cl_ord_id="silent", **ABOUT))
    desk.step(commands.RequestStatus(cl_ord_id="nobody", **ABOUT))
    desk.make("was-there")
    desk.report(desk.submit("lost").order_id, ExecType.UNKNOWN)
    desk.take_session("connector-2")
    desk.ack(silent)


def _strangers(desk: Life) -> None:
    """An order of nobody's, adopted and traded; positions that agree, differ, and halt."""
    terms = {"account": ACCOUNT, "symbol": SYMBOL, "order_qty": 6, "price": 1_002}
    desk.report("theirs", ExecType.NEW, side=Side.SELL, **terms)
    desk.report("theirs", ExecType.TRADE, side=Side.SELL, last_qty=2, last_px=1_002, **terms)
    desk.report("gone", ExecType.CANCELED, side=Side.SELL, **terms)
    stated = desk.state_position()
    desk.state_position(qty=stated.booked_qty)
    desk.state_position(qty=stated.booked_qty + 1)
    desk.state_position(qty=stated.booked_qty + 1, is_complete=True)
    desk.trading(TradingState.ACTIVE, f"symbol:{SYMBOL}")
    desk.state_position(qty=stated.booked_qty + 1, is_complete=True)
    desk.step(replace(STATEMENT, epoch=1))


def _family(desk: Life) -> None:
    """A parent with children: too many, some filled, replaced, cancelled with them."""
    desk.make("parent", order_qty=30, is_parent=True, algorithm="TWAP", build="b1")
    child = {"parent_cl_ord_id": "parent", "algorithm": "TWAP", "build": "b1"}
    first = desk.make("child-1", order_qty=10, **child)
    second = desk.make("child-2", order_qty=10, **child)
    desk.submit("child-3", order_qty=11, **child)
    desk.fill(first, 4)
    desk.replace("parent-r", "parent", qty=25)
    desk.cancel("parent-x", "parent")
    for order in (first, second):
        desk.answer(order, ExecType.CANCELED)


def _account(desk: Life) -> None:
    """Everything that is asked for a whole account."""
    desk.step(commands.MassCancel(cl_ord_id="mass", symbol=SYMBOL, strategy="other", **ABOUT))
    desk.step(commands.MassCancel(cl_ord_id="mass-2", symbol=SYMBOL, **ABOUT))
    desk.step(commands.MassCancel(cl_ord_id="mass-2", symbol=SYMBOL, **ABOUT))
    for order in list(desk.machine.state.live_orders.values()):
        desk.answer(order.order_id, ExecType.CANCELED)
    desk.reference(1_000)
    flatten = commands.FlattenPosition(
        cl_ord_id="flat", symbol=SYMBOL, strategy="strategy", void_after_ns=NEVER_NS, **ABOUT
    )
    for event in (*desk.step(flatten), *desk.step(flatten)):
        if isinstance(event, OrderReport) and event.exec_type is ExecType.PENDING_NEW:
            desk.fill(event.order_id, event.order_qty, 1_003)
    booked = {"account": ACCOUNT, "symbol": SYMBOL, **PEOPLE}
    desk.step(commands.AdjustPosition(cl_ord_id="adjust", qty=-7, price=1_000, **booked))
    desk.step(commands.ResetPosition(cl_ord_id="reset", **booked))


def _control(desk: Life) -> None:
    """Instruments that come and go, rates, switches."""
    other = {"venue": VENUE, "tick_size": "0.01", "lot_size": "1", "currency": "EUR"}
    desk.step(commands.DefineInstrument(symbol="EUR-ISH", **other))
    desk.step(commands.SetFxRate(currency="EUR", rate_e9=1_080_000_000))
    desk.step(commands.SetFxRate(currency="EUR", rate_e9=0))
    limits = commands.SetAccountLimits(
        account="OTHER", max_gross_e8=1, max_rate_age_ms=1_000, version=1
    )
    desk.step(limits)
    desk.step(commands.RemoveInstrument(symbol="EUR-ISH"))
    desk.step(commands.RemoveInstrument(symbol="EUR-ISH"))
    desk.make("resting")
    desk.step(commands.DefineInstrument(symbol=SYMBOL, **other))
    desk.step(commands.SetLogic(flag=REDUCING_REPLACES, actor="operator"))
    desk.trading(TradingState.REDUCING)
    desk.replace("smaller", "resting", qty=5)
    desk.submit("larger")
    desk.step(commands.ApproveBuild(build="b1", actor="operator"))
    desk.step(commands.RevokeBuild(build="b1", actor="operator"))
    desk.step(commands.ReportDivergence(seq=90, digest="0" * 64, instance="oms-0-1"))
    desk.submit("halted")
    for scope in ("shard", "firm"):
        desk.trading(TradingState.ACTIVE, scope)
    desk.step(commands.SkipEntry(seq=1, second_actor="second", **PEOPLE))
    desk.step(commands.AdvanceTime(source="oms-0-0"))


def _days(desk: Life) -> None:
    """The close, the roll, and what comes too late for orders that left memory."""
    session(desk, TradSesStatus.CLOSED)
    desk.submit("closed")
    session(desk, TradSesStatus.OPEN)
    overnight = desk.make("overnight", time_in_force=TimeInForce.DAY)
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=desk.now_ns))
    desk.step(commands.RollDay(trading_date="2026-01-02", retire_before_ns=desk.now_ns))
    desk.report(overnight, ExecType.EXPIRED)
    desk.submit("stop", ord_type=OrdType.STOP, price=0, stop_px=1_010)  # answered from its outcome
    desk.cancel("stop-x", "stop")
    retired = next(iter(desk.machine.state.retired))
    desk.report(retired, ExecType.TRADE, last_qty=1, last_px=1_000, exec_no=0)
    desk.step(replace(SUBMIT, cl_ord_id="after", side=Side.SELL))


def _limits(desk: Life) -> None:
    """Limits of scopes, proposed and approved; an order in them, and one beyond."""
    desk.step(commands.SetFxRate(currency="USD", rate_e9=10**9))
    desk.step(commands.SetLogic(flag=RISK_CONTROLS, actor="operator"))
    for scope in ("firm", *(f"{kind}:*" for kind in ("account", "strategy", "client"))):
        desk.step(replace(BOUNDS, scope=scope))
    desk.reference(1_000)
    desk.make("bounded")
    desk.step(replace(BOUNDS, scope="account:*", version=2, max_open_orders=0))
    desk.submit("unbounded")
    desk.step(commands.SetLogic(flag=FOUR_EYES, actor="operator"))
    desk.step(replace(BOUNDS, scope="account:*", version=3))
    subject = "SetScopeLimits account:*"
    for actor in ("operator", "second"):
        desk.step(commands.ApproveLimits(subject=subject, version=3, actor=actor))
    desk.make("bounded-again", order_qty=9)
    desk.step(replace(LIMITS, version=1, actor="operator"))
    desk.step(replace(LIMITS, version=99, actor="operator"))


def _kill(desk: Life) -> None:
    """An account is stopped with what works in it, and cleared by two people."""
    desk.make("killed", order_qty=3)
    scope = f"account:{ACCOUNT}"
    desk.step(commands.KillScope(scope=scope, kill_id="k1", actor="operator", reason="drill"))
    desk.submit("too-late")
    desk.trading(TradingState.ACTIVE, scope)
    for actor in ("operator", "operator", "second"):
        desk.step(commands.ClearKill(scope=scope, kill_id="k1", actor=actor, root_cause="I-1"))
    desk.trading(TradingState.ACTIVE, scope)
    desk.submit("again", order_qty=2)


def _parts(desk: Life) -> None:
    """The firm's bounds are divided between two shards, one is lowered, parts of it move."""
    for scope in sorted(desk.machine.state.trading_states):
        desk.trading(TradingState.ACTIVE, scope)
    desk.step(commands.DivideBounds(shards=2, is_new=True, actor="operator"))
    desk.step(replace(BOUNDS, version=2, max_open_orders=20))
    subject = "SetScopeLimits firm"
    desk.step(commands.ApproveLimits(subject=subject, version=2, actor="second"))
    since_seq = desk.machine.state.seq
    about = {"scope": "firm", "bound": "max_open_orders"}
    desk.submit("not-yet-agreed", order_qty=1)
    for limit in (21, 20):
        desk.step(commands.AgreeBound(limit=limit, since_seq=since_seq, **about))
    desk.make("in-its-part", order_qty=1)
    for number in (2, 1, 1):
        desk.step(commands.GiveShare(shard=1, number=number, units=WHOLE, **about))
    desk.submit("gone", order_qty=2)
    for number in (2, 1, 1):
        desk.step(commands.TakeShare(shard=1, number=number, units=WHOLE // 4, **about))
    desk.step(commands.GiveShare(shard=2, number=1, units=1, **about))
    desk.make("back", order_qty=2)


def _skips(desk: Life) -> None:
    """Two people have an entry left out, each by an entry."""
    for actor in ("operator", "second"):
        desk.step(commands.AskSkip(seq=2, actor=actor, reason="drill"))


def _revised(desk: Life) -> None:
    """The same order twice, and after a jump over a time without prices."""
    desk.step(commands.SetLogic(flag=REVISED_CONTROLS, actor="operator"))
    for name in ("once", "twice"):
        desk.make(name, order_qty=1)
    desk.now_ns += 60_000 * MILLISECOND_NS
    desk.reference(2_000)
    desk.submit("after-the-jump", order_qty=1, price=2_000)


def session(desk: Life, status: TradSesStatus) -> None:
    """The venue's session changes."""
    desk.step(commands.SetTradingSession(venue=VENUE, status=status, trading_date="2026-01-01"))
