# SPDX-License-Identifier: Apache-2.0
"""Atomic batches in their wire form: all messages are stored, or none."""

import secrets
from collections.abc import Sequence

from tradewind.common.jetstream.messages import Message, encode_headers

MESSAGES_MAX = 500
BYTES_MAX = 512 * 1024


def batch_messages(
    messages: Sequence[Message], expected_last_seq: int | None
) -> list[tuple[str, bytes, bytes]]:
    """Subject, header block and body of each message of one batch.

    The batch id is new each time: an earlier attempt may still be on its way, and must not be
    completed by this one's messages.

    Raises:
        ValueError: if the batch is empty or larger than one batch may be.
    """
    size = sum(len(message.body) for message in messages)
    if not 1 <= len(messages) <= MESSAGES_MAX or size > BYTES_MAX:
        raise ValueError(f"{len(messages)} messages of {size} bytes are no batch")
    batch_id = secrets.token_hex(12)
    encoded = []
    for place, message in enumerate(messages, start=1):
        own = f"Nats-Batch-Id: {batch_id}\r\nNats-Batch-Sequence: {place}\r\n"
        if place == 1 and expected_last_seq is not None:
            own += f"Nats-Expected-Last-Sequence: {expected_last_seq}\r\n"
        if place == len(messages):
            own += "Nats-Batch-Commit: 1\r\n"
        encoded.append((message.subject, encode_headers(message.headers, own), message.body))
    return encoded
