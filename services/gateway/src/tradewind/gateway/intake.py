# SPDX-License-Identifier: Apache-2.0
"""A client's request becomes a core command, or a refusal. Nothing here touches the world."""

from collections.abc import Callable

from tradewind.common.grid import Grid, GridError
from tradewind.core import scopes
from tradewind.core.commands import (
    CancelOrder,
    FlattenPosition,
    MassCancel,
    ReplaceOrder,
    RequestStatus,
    SubmitOrder,
)
from tradewind.core.terms import SHAPES
from tradewind.core.types import TimeInForce
from tradewind.gateway.auth import Key
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.requests import (
    Cancel,
    CancelAll,
    Flatten,
    OrderRequest,
    Replace,
    Status,
    Submit,
)

ClientCommand = (
    SubmitOrder | CancelOrder | ReplaceOrder | MassCancel | RequestStatus | FlattenPosition
)


class Intake:
    """Turns requests into commands on the instrument's grid."""

    def __init__(
        self,
        instruments: Instruments,
        *,
        order_ttl_ms: int,
        now_ns: Callable[[], int],
        is_stopped: Callable[[tuple[str, ...]], bool] = lambda _scopes: False,
    ) -> None:
        """`is_stopped` is asked for every request that makes risk, with the scopes it is in."""
        self._instruments = instruments
        self._order_ttl_ns = order_ttl_ms * 1_000_000
        self._now_ns = now_ns
        self._is_stopped = is_stopped

    def is_recent(self, sent_ns: int) -> bool:
        """Whether what a client sent then, by its own clock, may still make risk now."""
        return abs(self._now_ns() - sent_ns) <= self._order_ttl_ns

    def command(self, key: Key, request: OrderRequest) -> ClientCommand | Refusal:
        """The command to journal, or why there is none."""
        refused = key.permits("trade", request.account)
        if refused is not None:
            return refused
        if self._is_killed(key.client, request):
            return refusal("KILLED")
        try:
            return self._command(key.client, request)
        except GridError as error:
            return refusal(error.code, f"{error.text}.")

    def _command(self, client: str, request: OrderRequest) -> ClientCommand | Refusal:
        account, cl_ord_id = request.account, request.cl_ord_id
        match request:
            case Submit():
                return self._submit(client, request)
            case Replace():
                return self._replace(client, request)
            case Cancel():
                return CancelOrder(
                    account=account,
                    cl_ord_id=cl_ord_id,
                    orig_cl_ord_id=request.orig_cl_ord_id,
                    client=client,
                )
            case CancelAll():
                return MassCancel(
                    account=account,
                    cl_ord_id=cl_ord_id,
                    client=client,
                    symbol=request.symbol or "",
                    strategy=request.strategy or "",
                )
            case Status():
                return RequestStatus(account=account, cl_ord_id=cl_ord_id, client=client)
            case Flatten():
                return FlattenPosition(
                    account=account,
                    cl_ord_id=cl_ord_id,
                    symbol=request.symbol,
                    client=client,
                    strategy=request.strategy,
                    void_after_ns=self._void_after_ns(),
                    algorithm=request.algorithm,
                    build=request.build,
                )

    def _is_killed(self, client: str, request: OrderRequest) -> bool:
        """Of a replace only account and client are known here; the core knows all."""
        match request:
            case Submit() | Flatten():
                instrument = self._instruments.get(request.symbol)
                venue = instrument.venue if instrument is not None else ""
                covers = (
                    *scopes.of_position(request.account, request.symbol, venue),
                    *scopes.of_ledger(client, request.strategy),
                )
            case Replace():
                covers = (scopes.FIRM, f"account:{request.account}", f"client:{client}")
            case _:
                return False
        return self._is_stopped(covers)

    def _submit(self, client: str, request: Submit) -> SubmitOrder | Refusal:
        grid = self._instruments.grid(request.symbol)
        if grid is None:
            return refusal("UNKNOWN_INSTRUMENT")
        misshapen = _misshapen(request)
        if misshapen:
            return refusal(misshapen)
        return SubmitOrder(
            account=request.account,
            cl_ord_id=request.cl_ord_id,
            symbol=request.symbol,
            side=request.side,
            ord_type=request.ord_type,
            time_in_force=request.time_in_force,
            order_qty=grid.qty_to_lots(request.order_qty),
            price=_ticks(grid, request.price),
            client=client,
            strategy=request.strategy,
            void_after_ns=self._void_after_ns(),
            stop_px=_ticks(grid, request.stop_px),
            display_qty=_lots(grid, request.display_qty),
            is_post_only=request.is_post_only,
            expire_ns=request.expire_ns or 0,
            algorithm=request.algorithm,
            build=request.build,
            parent_cl_ord_id=request.parent_cl_ord_id or "",
            is_parent=request.is_parent,
        )

    def _replace(self, client: str, request: Replace) -> ReplaceOrder | Refusal:
        grid = self._instruments.grid_of_order(request.account, request.orig_cl_ord_id)
        if grid is None:
            return refusal("ORDER_NOT_KNOWN_HERE")
        return ReplaceOrder(
            account=request.account,
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id=request.orig_cl_ord_id,
            order_qty=grid.qty_to_lots(request.order_qty),
            price=_ticks(grid, request.price),
            client=client,
            void_after_ns=self._void_after_ns(),
            stop_px=_ticks(grid, request.stop_px),
        )

    def _void_after_ns(self) -> int:
        """An entry stamped later is denied: who was told "unknown" becomes certain by waiting."""
        return self._now_ns() + self._order_ttl_ns


def _misshapen(request: Submit) -> str:
    """The code of what the order lacks or has too much for its type, "" if nothing."""
    shape = SHAPES[request.ord_type]
    if shape.has_price != (request.price is not None):
        return "PRICE_MISSING" if shape.has_price else "PRICE_NOT_ALLOWED"
    if shape.has_stop != (request.stop_px is not None):
        return "STOP_PRICE_MISSING" if shape.has_stop else "STOP_PRICE_NOT_ALLOWED"
    is_dated = request.time_in_force is TimeInForce.GTD
    if is_dated != (request.expire_ns is not None):
        return "EXPIRE_TIME_MISSING" if is_dated else "EXPIRE_TIME_NOT_ALLOWED"
    return ""


def _ticks(grid: Grid, price: str | None) -> int:
    """A price on the grid; what an order does not have is 0."""
    return 0 if price is None else grid.price_to_ticks(price)


def _lots(grid: Grid, qty: str | None) -> int:
    return 0 if qty is None else grid.qty_to_lots(qty)
