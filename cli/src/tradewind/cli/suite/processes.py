# SPDX-License-Identifier: Apache-2.0
"""The processes of a suite, in starting order: the orchestrator's plan."""

import sys
from collections import Counter
from itertools import zip_longest
from pathlib import Path

import msgspec

from tradewind.cli.suite import edge
from tradewind.cli.suite.facts import (
    HOST,
    STRATEGY_KEY,
    WEBHOOK_SECRET,
    Facts,
    Options,
    Place,
    Protocol,
)
from tradewind.common import permissions, subjects
from tradewind.common.server_config import server_binary
from tradewind.orchestrator.plan import Plan, ProcessSpec, Ready, Stage

VENUE = "SIM"
VENUE_COMP_ID = "SIMVENUE"
DROP_COPY_KEY = "drop-copy"
CONNECTORS = 2
RECORDING_FOLDER = ".tradewind-data"
DEMO_ACCOUNT = "DEMO"
TAKEOVER_MS = 500
"""Those who can take over the work of one that died have the machine to themselves for so long:
that is longer than any takeover may take."""
PATIENT = {"console": 10, "telemetry": 19, "notifier": 10, "cli.demo_strategy": 10}
"""No order waits for these: on a machine that is full they give way to the others, so far.
Telemetry takes what is left, and catches up.
"""


def plan_of(facts: Facts, options: Options) -> Plan:
    """All processes of the suite."""
    stages = [
        Stage(name="bus", processes=_nodes(facts, options)),
        Stage(name="streams", processes=[_init_job(facts)]),
        Stage(
            name="core", processes=[_simvenue(facts, options), _warehouse(facts), *_replicas(facts)]
        ),
        Stage(
            name="services",
            processes=[
                *_gateways(facts),
                *_edge(facts),
                *_connectors(facts, options),
                _marketdata(facts),
                *_risks(facts, options),
                *_archivers(facts),
                _console(facts),
                *_telemetry(facts, options),
                *_notifier(facts, options),
            ],
        ),
    ]
    if options.is_demo:
        stages.append(Stage(name="demo", processes=[_strategy(facts)]))
    _let_peers_take_over(stages)
    _have_patience(stages)
    for service, module in options.instead.items():
        _run_instead(stages, f"tradewind.{service}", module)
    return Plan(stages=stages)


def _run_instead(stages: list[Stage], module: str, other: list[str]) -> None:
    for stage in stages:
        for place, spec in enumerate(stage.processes):
            if spec.argv[1:] == ["-m", module]:
                argv = [*spec.argv[:2], *other]
                stage.processes[place] = msgspec.structs.replace(spec, argv=argv)


def _have_patience(stages: list[Stage]) -> None:
    for stage in stages:
        for place, spec in enumerate(stage.processes):
            niceness = PATIENT.get(spec.argv[-1].removeprefix("tradewind."), 0)
            stage.processes[place] = msgspec.structs.replace(spec, niceness=niceness)


def _let_peers_take_over(stages: list[Stage]) -> None:
    for stage in stages:
        count = Counter(tuple(spec.argv) for spec in stage.processes)
        for place, spec in enumerate(stage.processes):
            if spec.argv[0] == sys.executable and count[tuple(spec.argv)] > 1:
                stage.processes[place] = msgspec.structs.replace(spec, takeover_ms=TAKEOVER_MS)


def service_env(facts: Facts, user: str, instance: str) -> dict[str, str]:
    """What every service on the bus is told."""
    return {
        "TRADEWIND_NATS_URLS": ",".join(facts.urls),
        "TRADEWIND_NATS_USER": user,
        "TRADEWIND_NATS_PASSWORD_FILE": str(facts.secrets_dir / user),
        "TRADEWIND_INSTANCE": instance,
        "TRADEWIND_SHARDS": str(facts.shards),
        "TRADEWIND_STATE_DIR": str(facts.folder / "state" / instance),
    }


def recording_folder() -> Path:
    """Where `make install` puts the recording: beside the environment that runs this."""
    return Path(sys.prefix).parent / RECORDING_FOLDER


