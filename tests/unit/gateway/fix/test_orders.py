# SPDX-License-Identifier: Apache-2.0
"""Order entry: what becomes of each message, with a core that the test plays."""

from itertools import product
from typing import Any

import pytest

from tests.integration.simvenue.fix_client import AT, FixClient
from tests.unit.gateway.conftest import NOW_NS, SHARDS, Harness, answer_all, report_for
from tradewind.common import subjects
from tradewind.common.testing import eventually
from tradewind.core.commands import (
    CancelOrder,
    MassCancel,
    ReplaceOrder,
    RequestStatus,
    SubmitOrder,
)
from tradewind.core.events import MassCancelReport
from tradewind.core.types import ExecType, OrdStatus, Reason
from tradewind.fix.stamps import stamp
from tradewind.gateway import views
from tradewind.gateway.fix import words

from .conftest import Client

pytestmark = pytest.mark.anyio

ORDER = {
    1: "DEMO",
    11: "c-1",
    55: "BTC-USD",
    54: "1",
    60: AT,
    38: "0.5",
    40: "2",
    44: "100.01",
    59: "1",
    5005: "s1",
}
SIDE = ((55, "BTC-USD"), (54, "1"), (60, AT))


async def order(client: FixClient, **changes: str) -> None:
    """A NewOrderSingle; a change to "" leaves the field out."""
    fields = ORDER | {int(tag.removeprefix("t")): value for tag, value in changes.items()}
    await client.say("D", *((tag, value) for tag, value in fields.items() if value))


async def test_an_order_is_journaled_as_from_any_other_side(harness: Harness, dial: Client) -> None:
    answer_all(harness)
    async with dial() as client:
        await order(client)
        report = await client.hear()
    (published,) = harness.bus.published
    command = published.command
    assert isinstance(command, SubmitOrder)
    assert (command.cl_ord_id, command.order_qty, command.price) == ("c-1", 50_000_000, 10_001)
    assert (command.client, command.strategy) == ("tester", "s1")
    assert (report[35], report[150], report[39]) == ("8", "A", "A")
    assert (report[11], report[37], report[17]) == ("c-1", "seg-0-1", f"{published.shard}-0-1")
    assert (report[38], report[44], report[151], report[14]) == ("0.5", "100.01", "0.5", "0")
    assert (report[1], report[5005], report[34]) == ("DEMO", "s1", "2")


async def test_the_only_account_of_a_key_need_not_be_named(harness: Harness, dial: Client) -> None:
    answer_all(harness)
    async with dial() as client:
        await order(client, t1="")
        assert (await client.hear())[1] == "DEMO"


async def test_a_fill_is_told_with_what_it_traded(harness: Harness, dial: Client) -> None:
    async with dial() as client:
        await order(client)
        await eventually(lambda: harness.bus.published)
        (published,) = harness.bus.published
        fill = report_for(
            published.command,
            exec_type=ExecType.TRADE,
            ord_status=OrdStatus.PARTIALLY_FILLED,
            last_qty=20_000_000,
            last_px=10_000,
            cum_qty=20_000_000,
            leaves_qty=30_000_000,
            cum_notional=200_000_000_000,
            venue_exec_id="V7",
            fee_e8=12_000_000,
            fee_currency="USD",
        )
        harness.output(published.shard, 7, fill)
        told = await client.hear()
    assert (told[150], told[39], told[32], told[31]) == ("F", "1", "0.2", "100")
    assert (told[14], told[151], told[6], told[527]) == ("0.2", "0.3", "100", "V7")
    assert (told[12], told[13], told[479]) == ("0.12", "3", "USD")


async def test_other_clients_orders_are_not_told(harness: Harness, dial: Client) -> None:
    async with dial() as client:
        await order(client)
        await eventually(lambda: harness.bus.published)
        (published,) = harness.bus.published
        harness.output(published.shard, 7, report_for(published.command, client="somebody"))
        harness.output(published.shard, 8, report_for(published.command, exec_id="8"))
        assert (await client.hear())[17].endswith("-8")


