"""The ledger: who did what, never what it said.

Floor: ledger, pure; `event` schema and hash, `lane` numbering, `verify` the check.
"""

from dossier.ledger.event import START, Event, chain, event_bytes, seal, unseal
from dossier.ledger.lane import Chain
from dossier.ledger.verify import LaneReport, verify_lane

__all__ = ["START", "Chain", "Event", "LaneReport", "chain", "event_bytes", "seal", "unseal", "verify_lane"]
