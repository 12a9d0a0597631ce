# SPDX-License-Identifier: Apache-2.0
"""What a suite is told before it starts."""

from pathlib import Path

import pytest

from tradewind.cli.suite import edge
from tradewind.cli.suite.facts import Options
from tradewind.cli.suite.prepare import prepare
from tradewind.cli.suite.processes import plan_of
from tradewind.common.errors import SettingsError
from tradewind.notifier.settings import Settings
from tradewind.orchestrator.plan import ProcessSpec


@pytest.mark.parametrize("gateways", [1, 2, 3])
@pytest.mark.parametrize("program", [None, "/usr/sbin/haproxy"])
def test_every_port_is_another_and_kept_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gateways: int, program: str | None
) -> None:
    monkeypatch.setattr(edge, "binary", lambda: program)
    facts = prepare(tmp_path, Options(gateways=gateways))
    ports = [
        *(port for node in facts.nodes for port in node.values()),
        *(facts.gateway_port, facts.console_port, facts.venue_port, facts.fix_port),
        *(facts.warehouse_port, *facts.archive_ports),
        *(*facts.more_gateway_ports, *facts.gateway_fix_ports),
    ]
    has_edge = gateways > 1 and program is not None
    ports += [facts.edge_port, facts.edge_fix_port] if has_edge else []
    assert len(ports) == len(set(ports))
    assert all(ports)
    assert prepare(tmp_path, Options(gateways=gateways)) == facts


def test_the_edge_has_one_address_for_each_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "binary", lambda: "haproxy")
    facts = prepare(tmp_path, Options(gateways=2))
    text = facts.edge_config.read_text()
    assert facts.gateway_url == f"http://127.0.0.1:{facts.edge_port}"
    assert facts.gateway_fix_addresses == [f"127.0.0.1:{facts.edge_fix_port}"]
    http, _, fix = text.partition("frontend fix")
    assert f"bind 127.0.0.1:{facts.edge_port}" in http
    assert f"bind 127.0.0.1:{facts.edge_fix_port}" in fix
    for number, port in enumerate(facts.gateway_fix_ports):
        http_port = facts.gateway_urls[number].rpartition(":")[2]
        assert f"server gateway-{number} 127.0.0.1:{port} port {http_port}" in fix


def test_people_are_told_of_alerts_only_if_there_is_an_address(tmp_path: Path) -> None:
    facts = prepare(tmp_path, Options())

    def notifiers(options: Options) -> list[ProcessSpec]:
        return [spec for spec in plan_of(facts, options).processes() if "notifier" in spec.name]

    assert notifiers(Options()) == []
    url = "https://chat.example/hook"
    (spec,) = notifiers(Options(webhook_url=url))
    settings = Settings.from_env(spec.env)
    assert (settings.url, settings.secret) == (url, facts.secret("webhook"))
    assert url not in repr(settings)
    assert settings.secret not in repr(settings)


def test_an_address_is_needed_and_something_to_sign_with(tmp_path: Path) -> None:
    facts = prepare(tmp_path, Options())
    (spec,) = [
        spec
        for spec in plan_of(facts, Options(webhook_url="chat.example")).processes()
        if spec.name == "notifier-0"
    ]
    with pytest.raises(SettingsError, match="is no address"):
        Settings.from_env(spec.env)
    env = spec.env | {"TRADEWIND_WEBHOOK_URL": "https://chat.example"}
    (facts.secrets_dir / "webhook").write_text("")
    with pytest.raises(SettingsError, match="names an empty file"):
        Settings.from_env(env)
