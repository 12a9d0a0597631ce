#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the stack, starts it, scales it, loses containers of it under load, stops it. Starts the
# engine for that if it can. EMBEDDED=1 runs the embedded ClickHouse in place of the server.
set -euo pipefail
cd "$(dirname "$0")/.."

engine=
is_ours=
compose() { docker compose -f docker-compose.yml ${EMBEDDED:+-f deploy/compose.embedded.yml} "$@"; }
cannot() { printf 'tradewind: %s\n' "$1" >&2; exit 3; }
stop() {
    [ -z "$is_ours" ] || compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    [ -z "$engine" ] || { kill "$engine"; wait "$engine" || true; }
}
trap stop EXIT

docker compose version >/dev/null 2>&1 || cannot "docker with compose, version 2, is needed for containers"
if ! docker info >/dev/null 2>&1; then
    command -v dockerd >/dev/null || cannot "no containers here: install an engine (dockerd)"
    mkdir -p .cache
    dockerd >.cache/dockerd.log 2>&1 &
    engine=$!
    for _ in $(seq 50); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
    docker info >/dev/null 2>&1 || cannot "the engine does not start here: see .cache/dockerd.log"
fi
[ -z "$(docker volume ls --quiet --filter label=com.docker.compose.project=tradewind)" ] ||
    cannot "a stack is here, and its orders would be forgotten: first docker compose down --volumes"

is_ours=1
[ -z "${EMBEDDED:-}" ] || export METRICS_EXPORTER=otlp LOGS_EXPORTER=otlp
bash deploy/secrets.sh
compose up --detach --build --wait
.venv/bin/pytest tests/integration/containers
compose up --detach --wait --no-recreate --scale oms=3 --scale gateway=3
.venv/bin/python -m tests.integration.containers.faults
