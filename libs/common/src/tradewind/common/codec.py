# SPDX-License-Identifier: Apache-2.0
"""Bytes <-> core types: `{"v":1,"type":"SubmitOrder","data":{...}}`.

Decoding checks every field's type and refuses unknown fields and newer versions, so that nothing
an older build would misread is ever half understood. Encoding is deterministic (fields in
declaration order), so two replicas that compute the same event write the same bytes, and the
chain of their hashes can be compared.
"""

from dataclasses import MISSING, fields
from hashlib import sha256
from typing import Any

import msgspec

from tradewind.common.errors import CodecError
from tradewind.core.commands import COMMANDS, Command
from tradewind.core.events import EVENTS, Event
from tradewind.core.record import is_later

VERSION = 1
CHAIN_START = "0" * 64

_encoder = msgspec.json.Encoder()


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    type: str
    data: msgspec.Raw


def _strict_decoder(cls: type[Any]) -> msgspec.json.Decoder[Any]:
    """A decoder for a struct with the dataclass's fields: dataclasses alone ignore extra ones.

    A field with a default was added later and may be missing from an older body.
    """
    spec: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        (field.name, field.type)
        if field.default is MISSING
        else (field.name, field.type, field.default)
        for field in fields(cls)
    ]
    struct = msgspec.defstruct(cls.__name__, spec, forbid_unknown_fields=True, kw_only=True)
    return msgspec.json.Decoder(struct)


_wire_decoder = msgspec.json.Decoder(_Wire)
_names: dict[type[Any], tuple[str, ...]] = {
    cls: tuple(field.name for field in fields(cls))
    for cls in (*COMMANDS.values(), *EVENTS.values())
}
_decoders = {cls: _strict_decoder(cls) for cls in _names}
_prefixes = {cls: f'{{"v":{VERSION},"type":"{cls.__name__}","data":'.encode() for cls in _names}


_later = {
    cls: {field.name: field.default for field in fields(cls) if is_later(field)}
    for cls in _names
    if any(map(is_later, fields(cls)))
}


def encode(message: Command | Event) -> bytes:
    """The wire form of a command or an event; fields added `later` only where they are set."""
    cls = type(message)
    content = message if cls not in _later else _without(message, _later[cls])
    return _prefixes[cls] + _encoder.encode(content) + b"}"


def decode_command(body: bytes) -> Command:
    """The command in a journal body.

    Raises:
        CodecError: if the body is anything but a command that this build knows in full.
    """
    return _decode(body, COMMANDS)  # type: ignore[no-any-return]


def decode_event(body: bytes) -> Event:
    """The event in an output body.

    Raises:
        CodecError: if the body is anything but an event that this build knows in full.
    """
    return _decode(body, EVENTS)  # type: ignore[no-any-return]


def link(chain: str, body: bytes) -> str:
    """The chain value after `body`: SHA-256 over the previous value and the body, in hex."""
    return sha256(chain.encode() + body).hexdigest()


def _without(message: Command | Event, unset: dict[str, Any]) -> dict[str, Any]:
    values = ((name, getattr(message, name)) for name in _names[type(message)])
    return {name: value for name, value in values if name not in unset or value != unset[name]}


def _decode(body: bytes, known: dict[str, type[Any]]) -> Any:
    try:
        wire = _wire_decoder.decode(body)
        if wire.v != VERSION:
            raise CodecError(f"message version {wire.v} is not {VERSION}")
        cls = known.get(wire.type)
        if cls is None:
            raise CodecError(f"message type {wire.type!r} is unknown here")
        loose = _decoders[cls].decode(wire.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # msgspec lets the last two through: text that is not UTF-8, nesting without end.
        raise CodecError(str(error)) from error
    return cls(**{name: getattr(loose, name) for name in _names[cls]})
