# SPDX-License-Identifier: Apache-2.0
"""A client of Tradewind's gateway.

with Client(["http://localhost:8080"], Credentials("trader", secret)) as client:
    answer = client.submit(Order(account="DEMO", symbol="BTC-USD", side="BUY", order_qty="1",
                                 ord_type="LIMIT", price="50000", strategy="carry"))
"""

from tradewind_client.async_client import AsyncClient
from tradewind_client.errors import GatewayError, Unreachable
from tradewind_client.requests import Order, new_cl_ord_id
from tradewind_client.retries import Retries
from tradewind_client.signing import Credentials
from tradewind_client.sync_client import Client
from tradewind_client.types import Answer, Page, Report, ReportMessage

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "Credentials",
    "GatewayError",
    "Order",
    "Page",
    "Report",
    "ReportMessage",
    "Retries",
    "Unreachable",
    "new_cl_ord_id",
]