def _service(facts: Facts, service: str, instance: str, **extra: str) -> ProcessSpec:
    (facts.folder / "state" / instance).mkdir(parents=True, exist_ok=True)
    return ProcessSpec(
        name=instance,
        argv=[sys.executable, "-m", f"tradewind.{service}"],
        env=service_env(facts, service, instance)
        | {f"TRADEWIND_{name}": value for name, value in extra.items()},
        ready=Ready.STATUS,
        ready_key=subjects.status_key(service, instance),
    )


def _without_bus(spec: ProcessSpec) -> ProcessSpec:
    """A process that has nothing to do with the bus is not told its secrets."""
    outside = {name: value for name, value in spec.env.items() if "NATS" not in name}
    return ProcessSpec(name=spec.name, argv=spec.argv, env=outside)


def _http(spec: ProcessSpec, port: int, *, ready: str = "/readyz") -> ProcessSpec:
    return ProcessSpec(
        name=spec.name,
        argv=spec.argv,
        env=spec.env | {"TRADEWIND_HTTP_HOST": HOST, "TRADEWIND_HTTP_PORT": str(port)},
        ready=Ready.HTTP,
        ready_url=f"http://{HOST}:{port}{ready}",
    )


def _nodes(facts: Facts, options: Options) -> list[ProcessSpec]:
    return [_node(facts, place, number) for number, place in enumerate(options.places, start=1)]


def _node(facts: Facts, place: Place, number: int) -> ProcessSpec:
    config = facts.folder / "nats" / f"n{number}.conf"
    monitor = facts.nodes[number - 1]["monitor"]
    return ProcessSpec(
        name=f"nats-n{number}",
        argv=[*place.prefix, str(server_binary()), "-c", str(config)],
        ready=Ready.HTTP,
        ready_url=f"http://{place.host}:{monitor}/healthz?js-server-only=true",
        ready_timeout_ms=15_000,
        grace_ms=10_000,
    )


def _init_job(facts: Facts) -> ProcessSpec:
    return ProcessSpec(
        name="init",
        argv=[sys.executable, "-m", "tradewind.common.init_job"],
        env=service_env(facts, "admin", "init")
        | {permissions.SYSTEM_PASSWORD_FILE: str(facts.secrets_dir / permissions.SYSTEM_USER)},
        ready=Ready.EXIT,
        ready_timeout_ms=60_000,
    )


def _simvenue(facts: Facts, options: Options) -> ProcessSpec:
    folder = options.flow_dir or recording_folder()
    spec = _service(
        facts,
        "simvenue",
        "simvenue",
        FLOW=options.flow,
        FLOW_DIR=str(folder),
        FLOW_SPEED=str(options.flow_speed),
        VENUE_KEY=facts.secret("venue-session"),
        DROP_COPY_KEY_FILE=str(facts.secrets_dir / DROP_COPY_KEY),
        FIX_PORT=str(facts.fix_port),
    )
    return _http(_without_bus(spec), facts.venue_port)


def _replicas(facts: Facts) -> list[ProcessSpec]:
    return [
        _service(facts, "oms", f"oms-{shard}-{rank}", SHARD=str(shard), RANK=str(rank))
        for shard in range(facts.shards)
        for rank in range(facts.replicas)
    ]


def _gateways(facts: Facts) -> list[ProcessSpec]:
    keys = str(facts.secrets_dir / "gateway-keys.json")
    ports = [facts.gateway_port, *facts.more_gateway_ports]
    told = {"KEYS_FILE": keys, "TRUSTED_PROXIES": HOST if facts.edge_port else ""}
    return [
        _http(
            _service(facts, "gateway", f"gateway-{number}", FIX_PORT=str(fix_port), **told),
            port,
        )
        for number, (port, fix_port) in enumerate(
            zip_longest(ports, facts.gateway_fix_ports, fillvalue=0)
        )
    ]


def _edge(facts: Facts) -> list[ProcessSpec]:
    """Nothing, if HAProxy is not installed."""
    program = edge.binary()
    if not facts.edge_port or program is None:
        return []
    return [
        ProcessSpec(
            name="edge",
            argv=[program, "-db", "-f", str(facts.edge_config)],
            ready=Ready.HTTP,
            ready_url=f"{facts.gateway_url}/readyz",
        )
    ]


