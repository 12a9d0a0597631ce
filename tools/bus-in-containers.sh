#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tests of the bus once more, with each node in a container. Exit code 3: not possible here.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/engine.sh
trap stop_engine EXIT

start_engine
image=nats:$(sed -n 's/^ARG NATS_VERSION=//p' Dockerfile)-alpine
docker image inspect "$image" >/dev/null 2>&1 || timeout 40 docker pull --quiet "$image" ||
    cannot "the image $image cannot be had here"
TRADEWIND_TEST_NODES=containers .venv/bin/pytest tests/integration/common
