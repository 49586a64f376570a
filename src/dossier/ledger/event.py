"""One event: who did what to whose file, and which fields it concerned; never a value.

Floor: ledger, pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

TAG: Final = b"dossier.ledger.v1\0"
START: Final = "0" * 64
"""`prev` of the first event of a lane."""


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A ledger event: a closed schema. No values, operands or free text.

    `actor` and subjects are pseudonyms; `subjects` is [pseudonym, revision, mask] a dossier, the mask being
    "section:hex bits" runs; `shape` a hash of the query's form; `rules` the ids of the rules that decided.
    """

    act: str = ""
    actor: str
    at: str
    lane: str
    outcome: str
    policy: str
    purpose: str = ""
    reason: str = ""
    roles: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    seq: int
    shape: str = ""
    subjects: Sequence[tuple[str, int, str]] = ()
    v: int = 1
    verb: str


class Sealed(msgspec.Struct, gc=False):
    """An event as stored: its canonical bytes and its hash."""

    event: msgspec.Raw
    hash: str


_encoder = msgspec.json.Encoder(order="sorted")
_event = msgspec.json.Decoder(Event)
_sealed = msgspec.json.Decoder(Sealed)


def event_bytes(event: Event) -> bytes:
    """Canonical bytes of an event."""
    return _encoder.encode(event)


def chain(prev: str, body: bytes) -> str:
    """SHA-256(tag || prev || canonical bytes), in hex."""
    return hashlib.sha256(TAG + bytes.fromhex(prev) + body).hexdigest()


def seal(event: Event, prev: str) -> tuple[bytes, str]:
    """(stored line, hash) of an event that follows `prev` in its lane."""
    body = _encoder.encode(event)
    digest = hashlib.sha256(TAG + bytes.fromhex(prev) + body).hexdigest()
    return b'{"event":' + body + b',"hash":"' + digest.encode() + b'"}', digest


def unseal(line: bytes) -> tuple[Event, bytes, str]:
    """(event, its canonical bytes, its stored hash). msgspec.DecodeError where the line is none."""
    sealed = _sealed.decode(line)
    body = bytes(sealed.event)
    return _event.decode(body), body, sealed.hash
