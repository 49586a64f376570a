"""Verification of stored lanes: order, numbering, hashes (A1, A3).

Floor: ledger, pure.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import msgspec

from dossier.errors import CanonicalError, LedgerError
from dossier.ledger.event import START, Event, chain, unseal
from dossier.repository import is_canonical


@attrs.frozen
class LaneReport:
    """One lane that verified: how many events, its head (hex SHA-256), its last event's verb."""

    lane: str
    events: int
    head: str
    closed: bool


def verify_lane(lane: str, lines: Iterable[bytes]) -> LaneReport:
    """Walk one lane in order. LedgerError names the first event that does not follow."""
    head, seq = START, 0
    last: Event | None = None
    for line in lines:
        seq += 1
        event, body, digest = _open(lane, seq, line)
        if event.lane != lane or event.seq != seq or chain(head, body) != digest:
            raise LedgerError(lane=lane, seq=seq)
        head, last = digest, event
    return LaneReport(lane, seq, head, last is not None and last.verb == "close")


def _open(lane: str, seq: int, line: bytes) -> tuple[Event, bytes, str]:
    try:
        if is_canonical(line):
            return unseal(line)
    except (msgspec.DecodeError, CanonicalError, UnicodeDecodeError):
        pass
    raise LedgerError(lane=lane, seq=seq)
