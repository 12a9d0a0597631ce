# SPDX-License-Identifier: Apache-2.0
"""One message as bytes and as fields. FIX 4.4, volume 2, "Standard message header and trailer".

Groups are not taken apart: in what is used here each group has one entry at most, whose fields
stand among the others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tradewind.fix import tags

SOH = b"\x01"
BEGIN = b"8=FIX.4.4\x01"
Body = tuple[tuple[int, str], ...]
NUMBER_DIGITS_MAX = 18


class Garbled(ValueError):
    """Bytes that cannot be trusted to be a message: they are passed over, as the standard says."""


class Malformed(ValueError):
    """A message that breaks a rule. `reason` is a SessionRejectReason (373), `tag` the culprit."""

    def __init__(self, text: str, *, reason: int, tag: int, seq: int, msg_type: str) -> None:
        super().__init__(text)
        self.text = text
        self.reason = reason
        self.tag = tag
        self.seq = seq
        self.msg_type = msg_type


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was read. `fields` has header and body."""

    msg_type: str
    seq: int
    fields: Mapping[int, str]

    @property
    def is_poss_dup(self) -> bool:
        """Whether it may have been sent before, under the same number."""
        return self.fields.get(tags.POSS_DUP_FLAG) == "Y"

    def get(self, tag: int, default: str = "") -> str:
        """A field's value."""
        return self.fields.get(tag, default)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that has left, or leaves now."""

    seq: int
    msg_type: str
    body: Body
    sending_time: str


def encode(sent: Sent, *, sender: str, target: str, again_at: str = "") -> bytes:
    """The bytes of a message. `again_at` is when it is sent again, as a possible duplicate.

    Raises:
        ValueError: if a value has the separator in it.
    """
    head: list[tuple[int, str]] = [
        (tags.MSG_TYPE, sent.msg_type),
        (tags.SENDER_COMP_ID, sender),
        (tags.TARGET_COMP_ID, target),
        (tags.MSG_SEQ_NUM, str(sent.seq)),
        (tags.SENDING_TIME, again_at or sent.sending_time),
    ]
    if again_at:
        head += [(tags.POSS_DUP_FLAG, "Y"), (tags.ORIG_SENDING_TIME, sent.sending_time)]
    body = b"".join(map(_field, head)) + b"".join(map(_field, sent.body))
    start = BEGIN + b"9=%d\x01" % len(body)
    return start + body + b"10=%03d\x01" % (sum(start + body) % 256)


def _field(pair: tuple[int, str]) -> bytes:
    tag, value = pair
    data = value.encode("ascii", "replace")
    if SOH in data or not data:
        raise ValueError(f"tag {tag} cannot have the value {value!r}")
    return b"%d=%s\x01" % (tag, data)


def decode(raw: bytes) -> Message:
    """Reads what the framer has cut out.

    Raises:
        Garbled: framing, length or checksum are wrong, or MsgSeqNum is no number.
        Malformed: it is a message, and breaks a rule.
    """
    parts = raw.split(SOH)
    if len(parts) < 5 or parts.pop() or not raw.startswith(BEGIN):
        raise Garbled("not a message of FIX 4.4")
    if not (parts[1].startswith(b"9=") and parts[2].startswith(b"35=")):
        raise Garbled("the first three fields are not 8, 9 and 35")
    trailer = parts.pop()
    body_start = len(BEGIN) + len(parts[1]) + 1
    body_end = len(raw) - len(trailer) - 1
    if parts[1] != b"9=%d" % (body_end - body_start):
        raise Garbled("BodyLength is wrong")
    if trailer != b"10=%03d" % (sum(raw[:body_end]) % 256):
        raise Garbled("CheckSum is wrong")
    return _read(parts[2:])


def is_number(text: str) -> bool:
    """Whether a field is a natural number of an ordinary size: digits, and ASCII's alone."""
    return text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX


def _read(parts: Iterable[bytes]) -> Message:
    pairs = [part.decode("latin-1").partition("=") for part in parts]
    named = dict((tag, value) for tag, _equals, value in reversed(pairs))
    msg_type, number = named["35"], named.get("34")
    if number is None:
        text = "MsgSeqNum (34) is missing"
        raise Malformed(text, reason=1, tag=tags.MSG_SEQ_NUM, seq=0, msg_type=msg_type)
    if not is_number(number):
        raise Garbled("MsgSeqNum is no number")
    seq = int(number)
    fields: dict[int, str] = {}
    for name, _equals, value in pairs:
        tag = int(name) if name.isascii() and name.isdigit() and len(name) <= 9 else 0
        reason, text = _fault(tag, value, fields)
        if text:
            raise Malformed(text, reason=reason, tag=tag, seq=seq, msg_type=msg_type)
        fields[tag] = value
    for tag in (tags.SENDER_COMP_ID, tags.TARGET_COMP_ID, tags.SENDING_TIME):
        if tag not in fields:
            raise Malformed(
                f"required tag {tag} is missing", reason=1, tag=tag, seq=seq, msg_type=msg_type
            )
    return Message(msg_type, seq, fields)


def _fault(tag: int, value: str, before: Mapping[int, str]) -> tuple[int, str]:
    """What is wrong with a field, as a SessionRejectReason and a text, if anything."""
    if tag == 0:
        return 0, "invalid tag number"
    if not value:
        return 4, f"tag {tag} is without a value"
    if tag in before:
        return 13, f"tag {tag} appears more than once"
    return 0, ""
