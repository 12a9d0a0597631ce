# SPDX-License-Identifier: Apache-2.0
"""What a stream's record and its copy in the archive must agree on, as one number.

The archive computes the same from its own columns (`archiver/schema.py`), so that a changed
body, time, subject, position or chain shows, whichever side changed it. Sums of it compare
whole ranges.
"""

from hashlib import sha256

from tradewind.common import subjects
from tradewind.common.jetstream import Record

MODULUS = 2**64


def fingerprint(record: Record) -> int:
    """The first 64 bits of SHA-256 over a record: seq|ts_ns|subject|entry|index|chain|body."""
    headers = record.headers
    entry_seq = headers.get(subjects.HEADER_ENTRY, "0")
    index = headers.get(subjects.HEADER_INDEX, "0")
    chain = headers.get(subjects.HEADER_CHAIN, "")
    head = f"{record.seq}|{record.ts_ns}|{record.subject}|{entry_seq}|{index}|{chain}|"
    return int.from_bytes(sha256(head.encode() + record.body).digest()[:8], "big")
