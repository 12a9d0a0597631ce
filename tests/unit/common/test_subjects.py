# SPDX-License-Identifier: Apache-2.0
"""Subjects: one place for every message, and shards that never move."""

from typing import Any

import pytest

from tests.golden.make import bodies, journal
from tradewind.common import subjects
from tradewind.common.codec import decode_command
from tradewind.core.commands import COMMANDS, Entry
from tradewind.core.machine import StateMachine


@pytest.mark.parametrize(
    ("account", "shard"), [("DEMO", 0), ("ALPHA", 0), ("BETA", 1), ("BENCH3", 1), ("BENCH4", 0)]
)
def test_an_accounts_shard_is_the_same_for_ever(account: str, shard: int) -> None:
    assert subjects.shard_of(account, 2) == shard
    assert subjects.shard_of(account, 1) == 0


def test_every_golden_command_and_what_follows_has_a_subject_within_its_stream() -> None:
    machine = StateMachine()
    kinds = set()
    for line in journal("life").read_text(encoding="utf-8").splitlines():
        seq, ts_ns, body = bodies(line)
        command = decode_command(body)
        kinds.add(type(command).__name__)
        subject = subjects.journal_subject(3, command)
        assert within(subject, subjects.journal_all(3))
        for event in machine.step(Entry(seq=seq, ts_ns=ts_ns, command=command)):
            assert within(subjects.events_subject(3, event), subjects.events_all(3))
    assert kinds == set(COMMANDS)


def within(subject: str, pattern: str) -> bool:
    """A well-formed subject of four tokens under a `>` pattern."""
    return subject.startswith(pattern[:-1]) and all(subject.split(".")) and subject.count(".") == 3


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (subjects.journal_client(0, "DEMO"), "journal.0.cmd.DEMO"),
        (subjects.journal_venue(1, "SIM"), "journal.1.venue.SIM"),
        (subjects.journal_control(1, "SetLimits"), "journal.1.control.SetLimits"),
        (subjects.live("journal.0.>"), "live.journal.0.>"),
        (subjects.market_data("SIM", "BTC-USD", "quote"), "md.SIM.BTC-USD.quote"),
        (subjects.query_oms(0, "state"), "query.oms.0.state"),
        (subjects.journal_stream(0), "JOURNAL_0"),
        (subjects.events_stream(1), "EVENTS_1"),
        (subjects.status_key("oms", "oms-0-a"), "oms.oms-0-a"),
    ],
)
def test_names_are_these(subject: str, text: str) -> None:
    assert subject == text


def test_an_order_id_names_its_shard() -> None:
    assert subjects.shard_of_order("k3f9x2-7-1234") == 7


@pytest.mark.parametrize("order_id", ["", "abc", "a-b-c", "a-1", "a-1-2-3"])
def test_another_id_names_none(order_id: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the caller only needs to know that it is none
        subjects.shard_of_order(order_id)
