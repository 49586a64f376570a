"""The counter for what was collected and no file took: an unknown number, a part that is not there (M75).

Floor: desk. `desk.unplaced`.
"""

from __future__ import annotations

from typing import Any, cast

import attrs

from dossier.desk.answers import Receipt
from dossier.desk.changes import Change, Draft, Told
from dossier.desk.reading import Reading, Target
from dossier.desk.unplaced import unpack
from dossier.desk.work import Work
from dossier.desk.writing import Writing
from dossier.errors import NotFoundError
from dossier.model.fields import SectionSpec
from dossier.model.records import PREFIX
from dossier.model.withheld import WITHHELD, Withheld
from dossier.repository import Delete, Key, decode


@attrs.frozen
class Note:
    """Something handed in that waits for a file: by whom (name), when, through which channel, and what.

    Values of fields that the reader may not read, whatever kind of party it turns out to be, are WITHHELD, and who
    told them with them; they can be placed all the same.
    """

    id: str
    by: str
    at: str
    channel: str = attrs.field(repr=False)
    told_by: str | Withheld = attrs.field(repr=False)
    what: tuple[Change | Draft, ...]


class UnplacedCounter:
    """Look at what waits (`list`) and enter it in the file it belongs to (`place`)."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._writing = writing

    def list(self, *, limit: int = 100) -> tuple[Note, ...]:
        """What waits, at most `limit`. Needs the right to edit."""
        decision = self._reading.permit("edit", called="unplaced", everywhere=True)
        rows = self._archive.repository.scan("unplaced", limit=limit)
        notes = tuple(self._note(row.id, decode(row.body)) for row in rows)
        self._archive.recorder.read(self._reading.event("unplaced", decision))
        return notes

    def place(self, note: Note | str, dossier: Target) -> Receipt:
        """Enter what waits in a file, with the channel and the time it was handed in; it waits no longer.

        InputError where the file does not take it; it goes on waiting then.
        """
        decision = self._reading.permit("edit", called="place")
        row_id = note if isinstance(note, str) else note.id
        (row,) = self._archive.repository.get_many([Key("unplaced", row_id)])
        if row is None:
            raise NotFoundError()
        target = self._reading.known(dossier, decision, "place")
        said = decode(row.body)
        told = cast(Told, {**said["told"], "observed": said["told"]["observed"] or said["at"]})
        act = self._archive.new_id()
        enter = self._writing.enter(target, self._what(said), "place", act, told, decision)

        def intent(work: Work) -> Receipt:
            enter(work)
            work.ops.append(Delete("unplaced", row_id, row.version))
            return Receipt(act)

        return self._writing.run(intent)

    def _note(self, row_id: str, said: dict[str, Any]) -> Note:
        told = said["told"]
        by = self._archive.staff.by_id(said["actor"])
        what = tuple(self._shown(item) for item in self._what(said))
        hidden = any(value is WITHHELD for item in what for value in item.values.values())
        told_by = WITHHELD if hidden else told["told_by"]
        return Note(row_id, by, said["at"], told["channel"], told_by, what)

    def _shown(self, item: Change | Draft) -> Change | Draft:
        """What was handed in, as far as every class of the section or record lets the reader see it."""
        key = PREFIX + item.kind if isinstance(item, Draft) else str(item.section)
        decision = self._reading.decide("consult")
        values = {}
        for name, value in item.values.items():
            masks = [(spec, spec.fields[name].mask) for spec in self._specs(key) if name in spec.fields]
            readable = bool(masks) and all(decision.mask(spec) & mask == mask for spec, mask in masks)
            values[name] = value if readable else WITHHELD
        if isinstance(item, Change) and any(value is WITHHELD for value in values.values()):
            return attrs.evolve(item, values=values, told=None)
        return attrs.evolve(item, values=values)

    def _specs(self, key: str) -> tuple[SectionSpec, ...]:
        return tuple(spec for spec in self._archive.registry.specs() if spec.key == key)

    @staticmethod
    def _what(said: dict[str, Any]) -> tuple[Change | Draft, ...]:
        return tuple(unpack(item) for item in said["what"])
