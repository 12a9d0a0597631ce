# SPDX-License-Identifier: Apache-2.0
"""Who may lead, before any node was looked at."""

from typing import cast

import pytest

from tradewind.orchestrator.scrubber import Scrubber
from tradewind.orchestrator.supervisor import Supervisor


class Nodes:
    """A supervisor, of whom only the nodes are asked."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def nodes(self) -> dict[str, str]:
        return dict.fromkeys(self._names, "http://127.0.0.1:1/healthz")


@pytest.mark.parametrize(("nodes", "may_lead"), [(("nats-n1",), False), ((), True)])
def test_the_broker_is_believed_only_where_nodes_cannot_be_looked_at(
    nodes: tuple[str, ...], may_lead: bool
) -> None:
    scrubber = Scrubber(cast(Supervisor, Nodes(*nodes)), shards=1)
    assert scrubber.may_lead("JOURNAL_0", "nats-1") is may_lead
