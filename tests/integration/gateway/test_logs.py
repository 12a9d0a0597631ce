# SPDX-License-Identifier: Apache-2.0
"""What a real OTLP receiver gets of a process's log."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator

import pytest

from tests.integration.gateway.otlp import receiver
from tradewind.common.logs import WAITING_MAX, LogSender
from tradewind.common.testing import eventually
from tradewind.telemetry.receiver import attributes

pytestmark = pytest.mark.anyio

TRACE, SPAN = "ab" * 16, "cd" * 8


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of its own, whose handlers are closed after the test."""
    logger = logging.getLogger("tradewind.tried")
    logger.setLevel(logging.INFO)
    yield logger
    for handler in list(logger.handlers):
        handler.close()
        logger.removeHandler(handler)


async def test_a_line_is_a_record_with_its_service_its_level_and_its_trace(
    log: logging.Logger,
) -> None:
    async with receiver() as (url, received):
        log.addHandler(LogSender(f"{url}/v1/logs", "gateway-1"))
        log.warning("%s is slow", "n2", extra={"traceparent": f"00-{TRACE}-{SPAN}-01"})
        try:
            raise ValueError("on purpose")
        except ValueError:
            log.exception("it broke")
        await eventually(lambda: len(received.logs) == 2, what="two records")
        (service, first), (_, second) = received.logs
        assert (service, first.severity_text, first.body.string_value) == (
            "tradewind-gateway",
            "WARNING",
            "n2 is slow",
        )
        assert (first.trace_id.hex(), first.span_id.hex()) == (TRACE, SPAN)
        assert attributes(first.attributes) == {"tradewind.logger": "tradewind.tried"}
        assert "ValueError: on purpose" in second.body.string_value
        assert second.trace_id == b""


async def test_whoever_logs_never_waits_for_a_receiver_and_too_much_is_dropped(
    log: logging.Logger,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = LogSender(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/logs", "oms-1")
        log.addHandler(sender)
        began_s = time.monotonic()
        for number in range(10 * WAITING_MAX):
            log.info("line %d", number)
        assert time.monotonic() - began_s < 2.0
        assert sender.lost >= 8 * WAITING_MAX
        began_s = time.monotonic()
        await asyncio.to_thread(sender.close)
        assert time.monotonic() - began_s < 2.0


async def test_a_receiver_that_comes_back_is_told_what_was_lost(log: logging.Logger) -> None:
    async with receiver() as (url, received):
        sender = LogSender(f"{url}/v1/logs", "oms-1")
        log.addHandler(sender)
        sender.lost = 7
        root = logging.getLogger("tradewind.common.logs")
        root.addHandler(sender)
        try:
            log.info("well again")
            await eventually(lambda: len(received.logs) == 2, what="the record and the loss")
        finally:
            root.removeHandler(sender)
        assert received.logs[1][1].body.string_value == "7 records of this log were not sent"
