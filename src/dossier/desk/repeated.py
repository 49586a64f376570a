"""The answer to a request that was carried out before: given out again on record, to whom it may still be given.

Floor: desk.
"""

from __future__ import annotations

from typing import Any, Final

from dossier.codec.state import head_of
from dossier.desk.answers import Entered
from dossier.desk.reading import Reading
from dossier.desk.records import RecordView
from dossier.desk.views import DossierView, behind
from dossier.model.records import PREFIX, Relation
from dossier.policy import Decision
from dossier.repository import Key

Subject = tuple[str, int, str]
_TIE: Final = "relation"


def repeated(reading: Reading, called: str, decision: Decision, answer: Any) -> None:
    """Put on record, as a read under the verb of the call, that an answer is given out again: no second change, but
    nothing goes out without its event (A4). DeniedError, on record, for somebody dismissed meanwhile."""
    reading.archive.recorder.read(reading.event(called, decision, subjects=_subjects(reading, answer)))


def _subjects(reading: Reading, answer: Any) -> tuple[Subject, ...]:
    """The dossiers that an answer shows something of, with what it shows."""
    if isinstance(answer, DossierView):
        seen = behind(answer)
        return (reading.subject(seen.decision, seen.head),)
    if isinstance(answer, Relation):
        return _named(reading, {answer.a: _TIE, answer.b: _TIE})
    if isinstance(answer, RecordView):
        return _named(reading, {answer.dossier: PREFIX + answer.kind})
    # Of what was entered only the ids are told, of what was handed in nothing at all.
    return _named(reading, {answer.dossier: ""}) if isinstance(answer, Entered) else ()


def _named(reading: Reading, masks: dict[str, str]) -> tuple[Subject, ...]:
    stored = reading.archive.repository.get_many([Key("dossiers", dossier) for dossier in masks], index=False)
    heads = {row.id: head_of(row.body) for row in stored if row is not None}
    if reading.unit is not None:
        begun = {dossier: loaded.head for dossier in masks if (loaded := reading.unit.pending(dossier)) is not None}
        heads |= begun
    return tuple((heads[dossier].pseudonym, 0, mask) for dossier, mask in masks.items() if dossier in heads)
