# SPDX-License-Identifier: Apache-2.0
"""Every node's own view of the logs at the end: none may lack a record, whoever leads."""

import json
from urllib.parse import urlencode
from urllib.request import urlopen

from tradewind.cli.suite.facts import Facts
from tradewind.common import subjects

TIMEOUT_S = 5.0
QUESTION = urlencode({"accounts": "true", "streams": "true"})


def holes(facts: Facts) -> list[str]:
    """Copies of logs that lack records, each as text; a node that does not answer has all."""
    found = []
    for host, ports in zip(facts.node_hosts, facts.nodes, strict=True):
        url = f"http://{host}:{ports['monitor']}/jsz?{QUESTION}"
        try:
            with urlopen(url, timeout=TIMEOUT_S) as answer:
                told = json.load(answer)
        except (OSError, ValueError) as error:
            found.append(f"{url} does not answer: {error}")
            continue
        found += [f"{url}: {text}" for text in _holes_of(told, facts.shards)]
    return found


def _holes_of(told: dict[str, object], shards: int) -> list[str]:
    accounts = told.get("account_details") or []
    assert isinstance(accounts, list)
    states = {
        stream["name"]: stream["state"]
        for account in accounts
        for stream in account.get("stream_detail") or []
    }
    found = []
    for shard in range(shards):
        for name in (subjects.journal_stream(shard), subjects.events_stream(shard)):
            state = states.get(name)
            if state is None:
                found.append(f"{name} is missing")
            elif state["messages"] != state["last_seq"]:
                found.append(f"{name} has {state['messages']} of {state['last_seq']} records")
    return found
