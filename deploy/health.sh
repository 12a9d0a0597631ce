#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether a container is healthy, at the price of a shell: `beat` looks at the last heartbeat that
# the bus took, `http PORT PATH` asks.
set -euo pipefail

case $1 in
beat)
    [ -n "$(find /tmp/heartbeat -newermt '3 seconds ago' 2>/dev/null)" ]
    ;;
http)
    exec 3<>"/dev/tcp/127.0.0.1/$2"
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$3" >&3
    read -r -t 2 _ status _ <&3
    [ "$status" = 200 ]
    ;;
esac
