# SPDX-License-Identifier: Apache-2.0
"""The standard's session-level test cases, over sockets: a stimulus, and what it is answered with.

FIX 4.4, volume 2, "Test cases"; the numbers are the standard's. `docs/fix.md` has the whole list,
with those that other tests show and those where this gateway does something else.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.simvenue.fix_client import wire
from tests.unit.gateway.conftest import NOW_NS, Harness, answer_all
from tradewind.fix.stamps import stamp

from .conftest import Client
from .test_orders import ORDER

pytestmark = pytest.mark.anyio

DOCUMENT = Path(__file__).parents[4] / "docs" / "fix.md"
NOW, LATER, EARLIER = (stamp(NOW_NS + s * 1_000_000_000) for s in (0, 1, -60))
GAP = (123, "Y")
AGAIN = ((43, "Y"), (122, NOW))
LOGOUT = {35: "5"}
Field = tuple[int | str, str]


def message(msg_type: str, *body: Field, seq: int = 2, **changes: str) -> bytes:
    """A message of the session that is logged on; `t52="x"` changes a field of its header."""
    head = {49: "k1", 56: "TRADEWIND", 34: str(seq), 52: NOW}
    head |= {int(tag.removeprefix("t")): value for tag, value in changes.items()}
    fields = [(35, msg_type), *((tag, value) for tag, value in head.items() if value), *body]
    return wire(fields)  # type: ignore[arg-type]


def order(*more: Field, without: int = 0, seq: int = 2, **changes: str) -> bytes:
    """A NewOrderSingle, without a tag or with others."""
    terms = [(tag, value) for tag, value in ORDER.items() if tag != without]
    return message("D", *more, *terms, seq=seq, **changes)


def reject(reason: int, tag: int | None = None) -> dict[int, str]:
    return {35: "3", 373: str(reason)} | ({371: str(tag)} if tag else {})


@dataclass(frozen=True)
class Case:
    """What is said, what is heard, and the number that is expected then; None: it has ended."""

    says: tuple[bytes, ...]
    hears: tuple[dict[int, str], ...]
    expects: int | None


TEST = message("1", (112, "there?"))
CASES = {
    "2a": Case((TEST,), ({35: "0", 112: "there?"},), 3),
    "2b": Case(
        (message("1", (112, "there?"), seq=5), message("4", *AGAIN, GAP, (36, "5"))),
        ({35: "2", 7: "2", 16: "0"}, {35: "0", 112: "there?"}),
        6,
    ),
    "2c": Case((message("0", seq=1),), (LOGOUT,), None),
    "2d": Case((TEST.replace(b"there?", b"where?"),), (), 2),
    "2e": Case((message("0", *AGAIN, seq=1),), (), 2),
    "2f": Case((order((43, "Y"), (122, LATER)),), (reject(10, 122),), 3),
    "2g": Case((order((43, "Y")),), (reject(1, 122),), 3),
    "2i": Case((TEST.replace(b"FIX.4.4", b"FIX.4.2"),), (), 2),
    "2k": Case((message("0", t49="k2"),), (reject(9), LOGOUT), None),
    "2m": Case((TEST.replace(b"\x019=", b"\x019=1"),), (), 2),
    "2o": Case((order(t52=EARLIER),), ({35: "8", 150: "8"},), 3),
    "2q": Case((message("zz"),), ({35: "j", 380: "3"},), 3),
    "2t": Case((TEST.replace(b"35=1\x0149=k1", b"49=k1\x0135=1"),), (), 2),
    "2u": Case((message("0", t34=""),), (LOGOUT,), None),
    "3b": Case((TEST[:-2] + b"x\x01",), (), 2),
    "5": Case((message("0"),), (), 3),
    "7": Case((message("3", (45, "1"), (58, "?")),), (), 3),
    "8": Case(
        (message("2", (7, "1"), (16, "0")),),
        ({35: "4", 34: "1", 36: "2", 43: "Y", 123: "Y"},),
        3,
    ),
    "10a": Case(
        (message("4", GAP, (36, "9"), seq=5), message("4", *AGAIN, GAP, (36, "5"))),
        ({35: "2", 7: "2"},),
        9,
    ),
    "10b": Case((message("4", GAP, (36, "5")),), (), 5),
    "10c": Case((message("4", *AGAIN, GAP, (36, "2"), seq=1),), (), 2),
    "10d": Case((message("4", GAP, (36, "5"), seq=1),), (LOGOUT,), None),
    "10e": Case((message("4", GAP, (36, "2")),), (reject(5, 36),), 3),
    "11a": Case((message("4", (36, "50"), seq=999),), (), 50),
    "11b": Case((message("4", (36, "2"), seq=999),), (), 2),
    "11c": Case((message("4", (36, "1"), seq=999),), (reject(5, 36),), 2),
    "13a": Case((message("5"),), (LOGOUT,), None),
    "14a": Case((message("0", ("5x", "1")),), (reject(0),), 3),
    "14b": Case((order(without=55),), (reject(1, 55),), 3),
    "14c": Case((message("0", (55, "BTC-USD")),), (), 3),
    "14d": Case((message("0", (58, "")),), (reject(4, 58),), 3),
    "14e": Case((order((126, NOW), without=54), order((54, "9"), without=54, seq=3)),
                (reject(1, 54), reject(5, 54)), 4),
    "14f": Case((order((126, "tomorrow")),), (reject(6, 126),), 3),
    "14g": Case((message("0", (58, "text"), (50, "desk")),), (), 3),
    "14h": Case((message("0", (58, "one"), (58, "two")),), (reject(13, 58),), 3),
    "20": Case(
        (message("2", (7, "1"), (16, "0"), seq=5), message("4", *AGAIN, GAP, (36, "5"))),
        ({35: "4", 34: "1", 36: "2"}, {35: "2", 7: "2"}),
        6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("number", CASES)
async def test_a_case_of_the_standard(harness: Harness, dial: Client, number: str) -> None:
    case = CASES[number]
    answer_all(harness)
    async with dial() as client:
        await client.put(b"".join(case.says))
        for expected in case.hears:
            heard = await client.hear()
            assert {tag: heard.get(tag) for tag in expected} == expected
        if case.expects is None:
            assert await client.until_closed() == []
        else:
            await client.say("1", (112, "the end"), seq=case.expects)
            assert (await client.hear()).get(112) == "the end"
    assert harness.bus.published == [], "no order of these is carried out"


async def test_another_encryption_than_none_is_refused(dial: Client) -> None:
    """Case 17."""
    async with dial(is_logged_on=False) as client:
        await client.put(message("A", (98, "1"), (108, "30"), (141, "Y"), (554, "s3cret"), seq=1))
        assert [told[35] for told in await client.until_closed()] == ["5"]


def test_the_document_lists_the_cases_that_are_shown_here() -> None:
    listed = re.findall(r"\b([0-9]+[a-u]?)\b", _column("here"))
    assert set(listed) == {*CASES, "17"}


def _column(name: str) -> str:
    """The text of the document's row of that name in its table of cases."""
    (found,) = re.findall(rf"^\| {name} \|(.*)\|$", DOCUMENT.read_text(), re.MULTILINE)
    return str(found)
