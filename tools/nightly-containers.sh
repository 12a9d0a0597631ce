#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the stack, starts it, scales it, loses containers of it under load, stops it; then a chaos run
# with a stack of its own. Starts the engine for that if it can. EMBEDDED=1 runs the embedded ClickHouse
# in place of the server.
set -euo pipefail
cd "$(dirname "$0")/.."

source tools/engine.sh
is_ours=
compose() { docker compose -f docker-compose.yml ${EMBEDDED:+-f deploy/compose.embedded.yml} "$@"; }
stop() {
    [ -z "$is_ours" ] || compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    stop_engine
}
trap stop EXIT

docker compose version >/dev/null 2>&1 || cannot "docker with compose, version 2, is needed for containers"
start_engine
[ -z "$(docker volume ls --quiet --filter label=com.docker.compose.project=tradewind)" ] ||
    cannot "a stack is here, and its orders would be forgotten: first docker compose down --volumes"

is_ours=1
[ -z "${EMBEDDED:-}" ] || export METRICS_EXPORTER=otlp LOGS_EXPORTER=otlp
bash deploy/secrets.sh
compose up --detach --build --wait
.venv/bin/pytest tests/integration/containers
compose up --detach --wait --no-recreate --scale oms=3 --scale gateway=3
.venv/bin/python -m tests.integration.containers.faults
compose down --volumes --timeout 5
.venv/bin/pytest tests/integration/containers/test_chaos.py
