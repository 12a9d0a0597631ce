#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the stack, starts it, scales it, loses containers of it under load, stops it. Starts the
# engine for that if it can. EMBEDDED=1 runs the embedded ClickHouse in place of the server.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'tradewind: %s\n' "$1" >&2; }
compose() { docker compose -f docker-compose.yml ${EMBEDDED:+-f deploy/compose.embedded.yml} "$@"; }

engine=
if ! docker info >/dev/null 2>&1; then
    command -v dockerd >/dev/null || { say "no containers here: install an engine (docker) to run this"; exit 3; }
    dockerd >.cache/dockerd.log 2>&1 &
    engine=$!
    for _ in $(seq 50); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
    docker info >/dev/null 2>&1 || { say "the engine does not start here: see .cache/dockerd.log"; exit 3; }
fi
stop() {
    compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    [ -z "$engine" ] || { kill "$engine"; wait "$engine" || true; }
}
trap stop EXIT
docker compose version >/dev/null 2>&1 || { say "docker compose (version 2) is needed"; exit 3; }

bash deploy/secrets.sh
compose up --detach --build --wait
.venv/bin/pytest tests/integration/containers
compose up --detach --wait --no-recreate --scale oms=3 --scale gateway=3
.venv/bin/python -m tests.integration.containers.faults
