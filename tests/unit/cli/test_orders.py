# SPDX-License-Identifier: Apache-2.0
"""What the commands ask the gateway for, and how they end."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from tradewind.cli import operators, orders
from tradewind.cli.main import app

ACCEPTED = {"outcome": "accepted", "shard": 0, "seq": 1, "cl_ord_id": "c-1"}


class FakeGateway:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answer: dict[str, Any] = dict(ACCEPTED)

    async def __aenter__(self) -> "FakeGateway":
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        async def call(*given: Any) -> dict[str, Any]:
            self.asked.append((name, given))
            return self.answer

        return call


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    fake = FakeGateway()
    for module in (orders, operators):
        monkeypatch.setattr(module, "client_of", lambda *_words: fake)
    return fake


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


def asked(gateway: FakeGateway) -> Any:
    """The only request made."""
    ((_name, given),) = gateway.asked
    return given[-1]


def test_an_order_has_the_terms_that_were_given(gateway: FakeGateway) -> None:
    words = "order submit --account DEMO --side buy --qty 1 --type stop_limit --price 9 --stop 10"
    more = "--tif gtd --expire 1970-01-01T00:00:01.000001Z --display 0.5 --post-only --id c-1"
    code, _output = run(*words.split(), *more.split(), "--parent", "p", "--algorithm", "twap")
    assert code == 0
    order = asked(gateway)
    assert (order["ord_type"], order["stop_px"], order["price"]) == ("STOP_LIMIT", "10", "9")
    assert (order["time_in_force"], order["expire_ns"]) == ("GTD", 1_000_001_000)
    assert (order["display_qty"], order["is_post_only"]) == ("0.5", True)
    assert (order["parent_cl_ord_id"], order["algorithm"], order["build"]) == ("p", "twap", "NONE")


@pytest.mark.parametrize("text", ["tomorrow", "2026-03-02T16:30:00"])
def test_an_expiry_without_a_zone_is_a_usage_error(gateway: FakeGateway, text: str) -> None:
    words = "order submit --account DEMO --side buy --qty 1 --price 1 --tif GTD --expire"
    code, output = run(*words.split(), text)
    assert code == 2
    assert "2026-03-02T16:30:00Z" in output
    assert gateway.asked == []


def test_a_refusal_is_exit_code_1_and_its_reason_is_shown(gateway: FakeGateway) -> None:
    report = {"ord_status": "DENIED", "reason": "UNKNOWN_ORDER", "cum_qty": None}
    gateway.answer = ACCEPTED | {"outcome": "denied", "report": report}
    code, output = run("order", "status", "c-1", "--account", "DEMO")
    assert (code, gateway.asked) == (1, [("ask_status", ("DEMO", "c-1"))])
    assert "UNKNOWN_ORDER" in output


def test_a_mass_cancel_is_of_one_account_or_of_all(gateway: FakeGateway) -> None:
    report = {"order_count": 7, "reason": ""}
    rows = [{"shard": shard, "outcome": "accepted", "report": report} for shard in (0, 1)]
    gateway.answer = {"outcome": "accepted", "shards": rows}
    code, output = run("order", "mass-cancel", "--all", "--strategy", "s1", "--id", "m-1")
    request = {"cl_ord_id": "m-1", "symbol": None, "strategy": "s1"}
    assert (code, gateway.asked) == (0, [("operate", ("mass-cancel", request))])
    assert output.count("7 orders are asked to end") == 2
    assert run("order", "mass-cancel")[0] == 2
    assert run("order", "mass-cancel", "--all", "--account", "DEMO")[0] == 2


def test_json_is_one_object(gateway: FakeGateway) -> None:
    code, output = run("order", "flatten", "--account", "DEMO", "--json")
    assert (code, json.loads(output)) == (0, ACCEPTED)


def test_operators_open_sessions_roll_days_and_define_instruments(gateway: FakeGateway) -> None:
    assert run("venue", "session", "open", "--date", "2026-03-02")[0] == 0
    assert run("venue", "roll-day", "--date", "2026-03-03")[0] == 0
    words = "instruments add ETH-USD --tick-size 0.01 --lot-size 0.001"
    assert run(*words.split())[0] == 0
    assert run("instruments", "remove", "ETH-USD")[0] == 0
    said = [(name, given[0]) for name, given in gateway.asked]
    assert said == [
        ("operate", "trading-session"),
        ("operate", "roll-day"),
        ("operate", "instruments"),
        ("remove_instrument", "ETH-USD"),
    ]
    session = gateway.asked[0][1][1]
    assert session == {"venue": "SIM", "status": "OPEN", "trading_date": "2026-03-02"}
    assert gateway.asked[1][1][1]["retire_before_ns"] > 0


def test_a_position_is_adjusted_with_a_reason(gateway: FakeGateway) -> None:
    words = "position adjust --account DEMO --qty -2 --price 5 --reason give-up --id a-1"
    assert run(*words.split())[0] == 0
    assert asked(gateway)["qty"] == "-2"
    assert asked(gateway)["reason"] == "give-up"
    assert run("position", "reset", "--account", "DEMO")[0] == 2


def test_a_scope_that_is_killed_is_not_said_to_be_open(gateway: FakeGateway) -> None:
    refused = {"shard": 0, "seq": 1, "outcome": "denied", "report": {"reason": "KILLED"}}
    gateway.answer = {"outcome": "denied", "shards": [refused]}
    code, output = run("resume", "--scope", "firm")
    assert code == 1
    assert "KILLED" in output
    gateway.answer = dict(ACCEPTED)
    assert run("resume", "--scope", "firm")[0] == 0


def test_the_kill_switch_and_limits_are_said_with_the_key_that_was_named(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []

    def noted(_home: object, _name: str, key: str = "") -> FakeGateway:
        keys.append(key)
        return gateway

    monkeypatch.setattr(orders, "client_of", noted)
    assert run("risk", "kill", "firm", "--reason", "drill", "--id", "k-1")[0] == 0
    clear = "risk clear firm --id k-1 --root-cause I-1 --by supervisor"
    assert run(*clear.split())[0] == 0
    bounds = "max_gross=1000 max_messages=5 allows_gtc=no approved_build=b1"
    assert run("limits", "set-scope", "account:*", *bounds.split(), "--version", "2")[0] == 0
    assert run("limits", "approve", "SetScopeLimits account:*", "--version", "2")[0] == 0
    skip = "shard skip 7 --shard 1 --reason unreadable"
    assert run(*skip.split())[0] == 0
    assert run(*skip.split(), "--by", "supervisor")[0] == 0
    assert run(*skip.split(), "--second-actor", "kim")[0] == 2
    assert keys == ["operator", "supervisor", "", "supervisor", "operator", "supervisor"]
    assert [given for _name, given in gateway.asked] == [
        ("kill", {"scope": "firm", "kill_id": "k-1", "reason": "drill"}),
        ("clear-kill", {"scope": "firm", "kill_id": "k-1", "root_cause": "I-1"}),
        (
            "scope-limits",
            {
                "scope": "account:*",
                "version": 2,
                "max_gross": "1000",
                "max_messages": 5,
                "allows_gtc": False,
                "approved_build": "b1",
            },
        ),
        ("approve-limits", {"subject": "SetScopeLimits account:*", "version": 2}),
        *[("skip-entry", {"shard": 1, "seq": 7, "reason": "unreadable"})] * 2,
    ]
    assert run("limits", "set-scope", "firm", "max_gross", "--version", "2")[0] == 2


def test_a_table_shows_names_whole_and_words_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alert = {"alert_id": "denied-0-DEMO-TRADING_HALTED", "text": "by ann: [/b] and [red]" * 5}
    orders.print_table([alert], ("alert_id", "scope", "text"), "")
    shown = capsys.readouterr().out
    assert "denied-0-DEMO-TRADING_HALTED " in shown
    assert "[/b]" in shown
    assert "\u2026" not in shown
