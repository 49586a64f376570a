"""Desks that break K11: events and refusals.

Floor: testing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dossier.desk import writing
from dossier.desk.reading import Reading
from dossier.desk.work import Work
from dossier.model.clock import instant
from dossier.repository import Batch, Put
from dossier.testing.broken_desk.variant import Replace, variant


@variant("K11_events", "K8_interrupted")
def event_without_mask() -> Sequence[Replace]:
    """The event of a change does not say which fields it touched."""
    return [(writing, "written_mask", lambda *given: "")]


@variant("K11_events", "K8_interrupted")
def act_without_event() -> Sequence[Replace]:
    """A change of several dossiers in one batch has one event."""
    commit = Work.commit

    def cut(self: Work, **options: Any) -> None:
        del self.events[1:]
        commit(self, **options)

    return [(Work, "commit", cut)]


@variant("K11_events")
def event_beside_the_batch() -> Sequence[Replace]:
    """The events of a change are written after it."""
    commit = Work.commit

    def late(self: Work, **options: Any) -> None:
        events, self.events = self.events, []
        commit(self, **options)
        with self.archive.recorder.writing(events) as rows:
            self.archive.repository.commit(Batch(tuple(rows)))

    return [(Work, "commit", late)]


@variant("K11_events", "K8_interrupted", "K11_refusals")
def event_of_another() -> Sequence[Replace]:
    """The event of a change names somebody who works here, whoever it was."""
    event = Reading.event

    def wrong(self: Reading, *given: Any, **named: Any) -> Any:
        made = event(self, *given, **named)
        made.actor = self.archive.staff.all()[0].pseudonym
        return made

    return [(Reading, "event", wrong)]


@variant("K11_events")
def event_without_rules() -> Sequence[Replace]:
    """The event of a change does not say which rules decided."""
    event = Reading.event

    def silent(self: Reading, *given: Any, **named: Any) -> Any:
        made = event(self, *given, **named)
        made.rules = ()
        return made

    return [(Reading, "event", silent)]


@variant("K11_refusals")
def settle_looks_first() -> Sequence[Replace]:
    """Who asks about a number that is not there is told so before anybody asks whether he may ask."""
    from dossier.desk.claims import ClaimsCounter

    settle = ClaimsCounter.settle

    def looks(self: ClaimsCounter, dossier: Any, path: str, **told: Any) -> Any:
        return settle(self, self._reading.resolve(dossier), path, **told)

    return [(ClaimsCounter, "settle", looks)]


@variant("K11_refusals")
def silent_refusal() -> Sequence[Replace]:
    """A refusal is not put on record."""
    return [(Reading, "refuse", lambda *given, **named: None)]


@variant("K11_refusals")
def refusal_leaves_staff() -> Sequence[Replace]:
    """A refused call leaves a row behind."""
    refuse = Reading.refuse

    def leave(self: Reading, *given: Any, **named: Any) -> None:
        refuse(self, *given, **named)
        put = Put("unplaced", instant(self.archive.environment.now()), b"{}", {}, "", None)
        self.archive.repository.commit(Batch((put,)))

    return [(Reading, "refuse", leave)]
