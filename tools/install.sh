#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install the pinned packages and the workspace members into $VENV. Arguments: member folders.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/environment.sh

echo "Installing into $VENV (about 140 MB to fetch the first time) ..."
make_venv
use_pip_configuration
"$VENV/bin/python" -m pip install -qq --no-cache-dir --disable-pip-version-check --no-deps \
    --only-binary :all: --require-hashes -r requirements-uv.txt ||
    fail "uv could not be installed: can pip reach its package index? Then run make install again"

uv() { "$VENV/bin/uv" --quiet "$@"; }
uv pip sync --python "$VENV" --require-hashes requirements.txt ||
    fail "the pinned packages could not be installed (see above); then run make install again"

editable=()
for member in "$@"; do editable+=(-e "./$member"); done
uv pip install --python "$VENV" --no-deps --no-build-isolation "${editable[@]}"

# A recording of real order flow. Its package is under another licence and only its data is read:
# it lies in a folder of its own that is on no import path. The demo runs without it.
if ! [ .tradewind-data -nt requirements-data.txt ]; then
    rm -rf .tradewind-data
    if uv pip install --python "$VENV" --no-deps --require-hashes --target .tradewind-data \
        -r requirements-data.txt; then
        touch .tradewind-data
    else
        echo "tradewind: no recorded order flow; the demo will make its own" >&2
    fi
fi
