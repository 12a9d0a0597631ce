# SPDX-License-Identifier: Apache-2.0
"""What a venue says: in any order, twice, late, unasked, and of orders long gone."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.property.client_rules import ClientRules, requests
from tests.property.model import Told
from tradewind.core.commands import TakeSession
from tradewind.core.events import Event, OrderReport, ReportIgnored, TradingStateSet
from tradewind.core.testing import REPORT, SYMBOL, VENUE
from tradewind.core.types import ExecType

WORDS = [*[ExecType.NEW] * 4, *[ExecType.TRIGGERED] * 3]
ENDS = [ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED]
SIZES = (1, 2, 3, 5, 10, 30)


def made_at(request_id: str) -> int:
    """The journal sequence that a request was made at."""
    return int(request_id.rpartition("-")[2].partition(".")[0])


class VenueRules(ClientRules):
    """The other half of the rules."""

    def report(self, told: Told, exec_type: ExecType, **facts: Any) -> bool:
        """One report of the venue's; whether it changed the order."""
        unheard = {"exec_id": f"U{self.desk.machine.state.seq}"}
        command = replace(REPORT, order_id=told.order_id, exec_type=exec_type)
        events = self.do(replace(command, **{**unheard, **facts}))
        is_taken = isinstance(events[0], OrderReport)
        assert is_taken or isinstance(events[0], ReportIgnored)
        self.told_parent(told, events[1:])
        return is_taken

    def told_parent(self, told: Told, events: tuple[Event, ...]) -> None:
        """Whatever else follows is about the order's parent."""
        for event in events:
            assert isinstance(event, OrderReport)
            parent = self.model.orders[event.order_id]
            assert parent.children is not None
            assert told in parent.children

    def has_orders(self) -> bool:
        return any(told.children is None for told in self.model.orders.values())

    @precondition(has_orders)
    @rule(data=st.data(), qty=st.sampled_from(SIZES), price=st.integers(990, 1_010))
    def fill(self, data: st.DataObject, qty: int, price: int) -> None:
        told = self.pick(data)
        exec_id = f"F{data.draw(st.integers(0, 60))}"
        is_taken = self.report(told, ExecType.TRADE, exec_id=exec_id, last_qty=qty, last_px=price)
        assert is_taken == ((told.order_id, exec_id) not in self.seen)
        self.seen.add((told.order_id, exec_id))
        if is_taken:
            told.fills[exec_id] = (qty, price)
            told.heard.append("TRADE")
            self.settle()

    @precondition(has_orders)
    @rule(data=st.data(), exec_type=st.sampled_from(WORDS + ENDS))
    def hear(self, data: st.DataObject, exec_type: ExecType) -> None:
        told = self.pick(data)
        is_over = told.is_over()
        assert self.report(told, exec_type) == (not is_over)
        if not is_over:
            told.heard.append(str(exec_type))
            self.forget_cancels(told, exec_type)
            self.settle()

    def forget_cancels(self, told: Told, exec_type: ExecType) -> None:
        """A cancelled order answers every cancel of it."""
        if exec_type is ExecType.CANCELED:
            asked = told.asked.items()
            told.asked = {key: item for key, item in asked if item[0] != "CANCEL"}

    @precondition(has_orders)
    @rule(data=st.data())
    def fall_silent(self, data: st.DataObject) -> None:
        """A doubt about the order, or about one of its requests, which may be answered."""
        told = self.pick(data)
        about = ("", told.order_id, *told.asked, "seg-0-0")
        request_id = data.draw(st.sampled_from(about))
        is_taken = not told.is_over() and told.owes(request_id)
        assert self.report(told, ExecType.UNKNOWN, request_id=request_id) == is_taken
        if is_taken:
            told.heard.append("UNKNOWN")

    @precondition(lambda self: any(told.fills for told in self.model.orders.values()))
    @rule(
        data=st.data(),
        qty=st.sampled_from((*SIZES, *[0] * 6)),
        price=st.integers(990, 1_010),
        is_known=st.sampled_from((True, True, True, False)),
    )
    def amend_a_trade(self, data: st.DataObject, qty: int, price: int, is_known: bool) -> None:
        """A bust if there is no quantity, else a correction."""
        told = data.draw(st.sampled_from([o for o in self.model.orders.values() if o.fills]))
        ref = data.draw(st.sampled_from(sorted(told.fills))) if is_known else "never"
        exec_id = f"A{self.desk.machine.state.seq}"
        is_taken = self.report(
            told,
            ExecType.TRADE_CORRECT if qty else ExecType.TRADE_CANCEL,
            exec_id=exec_id,
            exec_ref_id=ref,
            last_qty=qty,
            last_px=price,
        )
        assert is_taken == is_known
        if is_known:
            del told.fills[ref]
            if qty:
                told.fills[exec_id] = (qty, price)
            self.settle()

    @precondition(has_orders)
    @rule(data=st.data(), qty=st.sampled_from((1, 4, 8, 15, 25, 0)))
    def restate(self, data: st.DataObject, qty: int) -> None:
        told = self.pick(data)
        is_taken = qty > 0 and not told.is_over()
        assert self.report(told, ExecType.RESTATED, order_qty=qty, price=995) == is_taken
        if is_taken:
            told.terms.append((qty, 995))
            told.heard.append("RESTATED")
            self.settle()

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), answer=st.sampled_from(("YES", "YES", "NO", "NO", "OTHER")))
    def answer(self, data: st.DataObject, answer: str) -> None:
        """An answer to a request, also after the end; or one of the wrong kind."""
        told = data.draw(st.sampled_from(self.waiting()))
        request_id = data.draw(st.sampled_from(sorted(told.asked)))
        action, size = told.asked[request_id]
        is_cancel = action == "CANCEL"
        if answer == "OTHER":
            wrong = ExecType.REPLACED if is_cancel else ExecType.CANCEL_REJECTED
            facts = {"request_id": request_id, "order_qty": 10, "price": 1_000}
            assert not self.report(told, wrong, **facts)
            return
        if answer == "YES":
            exec_type = ExecType.CANCELED if is_cancel else ExecType.REPLACED
        else:
            exec_type = ExecType(f"{action}_REJECTED")
        is_taken = answer == "NO" or not told.is_over()
        facts = {"request_id": request_id, "order_qty": size, "price": 1_000}
        assert self.report(told, exec_type, **facts) == is_taken
        if not is_taken:
            return
        del told.asked[request_id]
        self.forget_cancels(told, exec_type)
        told.heard.append("REFUSED" if answer == "NO" else str(exec_type))
        if exec_type is ExecType.REPLACED and made_at(request_id) > told.confirmed:
            told.terms.append((size, 1_000))
            told.confirmed = made_at(request_id)
        self.settle()

    def waiting(self) -> list[Told]:
        """Orders at the venue with requests that have no answer, also after their end."""
        return [o for o in self.model.orders.values() if o.asked and o.children is None]

    @precondition(lambda self: self.model.retired)
    @rule(data=st.data(), exec_type=st.sampled_from((ExecType.TRADE, *ENDS)))
    def speak_of_a_retired_order(self, data: st.DataObject, exec_type: ExecType) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.model.retired)))
        command = replace(
            REPORT, order_id=order_id, exec_type=exec_type, exec_id="late", last_qty=1
        )
        ignored, *halted = self.do(command)
        assert isinstance(ignored, ReportIgnored)
        assert len(halted) == (exec_type is ExecType.TRADE)
        if halted:
            assert isinstance(halted[0], TradingStateSet)
            self.model.scopes[f"symbol:{SYMBOL}"] = "HALTED"

    @precondition(lambda self: self.desk.machine.state.seq % 3 == 0)
    @rule()
    def take_session(self) -> None:
        events = self.do(TakeSession(venue=VENUE, owner="x"))
        marked = requests(events)
        assert all(request.is_possibly_sent for request in marked)
        wanted = []
        for told in self.model.at_venue():
            if not told.is_acked():
                wanted.append((told.order_id, "NEW"))
            elif told.is_doubtful():
                wanted.append((told.order_id, "STATUS"))
            wanted += [(request_id, action) for request_id, (action, _) in told.asked.items()]
        wanted.sort(key=lambda item: made_at(item[0]))
        assert [(r.request_id, str(r.action)) for r in marked] == wanted
