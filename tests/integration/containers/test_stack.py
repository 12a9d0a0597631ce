# SPDX-License-Identifier: Apache-2.0
"""The stack in containers loses a container: clients that retry safely get every answer."""

import pytest

from tests.integration.containers.faults import FIX_PORT, URL, operator, play
from tests.integration.containers.fix_load import FixSession
from tests.integration.containers.load import Socket, rest

pytestmark = [
    pytest.mark.usefixtures("running_stack"),
    pytest.mark.anyio,
    pytest.mark.chaos,
    pytest.mark.slow,
]


async def test_orders_are_answered_over_rest_websocket_and_fix() -> None:
    key = operator()
    for seen in (
        await rest(URL, key, 20.0, 2.0),
        await Socket(URL, key).run(20.0, 2.0),
        await FixSession(FIX_PORT, key).run(20.0, 2.0),
    ):
        assert (len(seen.answered_s), seen.errors, seen.denied) == (40, 0, 0)


@pytest.mark.parametrize(
    ("fault", "silence_s"),
    [
        ("kill:gateway-1", 2.0),
        ("pause:gateway-2", 2.0),
        ("kill:oms-1", 3.0),
        ("pause:oms-2", 3.0),
        ("kill:archiver-1", 2.0),
        ("kill:nats-1-1", 15.0),
    ],
)
async def test_a_lost_container_costs_no_client_an_answer(fault: str, silence_s: float) -> None:
    for kind, seen in (await play(fault)).items():
        assert seen.errors == 0, f"{kind}: {seen.line()}"
        assert seen.longest_silence_s < silence_s, f"{kind}: {seen.line()}"


async def test_the_client_would_notice_an_edge_that_is_lost() -> None:
    for seen in (await play("kill:edge-1", during_s=3.0)).values():
        assert seen.longest_silence_s > 2.0