def _connectors(facts: Facts, options: Options) -> list[ProcessSpec]:
    """One holds the session with the venue, the other stands by."""
    return [_connector(facts, options, f"venue-sim-{number}") for number in range(CONNECTORS)]


def _connector(facts: Facts, options: Options, name: str) -> ProcessSpec:
    spec = _service(
        facts,
        "venue",
        name,
        VENUE=VENUE,
        VENUE_KEY=facts.secret("venue-session"),
        **_protocol(facts),
        **options.connector,
    )
    return ProcessSpec(
        name=spec.name,
        argv=spec.argv,
        env=spec.env,
        ready=spec.ready,
        ready_key=spec.ready_key,
        ready_roles=["connected", "standby"],
    )


def _protocol(facts: Facts) -> dict[str, str]:
    """How connectors reach the venue."""
    if facts.protocol is Protocol.SIM:
        return {"VENUE_URL": f"ws://{HOST}:{facts.venue_port}"}
    url = f"fix://{HOST}:{facts.fix_port}"
    return {"VENUE_ADAPTER": "fix", "VENUE_URL": url, "VENUE_PEER": VENUE_COMP_ID}


def _marketdata(facts: Facts) -> ProcessSpec:
    feed = f"ws://{HOST}:{facts.venue_port}/feed"
    return _service(facts, "marketdata", "marketdata-0", VENUE=VENUE, FEED_URL=feed)


def _risks(facts: Facts, options: Options) -> list[ProcessSpec]:
    return [
        _service(
            facts,
            "risk",
            f"risk-{rank}",
            VENUE=VENUE,
            RANK=str(rank),
            DROP_COPY_URL=f"fix://{HOST}:{facts.fix_port}",
            DROP_COPY_PEER=VENUE_COMP_ID,
            DROP_COPY_KEY_FILE=str(facts.secrets_dir / DROP_COPY_KEY),
        )
        for rank in range(options.risks)
    ]


def _warehouse(facts: Facts) -> ProcessSpec:
    password = str(facts.secrets_dir / "warehouse")
    spec = _service(facts, "warehouse", "warehouse", WAREHOUSE_PASSWORD_FILE=password)
    return _http(_without_bus(spec), facts.warehouse_port, ready="/ping")


def _archivers(facts: Facts) -> list[ProcessSpec]:
    """One writes, the other is ready to."""
    dsn = facts.warehouse_url.replace("://", "://default@") + "/default"
    password = str(facts.secrets_dir / "warehouse")
    return [
        _http(
            _service(
                facts,
                "archiver",
                f"archiver-{number}",
                CLICKHOUSE_DSN=dsn,
                CLICKHOUSE_PASSWORD_FILE=password,
            ),
            port,
        )
        for number, port in enumerate(facts.archive_ports)
    ]


def _console(facts: Facts) -> ProcessSpec:
    return _http(_service(facts, "console", "console-0", VENUE=VENUE), facts.console_port)


def _telemetry(facts: Facts, options: Options) -> list[ProcessSpec]:
    if not options.otlp_endpoint:
        return []
    spec = _service(facts, "telemetry", "telemetry-0")
    spec.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = options.otlp_endpoint
    return [spec]


def _notifier(facts: Facts, options: Options) -> list[ProcessSpec]:
    if not options.webhook_url:
        return []
    signed_with = str(facts.secrets_dir / WEBHOOK_SECRET)
    told = {"WEBHOOK_URL": options.webhook_url, "WEBHOOK_SECRET_FILE": signed_with}
    return [_service(facts, "notifier", "notifier-0", **told)]


def _strategy(facts: Facts) -> ProcessSpec:
    return ProcessSpec(
        name="demo-strategy",
        argv=[sys.executable, "-m", "tradewind.cli.demo_strategy"],
        env={
            "TRADEWIND_GATEWAY_URL": facts.gateway_url,
            "TRADEWIND_KEY_ID": STRATEGY_KEY,
            "TRADEWIND_KEY_SECRET_FILE": str(facts.secrets_dir / f"key.{STRATEGY_KEY}"),
            "TRADEWIND_ACCOUNT": DEMO_ACCOUNT,
            "TRADEWIND_FEED_URL": f"ws://{HOST}:{facts.venue_port}/feed",
        },
    )
