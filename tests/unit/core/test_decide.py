# SPDX-License-Identifier: Apache-2.0
"""A request on which the core fails: one client must not be able to stop a shard."""

from dataclasses import replace
from typing import Any

import pytest

from tradewind.core import commands, decide, risk
from tradewind.core.commands import Command
from tradewind.core.events import MassCancelReport, OrderReport, TradingStateSet
from tradewind.core.testing import ACCOUNT, NEVER_NS, SUBMIT, SYMBOL, Desk
from tradewind.core.types import ExecType, OrdStatus, Reason, TradingState

CANCEL = commands.CancelOrder(account=ACCOUNT, cl_ord_id="x9", orig_cl_ord_id="c1", client="client")
REPLACE = commands.ReplaceOrder(
    account=ACCOUNT,
    cl_ord_id="r9",
    orig_cl_ord_id="c1",
    order_qty=20,
    price=1_000,
    client="client",
    void_after_ns=NEVER_NS,
)

STATUS = commands.RequestStatus(account=ACCOUNT, cl_ord_id="c1", client="client")
FLATTEN = commands.FlattenPosition(
    account=ACCOUNT,
    cl_ord_id="f9",
    symbol=SYMBOL,
    client="client",
    strategy="strategy",
    void_after_ns=NEVER_NS,
)
MASS = commands.MassCancel(account=ACCOUNT, cl_ord_id="m9", client="client")
REQUESTS: list[Any] = [SUBMIT, CANCEL, REPLACE, STATUS, FLATTEN]


def fail(monkeypatch: pytest.MonkeyPatch, command: Command, error: BaseException) -> None:
    """The handler of this kind of command fails from now on."""

    def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setitem(decide.HANDLERS, type(command), broken)


@pytest.mark.parametrize("command", REQUESTS, ids=lambda c: type(c).__name__)
def test_it_is_denied_and_its_account_is_halted(
    monkeypatch: pytest.MonkeyPatch, command: Any
) -> None:
    desk = Desk.opened()
    desk.submit("c0")
    fail(monkeypatch, command, ZeroDivisionError("x"))
    denied, halted = desk.step(command)
    assert isinstance(denied, OrderReport)
    assert (denied.exec_type, denied.ord_status) == (ExecType.DENIED, OrdStatus.DENIED)
    assert (denied.reason, denied.order_id) == (Reason.INTERNAL, "")
    assert denied.parent_order_id == ""
    assert denied.order_qty == (SUBMIT.order_qty if command is SUBMIT else 0)
    assert (denied.cl_ord_id, denied.account) == (command.cl_ord_id, ACCOUNT)
    assert isinstance(halted, TradingStateSet)
    assert (halted.scope, halted.state, halted.actor) == (
        f"account:{ACCOUNT}",
        TradingState.HALTED,
        "core",
    )
    assert halted.reason == f"ZeroDivisionError on entry {desk.machine.state.seq}"
    assert len(desk.machine.state.orders) == 1
    monkeypatch.undo()
    assert desk.submit("next").reason is Reason.TRADING_HALTED
    assert desk.cancel("x1", "c0").exec_type is ExecType.PENDING_CANCEL
    desk.limits(account="ALPHA")
    assert desk.submit(account="ALPHA").reason is Reason.NONE


@pytest.mark.parametrize(("account", "scope"), [(ACCOUNT, f"account:{ACCOUNT}"), ("", "shard")])
def test_a_mass_cancel_on_which_it_fails_cancels_nothing_and_says_so(
    monkeypatch: pytest.MonkeyPatch, account: str, scope: str
) -> None:
    desk = Desk.opened()
    desk.submit("c0")
    fail(monkeypatch, MASS, ZeroDivisionError("x"))
    report, halted = desk.step(replace(MASS, account=account))
    assert isinstance(report, MassCancelReport)
    assert (report.reason, report.order_count, report.cl_ord_id) == (Reason.INTERNAL, 0, "m9")
    assert isinstance(halted, TradingStateSet)
    assert (halted.scope, halted.state) == (scope, TradingState.HALTED)
    monkeypatch.undo()
    (again,) = desk.step(replace(MASS, account=account))
    assert isinstance(again, MassCancelReport)
    assert again.reason is Reason.INTERNAL


def test_its_id_is_used_and_answers_with_the_same_denial(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk.opened()
    fail(monkeypatch, SUBMIT, KeyError("x"))
    desk.step(SUBMIT)
    monkeypatch.undo()
    assert desk.submit().reason is Reason.INTERNAL


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), KeyboardInterrupt()])
def test_a_failure_of_the_machine_under_it_stops_it(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    desk = Desk.opened()
    fail(monkeypatch, SUBMIT, error)
    with pytest.raises(type(error)):
        desk.step(SUBMIT)


def test_an_entry_of_nobodys_on_which_the_core_fails_is_poison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk.opened()
    command = commands.AdvanceTime(source="oms")
    fail(monkeypatch, command, ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        desk.step(command)


def test_a_rule_that_fails_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise IndexError

    monkeypatch.setattr(risk, "OWN_RULES", (broken,))
    desk = Desk.opened()
    report, _halted = desk.step(SUBMIT)
    assert isinstance(report, OrderReport)
    assert report.reason is Reason.INTERNAL
