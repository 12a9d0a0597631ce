#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Make the secrets of the stack and the configuration of its nodes, in deploy/secrets. What is
# there is kept. SHARDS (1) must be what the stack is started with.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p -m 700 deploy/secrets
docker compose build --quiet init
docker run --rm --network none --user "$(id -u):$(id -g)" --volume "$PWD/deploy/secrets:/secrets" \
    --entrypoint python tradewind -m tradewind.cli.deployment /secrets --shards "${SHARDS:-1}"
