# SPDX-License-Identifier: Apache-2.0
"""Alerts as people see them, and take them (C36)."""

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tradewind.common import alerts
from tradewind.common.errors import BusError, Refused
from tradewind.common.jetstream import KeyValue
from tradewind.gateway import risk_requests
from tradewind.gateway.calls import decoded, json_response
from tradewind.gateway.entries import OperatorEntries
from tradewind.gateway.errors import RefusedRequest, refusal
from tradewind.gateway.pages import flag_of

TRIES = 5

_acknowledgement = msgspec.json.Decoder(risk_requests.AcknowledgeBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCalls:
    """The endpoints under /v1/admin/alerts."""

    entries: OperatorEntries
    bucket: KeyValue

    async def list_alerts(self, request: Request) -> Response:
        """GET /v1/admin/alerts?open_only=."""
        await self.entries.signed(request)
        is_open_only = flag_of(request.query_params, "open_only")
        try:
            found = [alerts.decode(entry) for entry in await self.bucket.entries(alerts.ALL)]
        except BusError as error:
            raise RefusedRequest(refusal("QUERY_TIMEOUT")) from error
        shown = [alert for alert in found if alert.is_open or not is_open_only]
        shown.sort(key=lambda alert: alert.raised_ns, reverse=True)
        return json_response(200, {"alerts": [msgspec.structs.asdict(alert) for alert in shown]})

    async def acknowledge(self, request: Request) -> Response:
        """POST /v1/admin/alerts/acknowledge: the first who takes an alert has it."""
        key, body = await self.entries.signed(request)
        wanted = decoded(body, _acknowledgement)
        for _ in range(TRIES):
            try:
                taken = await self._take(wanted, key.client)
            except Refused:
                continue  # it was handed on, or taken, a moment ago
            except BusError as error:
                raise RefusedRequest(refusal("OUTCOME_UNKNOWN")) from error
            return json_response(200, {"alert": msgspec.structs.asdict(taken)})
        raise RefusedRequest(refusal("QUERY_TIMEOUT"))

    async def _take(self, wanted: risk_requests.AcknowledgeBody, client: str) -> alerts.Alert:
        entry = await self.bucket.get(alerts.key_of(wanted.alert_id))
        if entry is None:
            raise RefusedRequest(refusal("UNKNOWN_ALERT"))
        alert = alerts.decode(entry)
        if not alert.is_open:
            return alert
        taken = msgspec.structs.replace(alert, acknowledged_by=client, note=wanted.note)
        await self.bucket.update(entry.key, alerts.encode(taken), entry.revision)
        return taken
