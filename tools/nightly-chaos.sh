#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every scenario of `tradewind chaos`, then every planted bug, each of which must be found.
# FAULTS and ORDERS per scenario; reports and pages go to .cache/chaos. Partitions and bad disks need
# root and some programs: without them their scenarios are skipped, and named.
set -uo pipefail
cd "$(dirname "$0")/.."

faults=${FAULTS:-40}
orders=${ORDERS:-10000}
seed=${SEED:-$RANDOM}
folder=.cache/chaos
tradewind=.venv/bin/tradewind
failed=0
mkdir -p "$folder"

run() { # name, expected exit code, then arguments
    local name=$1 expected=$2
    shift 2
    $tradewind chaos run "$@" --seed "$seed" --json --html "$folder/$name.html" \
        </dev/null >"$folder/$name.json" 2>"$folder/$name.log"
    local code=$?
    local word=ok
    if grep -q MACHINE_LACKS "$folder/$name.log"; then
        word="skipped: $(grep -o 'this machine lacks [^:]*' "$folder/$name.log")"
    elif [ $code -ne "$expected" ]; then
        word="FAILED ($code, expected $expected)"
        failed=1
    fi
    printf '%-50s %s\n' "$name" "$word"
}

echo "seed $seed, $faults faults and $orders orders for each scenario"
scenarios=$($tradewind chaos list --json | .venv/bin/python -c \
    'import json, sys; print(*json.load(sys.stdin)["scenarios"])')
for scenario in $scenarios; do
    run "$scenario" 0 --scenario "$scenario" --faults "$faults" --orders "$orders"
done

sabotages=$($tradewind chaos list --json | .venv/bin/python -c \
    'import json, sys
for name, each in json.load(sys.stdin)["sabotages"].items(): print(name, each["scenario"])')
while read -r sabotage scenario; do
    run "sabotage-$sabotage" 1 --scenario "$scenario" --sabotage "$sabotage" --faults 3 --orders 800
done <<<"$sabotages"
exit $failed