@pytest.mark.parametrize(
    ("change", "reason", "code"),
    [
        ({"t55": "NO-SUCH"}, "1", "UNKNOWN_INSTRUMENT"),
        ({"t44": "100.001"}, "99", "OFF_GRID"),
        ({"t38": "-1"}, "99", "NOT_POSITIVE"),
        ({"t1": "ALPHA"}, "15", "ACCOUNT_NOT_ALLOWED"),
        ({"t5005": ""}, "99", "MISSING_FIELD"),
        ({"t44": ""}, "99", "PRICE_MISSING"),
        ({"t59": "6"}, "99", "EXPIRE_TIME_MISSING"),
        ({"t11": "c" * 37}, "99", "INVALID_FIELD"),
    ],
)
async def test_what_the_gateway_refuses_is_rejected_with_its_code(
    harness: Harness, dial: Client, change: dict[str, str], reason: str, code: str
) -> None:
    async with dial() as client:
        await order(client, **change)
        told = await client.hear()
    assert (told[35], told[150], told[39], told[103]) == ("8", "8", "8", reason)
    assert told[58].startswith(f"{code}: ")
    assert harness.bus.published == []


async def test_what_the_core_denies_is_rejected_with_its_reason(
    harness: Harness, dial: Client
) -> None:
    denied: dict[str, Any] = {"exec_type": ExecType.DENIED, "ord_status": OrdStatus.DENIED}
    answer_all(harness, **denied, reason=Reason.MAX_NOTIONAL, text="no")
    async with dial() as client:
        await order(client)
        told = await client.hear()
    assert (told[150], told[39], told[103], told[58]) == ("8", "8", "3", "MAX_NOTIONAL: no")


async def test_a_repeated_order_is_told_as_it_stands(harness: Harness, dial: Client) -> None:
    repeated: dict[str, Any] = {"exec_type": ExecType.DENIED, "ord_status": OrdStatus.NEW}
    answer_all(harness, **repeated, reason=Reason.DUPLICATE_CL_ORD_ID)
    async with dial() as client:
        await order(client, t43="Y", t122=stamp(NOW_NS))
        told = await client.hear()
    assert (told[150], told[39], told[58]) == ("I", "0", "DUPLICATE_CL_ORD_ID")


@pytest.mark.parametrize(
    ("change", "tag", "reason"),
    [
        ({"t11": ""}, "11", "1"),
        ({"t60": ""}, "60", "1"),
        ({"t54": "9"}, "54", "5"),
        ({"t40": "P"}, "40", "5"),
        ({"t59": "6", "t126": "tomorrow"}, "126", "6"),
    ],
)
async def test_what_breaks_the_standard_is_rejected_by_its_tag(
    dial: Client, change: dict[str, str], tag: str, reason: str
) -> None:
    async with dial() as client:
        await order(client, **change)
        told = await client.hear()
    assert (told[35], told[371], told[372], told[373], told[45]) == ("3", tag, "D", reason, "2")


async def test_a_journal_that_is_away_rejects_no_order(harness: Harness, dial: Client) -> None:
    harness.bus.is_connected = False
    async with dial() as client:
        await order(client)
        told = await client.hear()
    assert (told[35], told[380], told[372], told[379]) == ("j", "4", "D", "c-1")
    assert told[58].startswith("JOURNAL_UNAVAILABLE: ")


async def test_an_unknown_outcome_is_said_to_be_unknown(harness: Harness, dial: Client) -> None:
    harness.bus.acks_at_once = False
    async with dial() as client:
        await order(client)
        await eventually(lambda: harness.bus.published)
        harness.bus.published[0].acked.cancel()
        told = await client.hear()
    assert (told[35], told[380], told[379]) == ("j", "0", "c-1")
    assert told[58].startswith("OUTCOME_UNKNOWN: ")


