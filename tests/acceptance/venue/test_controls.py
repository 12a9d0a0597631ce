# SPDX-License-Identifier: Apache-2.0
"""Adapters that are wrong on purpose: the cases they are for do not pass them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from itertools import count

import pytest

from tests.acceptance.venue import test_orders as orders
from tests.acceptance.venue import test_recovery as recovery
from tests.acceptance.venue.conftest import Shared
from tests.acceptance.venue.requests import cancel
from tests.acceptance.venue.rig import PROTOCOLS, Rig
from tradewind.core.commands import ApplyVenueReport
from tradewind.core.events import VenueRequest
from tradewind.core.types import ExecType, VenueAction
from tradewind.venue.adapter import FromVenue, VenueAdapter, VenueDialer

pytestmark = pytest.mark.anyio

SOON_S = 1.0
Case = Callable[[Rig], Awaitable[None]]


class Right:
    """An adapter as it should be; those below change one thing."""

    def __init__(self, adapter: VenueAdapter) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> object:
        return getattr(self._adapter, name)

    async def send(self, request: VenueRequest) -> None:
        await self._adapter.send(request)

    async def reports(self) -> AsyncIterator[FromVenue]:
        async for said in self._adapter.reports():
            told = self.tell(said) if isinstance(said, ApplyVenueReport) else said
            if told is not None:
                yield told

    def tell(self, report: ApplyVenueReport) -> ApplyVenueReport | None:
        return report


class LosesFills(Right):
    """Of what came while nobody was there, it forgets a fill."""

    def tell(self, report: ApplyVenueReport) -> ApplyVenueReport | None:
        return None if report.last_qty == 2 else report


class NamesAnew(Right):
    """An execution has another id each time that it is told."""

    numbers = count()

    def tell(self, report: ApplyVenueReport) -> ApplyVenueReport | None:
        return replace(report, exec_id=f"{report.exec_id}-{next(self.numbers)}")


class UsesFloats(Right):
    """Quantities go through a float."""

    async def send(self, request: VenueRequest) -> None:
        await self._adapter.send(replace(request, order_qty=int(float(request.order_qty))))


class FakesReplaces(Right):
    """A replace is a cancel and a new order."""

    async def send(self, request: VenueRequest) -> None:
        if request.action is VenueAction.REPLACE:
            await self._adapter.send(cancel(request, f"{request.request_id}-x"))
            request = replace(request, action=VenueAction.NEW)
        await self._adapter.send(request)

    def tell(self, report: ApplyVenueReport) -> ApplyVenueReport | None:
        is_fake = report.exec_type is ExecType.CANCELED
        kind = ExecType.REPLACED if is_fake else report.exec_type
        return replace(report, exec_type=kind, request_id=report.request_id.removesuffix("-x"))


class IgnoresTerms(Right):
    """What it does not know, it leaves out."""

    async def send(self, request: VenueRequest) -> None:
        await self._adapter.send(replace(request, is_post_only=False))


class WrongDialer:
    """Makes wrong adapters."""

    def __init__(self, dialer: VenueDialer, wrong: type[Right]) -> None:
        self._dialer = dialer
        self._wrong = wrong

    async def dial(self, shard: int) -> VenueAdapter:
        return self._wrong(await self._dialer.dial(shard))  # type: ignore[return-value]


class WrongRig(Rig):
    """A rig with wrong adapters in it."""

    wrong: type[Right]

    def dialer(self, **more: str) -> VenueDialer:
        return WrongDialer(super().dialer(**more), self.wrong)


WRONG: list[tuple[type[Right], Case]] = [
    (LosesFills, recovery.test_a25_after_a_reconnect_no_report_is_missing_and_none_is_another),
    (NamesAnew, recovery.test_a24_asking_tells_all_of_an_ended_order_again),
    (UsesFloats, orders.test_a14_quantities_and_prices_are_converted_exactly),
    (FakesReplaces, orders.test_a09_less_quantity_keeps_the_order_and_its_id),
    (FakesReplaces, orders.test_a10_another_price_is_given_natively_or_refused_never_faked),
    (IgnoresTerms, orders.test_a11_an_order_that_the_venue_refuses_is_rejected_with_its_reason),
    (IgnoresTerms, orders.test_a13_terms_reach_the_venue_unchanged_or_are_refused),
]


@pytest.mark.parametrize(("wrong", "case"), [(Right, case) for _wrong, case in WRONG] + WRONG)
async def test_a_wrong_adapter_is_caught(shared: Shared, wrong: type[Right], case: Case) -> None:
    venue, folder, http = shared
    rig = WrongRig(PROTOCOLS["sim"], venue, folder, http)
    rig.wrong = wrong
    rig.deadline_s = SOON_S
    try:
        if wrong is Right:
            await case(rig)
        else:
            with pytest.raises((AssertionError, ValueError)):
                await case(rig)
    finally:
        await rig.clear()
