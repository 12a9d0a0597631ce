# SPDX-License-Identifier: Apache-2.0
"""HAProxy in front of the gateways, where it is installed: clients need one address.

It asks every gateway twenty times a second whether it is ready. One that is dead or hangs gets no
new connection, and the connections that it has are ended, so that clients come back at once.
"""

import shutil

from tradewind.cli.suite.facts import HOST, Facts

BINARY = "haproxy"


def binary() -> str | None:
    """Where HAProxy is; None if it is not installed."""
    return shutil.which(BINARY)


def render(facts: Facts) -> str:
    """The configuration. What changes something is never sent twice by the edge itself.

    A request that reached no gateway is tried at another one; a question also if the answer fails.
    """
    hosts = [url.removeprefix("http://") for url in facts.gateway_urls]
    return HTTP.format(
        bind=f"{HOST}:{facts.edge_port}",
        servers="\n".join(f"  server gateway-{number} {host}" for number, host in enumerate(hosts)),
    ) + (_fix(facts, hosts) if facts.edge_fix_port else "")


def _fix(facts: Facts, hosts: list[str]) -> str:
    """A gateway takes sessions if it is ready, which its HTTP port says."""
    servers = [
        f"  server gateway-{number} {HOST}:{fix_port} port {host.rpartition(':')[2]}"
        for number, (host, fix_port) in enumerate(zip(hosts, facts.gateway_fix_ports, strict=True))
    ]
    return FIX.format(bind=f"{HOST}:{facts.edge_fix_port}", servers="\n".join(servers))


HTTP = """\
global
  maxconn 4096

defaults
  mode http
  timeout connect 200ms
  timeout client 30s
  timeout client-fin 5s
  timeout server 2s
  timeout tunnel 1h
  timeout check 100ms
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response response-timeout

frontend clients
  bind {bind}
  default_backend gateways

backend gateways
  balance leastconn
  option httpchk GET /readyz
  http-request disable-l7-retry if !METH_GET
  http-request set-header X-Forwarded-For %[src]
  default-server check inter 50ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""
FIX = """
frontend fix
  mode tcp
  bind {bind}
  timeout client 3m
  default_backend fix_gateways

backend fix_gateways
  mode tcp
  balance leastconn
  timeout server 3m
  option httpchk GET /readyz
  default-server check inter 50ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""
