# SPDX-License-Identifier: Apache-2.0
# Sourced by what needs containers: an engine that runs, started if it can be, ended if it was.

engine=
cannot() { printf 'tradewind: %s\n' "$1" >&2; exit 3; }

start_engine() {
    command -v docker >/dev/null || cannot "no containers here: docker is not installed"
    docker info >/dev/null 2>&1 && return
    command -v dockerd >/dev/null || cannot "no containers here: install an engine (dockerd)"
    mkdir -p .cache
    dockerd >.cache/dockerd.log 2>&1 &
    engine=$!
    for _ in $(seq 50); do
        docker info >/dev/null 2>&1 && return
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.2
    done
    cannot "the engine does not start here: see .cache/dockerd.log"
}

stop_engine() { [ -z "$engine" ] || { kill "$engine" 2>/dev/null; wait "$engine" || true; }; }
