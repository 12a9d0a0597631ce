# SPDX-License-Identifier: Apache-2.0
"""Composition root of risk."""

from dataclasses import replace

from tradewind.common import alerts, streams, subjects
from tradewind.common.jetstream import Bus, KeyValue, stream_tail
from tradewind.common.lifecycle import Stop, serve_until
from tradewind.common.status import BUCKET as STATUS
from tradewind.common.status import Heartbeat
from tradewind.risk.alerts import Alerts
from tradewind.risk.reconcile.peers import Peers
from tradewind.risk.reconcile.watch import Watch
from tradewind.risk.service import PATIENCE_MS, Risk
from tradewind.risk.settings import Settings


async def serve(settings: Settings, stop: Stop) -> None:
    """Watches over all shards until `stop`."""
    service = settings.service
    bus = await Bus.connect(service.bus, name=service.instance)
    try:
        await streams.verify(bus, service.shards)
        raised = Alerts(
            KeyValue(bus, alerts.BUCKET),
            owner=settings.alert_owner,
            escalates_to=settings.alert_escalates_to,
        )
        tails = {shard: await _tail(bus, shard) for shard in range(service.shards)}
        await raised.begin(tails)
        peers = Peers(KeyValue(bus, STATUS), service.instance)
        watch = _watch(settings, tails, peers)
        risk = Risk(bus, settings, raised, watch)
        await risk.load_instruments()
        await risk.serve()
        heartbeat = Heartbeat(bus, service, "risk")
        await serve_until(
            stop,
            *(risk.follow(shard) for shard in range(service.shards)),
            risk.halt_breaches(),
            risk.balance.run(),
            raised.run(),
            raised.follow(),
            raised.escalate(),
            *(
                (watch.listen(), watch.act(risk.journal, raised.put), peers.follow())
                if watch
                else ()
            ),
            heartbeat.run(stop, risk.facts),
            bus.failed(),
        )
    finally:
        await bus.close()


def _watch(settings: Settings, tails: dict[int, int], peers: Peers) -> Watch | None:
    """None, if the venue has no drop copy. Of several processes one acts first."""
    if settings.drop_copy is None:
        return None
    patience = settings.drop_copy.patience.later(settings.rank * PATIENCE_MS)
    told = replace(settings.drop_copy, patience=patience)
    return Watch(told, settings.venue, tails, peers, owner=settings.alert_owner)


async def _tail(bus: Bus, shard: int) -> int:
    return (await stream_tail(bus, subjects.events_stream(shard)))[1]
