# SPDX-License-Identifier: Apache-2.0
"""Drop copies: a key that reads is told of every order in its accounts, and can trade nothing."""

import pytest

from tests.unit.gateway.conftest import Harness

from .conftest import RESET, Client
from .test_orders import order
from .test_resends import happens
from .test_sessions import refused

pytestmark = pytest.mark.anyio


async def test_a_drop_copy_has_the_orders_of_all_clients(harness: Harness, dial: Client) -> None:
    async with dial("watch") as client:
        happens(harness, "one's", client="tester")
        happens(harness, "another's", client="else")
        told = [await client.hear() for _ in range(2)]
    assert [(each[11], each[448], each[452]) for each in told] == [
        ("one's", "tester", "3"),
        ("another's", "else", "3"),
    ]
    assert [each[797] for each in told] == ["Y", "Y"]


async def test_a_drop_copy_cannot_trade(harness: Harness, dial: Client) -> None:
    async with dial("watch") as client:
        await order(client)
        told = await client.hear()
        assert (told[35], told[150]) == ("8", "8")
        assert told[58].startswith("SCOPE_MISSING")
    assert harness.bus.published == []


async def test_a_drop_copy_can_ask_for_all_working_orders(harness: Harness, dial: Client) -> None:
    async with dial("watch") as client:
        await client.say("AF", (584, "q"), (585, "7"))
        told = await client.hear()
        assert (told[35], told[380]) == ("j", "4"), "without replicas nobody knows them"


async def test_a_drop_copy_cannot_ask_for_cancels_on_disconnect(dial: Client) -> None:
    async with dial("watch", is_logged_on=False) as client:
        await client.log_on(RESET, (5001, "Y"), key="s3cret")
        assert await refused(client) == "INVALID_FIELD"


async def test_an_order_entry_session_says_nothing_of_copies(
    harness: Harness, dial: Client
) -> None:
    async with dial() as client:
        happens(harness, "mine")
        told = await client.hear()
        assert (told.get(797), told.get(448)) == (None, None)
