# SPDX-License-Identifier: Apache-2.0
"""A client's request becomes a core command, or a refusal. Nothing here touches the world."""

from collections.abc import Callable

from tradewind.common.grid import GridError
from tradewind.core.commands import CancelOrder, ReplaceOrder, SubmitOrder
from tradewind.core.types import OrdType
from tradewind.gateway.auth import Key
from tradewind.gateway.errors import Refusal, refusal
from tradewind.gateway.instruments import Instruments
from tradewind.gateway.requests import Cancel, OrderRequest, Replace, Submit

ClientCommand = SubmitOrder | CancelOrder | ReplaceOrder


class Intake:
    """Turns requests into commands on the instrument's grid."""

    def __init__(
        self, instruments: Instruments, *, order_ttl_ms: int, now_ns: Callable[[], int]
    ) -> None:
        self._instruments = instruments
        self._order_ttl_ns = order_ttl_ms * 1_000_000
        self._now_ns = now_ns

    def command(self, key: Key, request: OrderRequest) -> ClientCommand | Refusal:
        """The command to journal, or why there is none."""
        refused = key.permits("trade", request.account)
        if refused is not None:
            return refused
        try:
            match request:
                case Submit():
                    return self._submit(key, request)
                case Replace():
                    return self._replace(key, request)
                case Cancel():
                    return CancelOrder(
                        account=request.account,
                        cl_ord_id=request.cl_ord_id,
                        orig_cl_ord_id=request.orig_cl_ord_id,
                        client=key.client,
                    )
        except GridError as error:
            return refusal(error.code, f"{error.text}.")

    def _submit(self, key: Key, request: Submit) -> SubmitOrder | Refusal:
        grid = self._instruments.grid(request.symbol)
        if grid is None:
            return refusal("UNKNOWN_INSTRUMENT")
        price = 0
        if request.ord_type is OrdType.LIMIT:
            if request.price is None:
                return refusal("PRICE_MISSING")
            price = grid.price_to_ticks(request.price)
        elif request.price is not None:
            return refusal("PRICE_NOT_ALLOWED")
        return SubmitOrder(
            account=request.account,
            cl_ord_id=request.cl_ord_id,
            symbol=request.symbol,
            side=request.side,
            ord_type=request.ord_type,
            time_in_force=request.time_in_force,
            order_qty=grid.qty_to_lots(request.order_qty),
            price=price,
            client=key.client,
            strategy=request.strategy,
            void_after_ns=self._void_after_ns(),
        )

    def _replace(self, key: Key, request: Replace) -> ReplaceOrder | Refusal:
        grid = self._instruments.grid_of_order(request.account, request.orig_cl_ord_id)
        if grid is None:
            return refusal("ORDER_NOT_KNOWN_HERE")
        return ReplaceOrder(
            account=request.account,
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id=request.orig_cl_ord_id,
            order_qty=grid.qty_to_lots(request.order_qty),
            price=grid.price_to_ticks(request.price),
            client=key.client,
            void_after_ns=self._void_after_ns(),
        )

    def _void_after_ns(self) -> int:
        """An entry stamped later is denied: who was told "unknown" becomes certain by waiting."""
        return self._now_ns() + self._order_ttl_ns
