"""The ledger counter: is the chain whole, what happened last.

Floor: desk. `desk.ledger`.
"""

from __future__ import annotations

from typing import Final

import attrs

from dossier.desk.reading import Reading
from dossier.errors import InputError
from dossier.ledger import LaneReport
from dossier.model.problems import problem

TAIL: Final = 1000
"""The most events that `tail` gives."""


@attrs.frozen
class LedgerReport:
    """A ledger that verified: its lanes, how many events, and the lanes that were never closed (a gap may follow)."""

    lanes: tuple[LaneReport, ...]

    @property
    def events(self) -> int:
        """How many events were checked."""
        return sum(lane.events for lane in self.lanes)


@attrs.frozen
class Line:
    """One event for people to read: who (pseudonym), under which role, did what, and how it was answered."""

    at: str
    actor: str
    roles: tuple[str, ...]
    verb: str
    outcome: str
    subjects: int
    rules: tuple[str, ...]


class LedgerCounter:
    """Verify the ledger and read its tail."""

    def __init__(self, reading: Reading) -> None:
        self._archive = reading.archive
        self._reading = reading

    def verify(self) -> LedgerReport:
        """Walk every lane from its first event. LedgerError names the lane and event that does not follow."""
        decision = self._reading.permit("explain", called="ledger.verify", everywhere=True)
        self._archive.recorder.read(self._reading.event("ledger.verify", decision))
        return LedgerReport(tuple(self._archive.recorder.verify()))

    def tail(self, *, limit: int = 20) -> tuple[Line, ...]:
        """The last events of all lanes by time, newest last. `limit` 1..1000 (InputError)."""
        if type(limit) is not int or not 1 <= limit <= TAIL:
            raise InputError([problem("find.limit", "limit", limit=TAIL)])
        decision = self._reading.permit("explain", called="ledger.tail", everywhere=True)
        self._archive.recorder.read(self._reading.event("ledger.tail", decision))
        events = self._archive.recorder.tail(limit)
        return tuple(
            Line(e.at, e.actor, tuple(e.roles), e.verb, e.outcome, len(e.subjects), tuple(e.rules)) for e in events
        )