async def test_who_asks_too_fast_is_told_so_and_then_sent_away(
    harness: Harness, dial: Client
) -> None:
    async with dial("slow") as client:
        for number in range(8):
            await order(client, t11=f"c-{number}")
        told = await client.until_closed()
    said = [message[58].partition(":")[0] for message in told if 58 in message]
    assert said == ["RATE_LIMITED"] * 4
    assert [message[35] for message in told] == ["j", "j", "j", "5"]
    assert len(harness.bus.published) == 2


async def test_cancels_and_replaces_name_the_order_by_its_last_id(
    harness: Harness, dial: Client
) -> None:
    harness.instruments.remember("DEMO", "c-1", "BTC-USD")
    async with dial() as client:
        await client.say("F", (11, "x-1"), (41, "c-1"), *SIDE)
        await client.say("G", (11, "r-1"), (41, "c-1"), *SIDE, (38, "0.2"), (40, "2"), (44, "99"))
        await eventually(lambda: len(harness.bus.published) == 2)
    cancel, replace = (published.command for published in harness.bus.published)
    assert isinstance(cancel, CancelOrder)
    assert isinstance(replace, ReplaceOrder)
    assert (cancel.cl_ord_id, cancel.orig_cl_ord_id) == ("x-1", "c-1")
    assert (replace.order_qty, replace.price) == (20_000_000, 9_900)


async def test_a_refused_cancel_is_an_order_cancel_reject(harness: Harness, dial: Client) -> None:
    late: dict[str, Any] = {"exec_type": ExecType.CANCEL_REJECTED, "ord_status": OrdStatus.FILLED}
    answer_all(harness, **late, reason=Reason.ORDER_IS_FINAL)
    async with dial() as client:
        await client.say("F", (11, "x-1"), (41, "c-1"), *SIDE)
        told = await client.hear()
    assert (told[35], told[434], told[102], told[39]) == ("9", "1", "0", "2")
    assert (told[11], told[41], told[58]) == ("x-1", "c-1", "ORDER_IS_FINAL")


async def test_a_replace_of_an_order_never_seen_here_asks_for_it_first(
    harness: Harness, dial: Client
) -> None:
    async with dial() as client:
        terms = ((38, "0.2"), (40, "2"), (44, "99"))
        await client.say("G", (11, "r-1"), (41, "c-1"), *SIDE, *terms)
        told = await client.hear()
        assert (told[35], told[380]) == ("j", "4")
        assert told[58].startswith("QUERY_TIMEOUT: ")
        shard = subjects.shard_of("DEMO", SHARDS)
        answer = {"ok": True, "order": None, "denied": "", "is_retired": False}
        harness.bus.answers[subjects.query_oms(shard, "order")] = answer
        await client.say("G", (11, "r-2"), (41, "c-1"), *SIDE, *terms)
        told = await client.hear()
        assert (told[35], told[434], told[102]) == ("9", "2", "1")
        assert told[58].startswith("UNKNOWN_ORDER: ")


async def test_a_status_is_told_to_who_asked(harness: Harness, dial: Client) -> None:
    async with dial() as client:
        await client.say("H", (11, "c-1"), (55, "BTC-USD"), (54, "1"), (790, "q-1"))
        await eventually(lambda: harness.bus.published)
        (published,) = harness.bus.published
        assert isinstance(published.command, RequestStatus)
        cancel = CancelOrder(account="DEMO", cl_ord_id="c-1", orig_cl_ord_id="", client="tester")
        state: dict[str, Any] = {
            "exec_type": ExecType.ORDER_STATUS,
            "ord_status": OrdStatus.NEW,
            "order_qty": 50_000_000,
            "leaves_qty": 50_000_000,
            "price": 10_001,
        }
        harness.output(published.shard, 1, report_for(cancel, **state))
        told = await client.hear()
        assert (told[150], told[39], told[790], told[38]) == ("I", "0", "q-1", "0.5")
        await client.say("1", (112, "only one"))
        assert (await client.hear())[112] == "only one"


