#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unknown outcomes by the hundred: a venue that misbehaves in all its ways, while connectors die.
# Runs of FAULTS deaths and ORDERS orders, until every failure class was played PLAYS times; then
# the two bugs that it is there to find. Reports and pages go to .cache/chaos.
set -uo pipefail
cd "$(dirname "$0")/.."

plays=${PLAYS:-100}
faults=${FAULTS:-40}
orders=${ORDERS:-10000}
rate=${RATE:-100}
seed=${SEED:-$RANDOM}
folder=.cache/chaos
mkdir -p "$folder"
rm -f "$folder"/unknown-*.json

run() { # name, expected exit code, then arguments
    local name=$1 expected=$2
    shift 2
    .venv/bin/tradewind chaos run --scenario venue-rates --rate "$rate" --json "$@" \
        --html "$folder/$name.html" </dev/null >"$folder/$name.json" 2>"$folder/$name.log"
    local code=$?
    [ $code -eq "$expected" ] && return
    echo "$name FAILED ($code, expected $expected): see $folder/$name.log"
    exit 1
}

is_enough() {
    .venv/bin/python - "$plays" "$folder"/unknown-*.json <<'END'
import json, sys
from collections import Counter

runs = [json.load(open(name)) for name in sys.argv[2:]]
counts = sum((Counter(run["coverage"]) for run in runs), Counter())
classes = {name: counts[name] for name in sorted(counts) if name[1:].isdigit()}
print(len(runs), "runs,", sum(run["orders"] for run in runs), "orders,", *classes.items())
sys.exit(min(classes.values()) < int(sys.argv[1]))
END
}

for number in 1 2 3 4 5 6 7 8; do
    run "unknown-$number" 0 --seed $((seed + number)) --faults "$faults" --orders "$orders"
    is_enough && break
done
is_enough >/dev/null || { echo "not every class was played $plays times" && exit 1; }
for bug in free-exposure-on-timeout resend-on-timeout; do
    run "bug-$bug" 1 --seed "$seed" --faults 3 --orders 800 --sabotage $bug
    echo "$bug found"
done
