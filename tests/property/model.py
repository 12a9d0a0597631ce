# SPDX-License-Identifier: Apache-2.0
"""A naive model of a shard: histories only, everything is added up anew whenever it is asked for.

It knows no state but lists: what clients sent, what the venue told, what was asked and how it was
answered. Where the machine keeps running sums and statuses, it reads the whole story again.
"""

from dataclasses import dataclass, field

ENDS = {"CANCELED", "EXPIRED", "REJECTED", "FULL"}
PROOFS = {"NEW", "TRIGGERED", "TRADE", "RESTATED", "REPLACED", *ENDS}
"""Words of a venue that prove that it has had the order."""
TAKES_REQUESTS = {"PENDING_NEW", "NEW", "PARTIALLY_FILLED", "UNKNOWN", "PENDING_REPLACE"}


@dataclass(eq=False)
class Told:
    """One order as a list of what happened to it."""

    order_id: str
    account: str
    strategy: str
    side: str
    terms: list[tuple[int, int]]
    """Size and price, the newest last."""
    kind: str = "LIMIT"
    is_day: bool = False
    children: "list[Told] | None" = None
    """Of a parent: its children. What they traded is what it traded."""
    fills: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The fills that stand, by the venue's execution id."""
    heard: list[str] = field(default_factory=list)
    """What the venue said, in order; FULL where nothing was left, REFUSED for a refused request."""
    asked: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Requests without an answer: action and size."""
    confirmed: int = 0
    """The newest replace that was confirmed: an older one no longer changes the terms."""
    ended_ns: int = 0

    @property
    def sign(self) -> int:
        return 1 if self.side == "BUY" else -1

    def __repr__(self) -> str:
        return f"{self.order_id} {self.status()} {self.heard}"

    def all_fills(self) -> list[tuple[int, int]]:
        if self.children is None:
            return list(self.fills.values())
        return [fill for child in self.children for fill in child.fills.values()]

    def filled(self) -> int:
        return sum(qty for qty, _px in self.all_fills())

    def cash(self) -> int:
        return sum(qty * px for qty, px in self.all_fills())

    def is_over(self) -> bool:
        return any(word in ENDS for word in self.heard)

    def left(self) -> int:
        return 0 if self.is_over() else max(0, self.terms[-1][0] - self.filled())

    def at_worst(self) -> int:
        """What may still trade at the venue: of its size, and of every size that is asked for."""
        if self.is_over() or self.children is not None:
            return 0
        asked = [size for action, size in self.asked.values() if action == "REPLACE"]
        return max(0, *(size - self.filled() for size in (self.terms[-1][0], *asked)))

    def is_done(self) -> bool:
        return (self.at_worst() if self.children is None else self.left()) == 0

    def is_acked(self) -> bool:
        return self.children is not None or any(word in PROOFS for word in self.heard)

    def is_doubtful(self) -> bool:
        """The venue went silent, and has said nothing since that tells what became of the order."""
        is_doubtful = is_acked = False
        for word in self.heard:
            if word == "UNKNOWN":
                is_doubtful = True
            elif word in PROOFS or (word == "REFUSED" and is_acked):
                is_doubtful = False
            is_acked = is_acked or word in PROOFS
        return is_doubtful

    def owes(self, request_id: str) -> bool:
        """The venue has not answered this request."""
        if request_id == self.order_id:
            return not self.is_acked()
        return request_id == "" or request_id in self.asked

    def status(self) -> str:
        ends = [word for word in self.heard if word in ENDS]
        if ends:
            return "FILLED" if ends[0] == "FULL" else ends[0]
        actions = {action for action, _size in self.asked.values()}
        if actions:
            return "PENDING_CANCEL" if "CANCEL" in actions else "PENDING_REPLACE"
        if self.is_doubtful():
            return "UNKNOWN"
        if self.filled():
            return "PARTIALLY_FILLED"
        return "NEW" if self.is_acked() else "PENDING_NEW"


@dataclass
class Shard:
    """All orders, and what people booked by hand."""

    orders: dict[str, Told] = field(default_factory=dict)
    retired: dict[str, Told] = field(default_factory=dict)
    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    """Every client's request id, and the order that it belongs to ("" for none)."""
    by_hand: list[tuple[str, int, int]] = field(default_factory=list)
    """Account, lots and cash."""
    scopes: dict[str, str] = field(default_factory=dict)

    def everything(self) -> list[Told]:
        return [*self.retired.values(), *self.orders.values()]

    def live(self) -> list[Told]:
        return [told for told in self.orders.values() if not told.is_over()]

    def at_venue(self) -> list[Told]:
        """Live orders that the venue knows."""
        return [told for told in self.live() if told.children is None]

    def working(self, account: str, side: str) -> int:
        mine = [o for o in self.orders.values() if (o.account, o.side) == (account, side)]
        return sum(told.at_worst() for told in mine)

    def traded(self, account: str) -> list[Told]:
        """A parent's fills are its children's: they are not counted twice."""
        return [o for o in self.everything() if o.account == account and o.children is None]

    def holding(self, account: str) -> int:
        booked = sum(qty for owner, qty, _cash in self.by_hand if owner == account)
        return booked + sum(told.sign * told.filled() for told in self.traded(account))

    def cash(self, account: str) -> int:
        booked = sum(cash for owner, _qty, cash in self.by_hand if owner == account)
        return booked + sum(told.sign * told.cash() for told in self.traded(account))

    def free(self, parent: Told) -> int:
        """Lots that no child of it has traded or may trade."""
        assert parent.children is not None
        return parent.left() - sum(child.at_worst() for child in parent.children)

    def settle(self, now_ns: int) -> None:
        """Ends what has nothing left, and parents that were waiting for their last child."""
        for told in self.live():
            if told.is_done():
                told.heard.append("FULL")
        for told in self.live():
            has_live = any(not child.is_over() for child in told.children or ())
            if told.children is not None and told.asked and not has_live:
                told.heard.append("CANCELED")
        for told in self.orders.values():
            if told.is_over() and not told.ended_ns:
                told.ended_ns = now_ns

    def retire(self, before_ns: int) -> None:
        """Orders that ended before this time leave memory."""
        for order_id, told in list(self.orders.items()):
            if told.is_over() and told.ended_ns < before_ns:
                self.retired[order_id] = self.orders.pop(order_id)

    def trading(self) -> str:
        """The strictest state of all scopes."""
        for state in ("HALTED", "REDUCING"):
            if state in self.scopes.values():
                return state
        return "ACTIVE"
