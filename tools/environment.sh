# SPDX-License-Identifier: Apache-2.0
# Sourced by install.sh and lock.sh: one place that decides where uv looks and what it keeps.

fail() { printf 'tradewind: %s\n' "$1" >&2; exit 1; }

# uv does not read pip's configuration: pass on the index and certificates pip would use.
# Nothing is written outside this folder, so the cache is here too.
use_pip_configuration() {
    local value
    value=$("$VENV/bin/python" -m pip config get global.index-url 2>/dev/null || true)
    value=${PIP_INDEX_URL:-$value}
    [ -z "$value" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$value}"
    value=$("$VENV/bin/python" -m pip config get global.cert 2>/dev/null || true)
    value=${PIP_CERT:-$value}
    [ -z "$value" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$value}"
    export UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.cache/uv}"
    export UV_NO_CONFIG=1 UV_PYTHON_DOWNLOADS=never UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-180}"
    unset VIRTUAL_ENV
}

make_venv() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "Python 3.11 or newer is needed; '$PYTHON' is not. Name one: make PYTHON=/path/to/python3.11"
    if [ "$(cat "$VENV/.checkout" 2>/dev/null)" != "$PWD" ] ||
        ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        "$PYTHON" -m venv --clear "$VENV" ||
            fail "'$PYTHON -m venv' failed. On Debian or Ubuntu: apt-get install python3-venv"
        printf '%s\n' "$PWD" >"$VENV/.checkout"
    fi
}
