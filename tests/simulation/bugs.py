# SPDX-License-Identifier: Apache-2.0
"""Bugs to plant. A simulation that does not find them finds nothing.

Each breaks one rule of the design; the last three were in the product until this simulation found
them.
"""

from tests.simulation.planting import Bug, Edit

APPENDER = "tradewind.oms.appender:Appender"
SESSION = "tradewind.venue.session:ShardSession"
DECIDE = "tradewind.core.decide_venue"
LAST = '["state"]["last_seq"])'

BUGS: dict[str, Bug] = {
    "append-anywhere": Bug(
        "outputs are appended without a condition",
        0,
        (
            Edit(
                f"{APPENDER}._append",
                "expected_last_seq=outputs[0].ordinal - 1",
                "expected_last_seq=None",
            ),
        ),
    ),
    "append-at-the-tail": Bug(
        "who takes over appends after the last output it is told of, not at the outputs' place",
        0,
        (
            Edit(
                f"{APPENDER}._append",
                "expected_last_seq=outputs[0].ordinal - 1",
                f'expected_last_seq=int((await self._bus.api("STREAM.INFO.EVENTS_0")){LAST}',
            ),
        ),
    ),
    "snapshot-ahead": Bug(
        "a snapshot is stored and begun at before its outputs are in EVENTS",
        17,
        (
            Edit(
                "tradewind.oms.keeper:SnapshotKeeper._appended",
                "while self._replica.confirmed < ordinal:",
                "while False:",
            ),
            Edit(
                "tradewind.oms.app:choose_beginning",
                "await _require_past(bus, shard, stored.meta, tail, journaled)",
                "pass",
            ),
        ),
    ),
    "snapshot-without-tail": Bug(
        "a replica that begins at a snapshot goes on at the journal's end",
        0,
        (
            Edit(
                "tradewind.oms.app:_assemble",
                "replica.seq + 1,",
                f'(replica.seq and int((await bus.api("STREAM.INFO.JOURNAL_0")){LAST}) + 1,',
            ),
        ),
    ),
    "record-skipped": Bug(
        "a reader takes what it hears next and does not see the hole before it",
        5,
        (
            Edit(
                "tradewind.common.jetstream.reader:StreamReader._take_held",
                "if seq > expected:\n            break",
                "if seq > expected:\n            expected = seq",
            ),
        ),
    ),
    "own-clock": Bug(
        "the core reads the clock of its machine",
        0,
        (
            Edit(
                "tradewind.core.machine:StateMachine.step",
                "state.ts_ns = entry.ts_ns",
                "import time; state.ts_ns = time.time_ns()",
            ),
        ),
    ),
    "freed-on-timeout": Bug(
        "an order without an answer reserves nothing",
        0,
        (
            Edit(
                "tradewind.core.state:Order.reserved_qty",
                "if self.is_parent or self.is_final:",
                "if self.is_parent or self.is_final or self.is_unknown:",
            ),
        ),
    ),
    "silence-is-a-no": Bug(
        "a request without an answer is taken for refused",
        0,
        tuple(
            Edit(f"tradewind.venue.{name}:unknown", "ExecType.UNKNOWN", "ExecType.REJECTED")
            for name in ("doubts", "outbound")
        ),
    ),
    "late-fill-dropped": Bug(
        "a fill after the end of its order is ignored",
        8,
        (
            Edit(
                f"{DECIDE}:_change",
                "if status is None:",
                "if status is None or order.is_final:",
            ),
        ),
    ),
    "ids-forgotten": Bug(
        "request ids are unique only among the last two",
        0,
        (
            Edit(
                "tradewind.core.decide_client:earlier_use",
                "state.id_uses.get(",
                "dict(list(state.id_uses.items())[-2:]).get(",
            ),
        ),
    ),
    "executions-forgotten": Bug(
        "execution ids are unique only in an order's last report",
        0,
        (
            Edit(
                f"{DECIDE}:_fault",
                "report.exec_id in order.venue_exec_ids",
                "report.exec_id in order.venue_exec_ids[-1:]",
            ),
        ),
    ),
    "request-forgotten": Bug(
        "a new session is not given the cancels and replaces without an answer",
        1,
        (
            Edit(
                f"{DECIDE}:_unsettled",
                "for pending in order.pendings",
                "for pending in ()",
            ),
        ),
    ),
    "no-fence": Bug(
        "a session is taken and the one before lives on",
        19,
        (Edit("tests.simulation.exchange:Exchange.logon", "self._fence(other)", "pass"),),
    ),
    "two-connectors": Bug(
        "a session is taken, the one before lives on, and its connector does not stop",
        10,
        (
            Edit("tests.simulation.exchange:Exchange.logon", "self._fence(other)", "pass"),
            Edit(
                f"{SESSION}._session_taken",
                'if not taken.owner.startswith(f"{self._process}."):',
                "if False:",
            ),
        ),
    ),
    "read-lag-ignored": Bug(
        "absence at the venue is taken for proof before its read lag has passed",
        147,
        (Edit(f"{SESSION}._one_session", "self._read_lag_s", "0"),),
    ),
    "sent-again-unasked": Bug(
        "what an earlier session may have sent is sent without asking",
        1,
        (
            Edit(
                "tradewind.venue.outbound:Outbound.offer",
                "if request.is_possibly_sent and request.action is VenueAction.NEW:",
                "if False:",
            ),
        ),
    ),
    "report-lost": Bug(
        "a report that the journal did not take does not go again",
        61,
        (
            Edit(
                "tradewind.venue.inbound:Inbound._collect_failed",
                "self._waiting.extendleft(reversed(again))",
                "again.clear()",
            ),
        ),
    ),
    "end-before-its-fills": Bug(
        "an order's end is believed before its fills were told",
        57,
        (
            Edit(
                "tradewind.venue.fills:Fills.is_missing_some",
                "if sum(told.values()) == cum_qty:",
                "if True:",
            ),
        ),
    ),
    "difference-ignored": Bug(
        "nothing is told again where the venue's position differs",
        9,
        (Edit("tradewind.venue.positions:Positions.hear", "if stated.is_settled:", "if True:"),),
    ),
    "durable-too-early": Bug(
        "a client is told that its request is stored before it is",
        6,
        (
            Edit(
                "tradewind.gateway.journal:Journal._send",
                "self._silence.sent(request)",
                "self._silence.sent(request); request.listener.on_durable(request)",
            ),
        ),
    ),
    "unknown-told-as-refused": Bug(
        "a client is told that its request is not stored when nobody knows",
        9,
        (
            Edit(
                "tradewind.gateway.journal:Journal._on_acked",
                '"JOURNAL_UNAVAILABLE" if is_definite else "OUTCOME_UNKNOWN"',
                '"JOURNAL_UNAVAILABLE"',
            ),
        ),
    ),
    "larger-size-forgotten": Bug(
        "a full fill ends an order although a larger size was asked for",
        27,
        (
            Edit(
                f"{DECIDE}:_change",
                "leaves_qty=_at_worst(leaves_qty, cum_qty, left),",
                "leaves_qty=leaves_qty,",
            ),
        ),
    ),
    "answered-doubt": Bug(
        "an order is UNKNOWN for a request that has been answered",
        522,
        (
            Edit(
                f"{DECIDE}:_fault",
                "if report.exec_type is ExecType.UNKNOWN and not",
                "if False and not",
            ),
        ),
    ),
    "end-before-fill": Bug(
        "an order's end is journaled while a fill of it is on the way",
        86,
        (
            Edit(
                "tradewind.venue.inbound:Inbound._may_publish",
                "said.exec_type not in ENDS",
                "said.exec_type",
            ),
        ),
    ),
}
