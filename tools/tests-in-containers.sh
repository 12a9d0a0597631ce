#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tests of the bus and of the archive once more, with each node and the ClickHouse server in a
# container, as far as their images can be had. Exit code 3: none of it is possible here.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/engine.sh
trap stop_engine EXIT

has() {
    docker image inspect "$1" >/dev/null 2>&1 || timeout 40 docker pull --quiet "$1" ||
        { printf 'tradewind: the image %s cannot be had here\n' "$1" >&2; return 1; }
}

start_engine
nodes=nats:$(sed -n 's/^ARG NATS_VERSION=//p' Dockerfile)-alpine
server=$(sed -n 's/^ *image: \(clickhouse\/.*\)$/\1/p' docker-compose.yml)
is_run=
if has "$nodes"; then
    TRADEWIND_TEST_NODES=containers .venv/bin/pytest tests/integration/common
    is_run=1
fi
if has "$server"; then
    TRADEWIND_TEST_WAREHOUSE=container .venv/bin/pytest tests/unit/archiver tests/integration/archiver
    is_run=1
fi
[ -n "$is_run" ] || cannot "none of the images can be had here"
