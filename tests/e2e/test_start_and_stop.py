# SPDX-License-Identifier: Apache-2.0
"""`up` and `down`: what they leave behind, and what they say when they cannot."""

import os
import signal
import socket

import pytest

from tests.e2e.terminal import STOP_TIMEOUT_S, Terminal, can_listen, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_ctrl_c_leaves_no_process_and_frees_every_port(terminal: Terminal) -> None:
    terminal.up("--demo")
    ports = terminal.ports()
    assert len(set(ports)) == len(ports)
    assert terminal.ctrl_c() == 0
    assert terminal.left() == {}
    assert [port for port in ports if not can_listen(port)] == []


def test_down_ends_a_suite_that_another_terminal_started(terminal: Terminal) -> None:
    terminal.up()
    result = terminal.run("down")
    assert result.returncode == 0, result.stderr
    assert terminal.exit_code() == 0
    assert terminal.left() == {}


def test_down_ends_a_suite_whose_terminal_was_killed(terminal: Terminal) -> None:
    terminal.up()
    terminal.kill_up()
    assert terminal.run("down").returncode == 0
    assert terminal.left() == {}


def test_down_ends_what_a_killed_orchestrator_left(terminal: Terminal) -> None:
    terminal.up()
    terminal.kill_up()
    os.kill(terminal.table()["orchestrator_pid"], signal.SIGKILL)
    result = terminal.run("down")
    assert result.returncode == 0, result.stderr
    assert terminal.left() == {}


def test_a_second_up_names_the_first_and_what_to_do(terminal: Terminal) -> None:
    terminal.up()
    pids = terminal.pids()
    second = terminal.run("up")
    assert second.returncode == 3
    assert "ALREADY_RUNNING" in second.stderr
    for hint in ("tradewind status", "tradewind down"):
        assert hint in second.stderr
    assert terminal.pids() == pids, "the first goes on undisturbed"


@pytest.mark.parametrize("option", ["--gateway-port", "--console-port"])
def test_a_taken_port_is_named_with_the_option_that_chooses_another(
    terminal: Terminal, option: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = terminal.run("up", option, str(port))
    assert result.returncode == 3
    assert "PORT_TAKEN" in result.stderr
    assert str(port) in result.stderr
    assert option in result.stderr
    assert terminal.left() == {}


def test_a_node_that_cannot_start_ends_the_start_with_its_log(terminal: Terminal) -> None:
    terminal.up()
    assert terminal.ctrl_c() == 0
    store = terminal.folder / "nats" / "n2" / "jetstream"
    store.rename(store.with_name("elsewhere"))
    store.write_text("not a folder")
    result = terminal.run("up", "--gateway-port", "0", "--console-port", "0")
    assert result.returncode == 3
    assert "nats-n2" in result.stderr
    assert str(terminal.folder / "logs" / "nats-n2.log") in result.stderr
    assert terminal.left() == {}


def test_without_a_suite_commands_say_how_to_start_one(terminal: Terminal) -> None:
    for command in (["status"], ["positions"], ["order", "list"], ["verify"]):
        result = terminal.run(*command, "--json")
        assert (result.returncode, result.stdout) == (3, "")
        assert "tradewind up" in result.stderr


def test_a_wrong_option_is_a_usage_error(terminal: Terminal) -> None:
    assert terminal.run("status", "--nonsense").returncode == 2


def test_a_stop_in_the_middle_of_the_start_leaves_nothing(terminal: Terminal) -> None:
    terminal.start_up()
    wait_for(lambda: terminal.table().get("processes"), STOP_TIMEOUT_S, terminal.said)
    wait_for(lambda: terminal.pids().get("init"), STOP_TIMEOUT_S, terminal.said)
    terminal.ctrl_c()
    assert terminal.left() == {}