@pytest.mark.parametrize("asked", [((530, "7"),), ((530, "1"), (55, "BTC-USD"))])
async def test_a_mass_cancel_says_how_many_orders_it_is_about(
    harness: Harness, dial: Client, asked: tuple[tuple[int, str], ...]
) -> None:
    async with dial() as client:
        await client.say("q", (11, "m-1"), *asked, (60, AT))
        await eventually(lambda: harness.bus.published)
        (published,) = harness.bus.published
        assert isinstance(published.command, MassCancel)
        assert published.command.symbol == dict(asked).get(55, "")
        told: dict[str, Any] = {
            "account": "DEMO",
            "cl_ord_id": "m-1",
            "exec_id": "0-1",
            "symbol": "",
            "strategy": "",
            "client": "tester",
            "transact_time_ns": 1,
        }
        for count, reason in ((3, Reason.NONE), (0, Reason.DUPLICATE_CL_ORD_ID)):
            report = MassCancelReport(**told, order_count=count, reason=reason)
            harness.output(published.shard, len(harness.bus.published), report)
            heard = await client.hear()
            is_taken = reason is Reason.NONE
            assert (heard[35], heard[11], heard[533]) == ("r", "m-1", str(count))
            assert heard[531] == (asked[0][1] if is_taken else "0")
            assert heard.get(58, "") == reason
            if is_taken:
                await client.say("q", (11, "m-1"), *asked, (60, AT))
                await eventually(lambda: len(harness.bus.published) == 2)


async def test_a_mass_cancel_that_is_not_taken_says_why(harness: Harness, dial: Client) -> None:
    async with dial() as client:
        for fields, tag in (
            ([(530, "3")], "530"),
            ([(530, "1")], "55"),
            ([(530, "7"), (55, "BTC-USD")], "55"),
        ):
            await client.say("q", (11, "m-1"), *fields, (60, AT))
            heard = await client.hear()
            assert (heard[35], heard[371]) == ("3", tag)
        await client.say("q", (11, "m-1"), (1, "OTHER"), (530, "7"), (60, AT))
        heard = await client.hear()
        assert (heard[35], heard[531], heard[532], heard[533]) == ("r", "0", "99", "0")
        assert heard[58].startswith("ACCOUNT_NOT_ALLOWED: ")
        assert not harness.bus.published


async def test_no_working_orders_are_told_as_none(harness: Harness, dial: Client) -> None:
    for shard in range(SHARDS):
        harness.bus.answers[subjects.query_oms(shard, "orders")] = {"ok": True, "orders": []}
    async with dial() as client:
        await client.say("AF", (584, "m-1"), (585, "7"))
        told = await client.hear()
        assert (told[150], told[584], told[911], told[912]) == ("I", "m-1", "0", "Y")
        await client.say("AF", (584, "m-2"), (585, "1"))
        assert (await client.hear())[371] == "585"


async def test_other_messages_are_not_supported(dial: Client) -> None:
    async with dial() as client:
        await client.say("V", (262, "md"))
        told = await client.hear()
    assert (told[35], told[380], told[372], told[45]) == ("j", "3", "V", "2")


async def test_there_is_a_word_for_everything_that_happens(harness: Harness) -> None:
    command = CancelOrder(account="DEMO", cl_ord_id="c", orig_cl_ord_id="", client="tester")
    for exec_type, ord_status, symbol in product(ExecType, OrdStatus, ("BTC-USD", "GONE")):
        happened: dict[str, Any] = {"exec_type": exec_type, "ord_status": ord_status}
        report = report_for(command, **happened, symbol=symbol, text="a\x01b")
        _msg_type, body = words.report(views.of_report(report, harness.instruments.grid(symbol)), 0)
        assert all(value and "\x01" not in value for _tag, value in body)
        assert len({tag for tag, _value in body}) == len(body)
