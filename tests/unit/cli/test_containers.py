# SPDX-License-Identifier: Apache-2.0
"""What `docker inspect` says of a stack becomes the facts of a suite."""

import json
from pathlib import Path
from typing import Any

import pytest

from tradewind.cli.suite.containers import Container, facts_of, read_containers
from tradewind.cli.suite.facts import SuiteError
from tradewind.cli.suite.stack import SECRETS, StackOptions, overlay

SERVICES = ("nats-1", "nats-2", "nats-3", "oms", "gateway", "archiver", "simvenue", "clickhouse")


def inspected(service: str, number: int = 1, **state: Any) -> dict[str, Any]:
    """One container as the engine tells it, as far as it matters."""
    return {
        "Id": f"id-of-{service}-{number}",
        "Name": f"/own-{service}-{number}",
        "State": {"Status": "running", "Pid": 4711, "ExitCode": 0, "Paused": False, **state},
        "Config": {
            "Labels": {
                "com.docker.compose.project": "own",
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": str(number),
            },
            "Env": ["TRADEWIND_SHARDS=1", "PATH=/bin"],
        },
        "NetworkSettings": {
            "Networks": {"own_default": {"IPAddress": f"10.0.{len(service)}.{number}"}},
            "Ports": {"9999/tcp": None},
        },
    }


def stack(*more: dict[str, Any]) -> dict[str, Container]:
    """A stack with one container of most services."""
    edge = inspected("edge")
    edge["NetworkSettings"]["Ports"] = {
        "8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40001"}],
        "9878/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40002"}],
    }
    told = [edge, *map(inspected, SERVICES), *more]
    return read_containers(json.dumps(told).encode())


def test_clients_connect_at_the_port_that_the_edge_has_here() -> None:
    facts = facts_of(stack(), Path("/run"))
    assert facts.gateway_url == "http://127.0.0.1:40001"
    assert facts.gateway_fix_addresses == ["127.0.0.1:40002"]


def test_all_others_are_at_their_own_addresses() -> None:
    facts = facts_of(stack(inspected("oms", 2), inspected("archiver", 2)), Path("/run"))
    assert facts.urls == ("nats://10.0.6.1:4222",) * 3
    assert facts.venue_url == "http://10.0.8.1:8070"
    assert facts.warehouse_url == "http://10.0.10.1:8123"
    assert facts.archive_urls == ["http://10.0.8.1:8090", "http://10.0.8.2:8090"]
    assert (facts.shards, facts.replicas, facts.nonce) == (1, 2, "own")


def test_a_member_has_the_name_that_its_heartbeat_has() -> None:
    assert [*stack(inspected("oms", 2))][-2:] == ["oms-2", "simvenue-1"]
    assert "nats-1" in stack()


def test_a_stack_that_lacks_a_part_is_said_not_to_run() -> None:
    lacking = {name: each for name, each in stack().items() if name != "simvenue-1"}
    with pytest.raises(SuiteError, match="no container of simvenue") as refused:
        facts_of(lacking, Path("/run"))
    assert refused.value.code == "NOT_RUNNING"


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ({}, "ready"),
        ({"Health": {"Status": "healthy"}}, "ready"),
        ({"Health": {"Status": "starting"}}, "starting"),
        ({"Health": {"Status": "unhealthy"}}, "starting"),
        ({"Status": "paused", "Health": {"Status": "healthy"}}, "starting"),
        ({"Status": "exited", "ExitCode": 137}, "starting"),
        ({"Status": "exited"}, "done"),
    ],
)
def test_a_container_is_ready_when_the_engine_calls_it_well(
    state: dict[str, Any], phase: str
) -> None:
    assert stack(inspected("risk", 1, **state))["risk-1"].phase == phase


def test_a_stack_of_its_own_has_its_own_secrets_and_runs_what_it_was_told() -> None:
    files = {"nats-1": str(SECRETS / "nats-1.conf"), "optional": "/dev/null"}
    plain = {"secrets": {name: {"file": file} for name, file in files.items()}}
    options = StackOptions(
        replicas={"oms": 3, "venue": 2},
        instead={"oms": ["tradewind.other", "name"]},
        environment={"venue": {"TRADEWIND_X": "1"}},
    )
    found = overlay(plain, Path("/own"), options)
    assert found["secrets"] == {"nats-1": {"file": "/own/nats-1.conf"}}
    assert found["services"]["oms"]["command"] == ["oms", "tradewind.other", "name"]
    assert found["services"]["venue"]["environment"] == {"TRADEWIND_X": "1"}
    assert found["services"].keys() == {"oms", "venue"}
