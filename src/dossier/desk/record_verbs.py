"""The verbs of records: a further entry, the entries, a page; each judged and put on record.

Floor: desk. Behind `desk.follow_up`, `desk.entries` and `view.records`.
"""

from __future__ import annotations

from typing import Any

import attrs

from dossier.codec.state import head_of
from dossier.desk.answers import RecordRef
from dossier.desk.changes import Told, fits
from dossier.desk.reading import Reading
from dossier.desk.records import Entry, RecordPage, RecordView, entries_of, follow_ops, record_page, record_view
from dossier.desk.views import behind
from dossier.desk.work import Work
from dossier.desk.writing import Writing
from dossier.errors import InputError, NotFoundError
from dossier.model.clock import as_day
from dossier.model.problems import problem
from dossier.model.records import PREFIX
from dossier.policy import Decision
from dossier.repository import Key, Row


class Records:
    """Records of one actor's desk."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._writing = writing

    def follow_up(
        self, record: RecordView | RecordRef, said: dict[str, Any], request_id: str | None, told: Told
    ) -> RecordView:
        """Add an entry: `said` has state, note and due."""
        decision = self._reading.permit("collect", called="follow_up")
        if said["state"] is not None or said["due"]:
            # Which state may follow tells the present one.
            self._reading.permit("consult", called="follow_up")
        state, note, due = said["state"], said["note"], said["due"]
        row_id = _row_id(record)
        day = as_day(due, path="due") if due else ""
        if not fits(note, 10_000):
            raise InputError([problem("told.text", "note", limit=10_000)])
        if not (note or day or state):
            raise InputError([problem("follow_up.empty", "follow_up")])
        act, now = self._archive.new_id(), self._archive.moment()
        details = self._writing.details(told, act, now)

        def intent(work: Work) -> RecordView:
            dossier = row_id.partition("/")[0]
            row = work.row("records", row_id)
            if row is None:
                self._reading.refuse(decision, "follow_up")
                raise NotFoundError()
            ops = follow_ops(self._archive, row, state=state, note=note, due=day, act=act, at=now,
                             actor=self._reading.actor.id, told=details)  # fmt: skip
            judged = self._writing.judged(work, decision, "follow_up", dossier)
            work.ops.extend(ops)
            work.stale[dossier] = None
            subject = (self._writing.head(work, dossier).pseudonym, 0, f"{PREFIX}{row.index['kind']}")
            work.events.append(self._writing.event("follow_up", judged, act, now, subject))
            return self._record(work.row("records", row_id))

        def again(known: Any) -> RecordView:
            row = self._archive.repository.get_many([Key("records", row_id)])[0]
            return self._record(row, known=known)

        return self._writing.once(
            "follow_up", decision, request_id, intent, lambda view: [view.state, view.entries], again,
            [row_id, state, note, day, told],
        )  # fmt: skip

    def entries(self, record: RecordView | RecordRef) -> list[Entry]:
        """The entries of one record, oldest first."""
        decision = self._reading.permit("consult", called="entries")
        row_id = _row_id(record)
        row, core = self._archive.repository.get_many(
            [Key("records", row_id), Key("dossiers", row_id.partition("/")[0])]
        )
        if row is None or core is None:
            self._reading.refuse(decision, "entries")
            raise NotFoundError()
        decision = self._narrow(decision, core.id, "entries")
        subject = (head_of(core.body).pseudonym, 0, f"{PREFIX}{row.index['kind']}")
        self._archive.recorder.read(self._reading.event("entries", decision, subjects=(subject,)))
        return entries_of(self._archive, row_id, decision)

    def page(self, dossier: str, kind: str | None, limit: int, after: str | None) -> RecordPage:
        """A page of the records of a dossier, newest first."""
        decision = self._reading.permit("consult", called="records")
        decision = self._narrow(decision, dossier, "records")
        members = self._reading.members(dossier)
        page = record_page(self._reading, members, kind, limit, after, decision)
        (core,) = self._archive.repository.get_many([Key("dossiers", dossier)])
        pseudonym = head_of(core.body).pseudonym if core is not None else ""
        kinds = ";".join(sorted({f"{PREFIX}{row.kind}" for row in page.rows}))
        event = self._reading.event("records", decision, subjects=((pseudonym, 0, kinds),))
        self._archive.recorder.read(event)
        return page

    def _narrow(self, decision: Decision, dossier: str, called: str) -> Decision:
        """The decision for one dossier. NotFoundError, on record, where nothing of it may be seen."""
        if decision.ruling is None:
            return decision
        (view,) = self._reading.fetch([dossier])
        if view is None:
            self._reading.refuse(decision, called)
            raise NotFoundError()
        return behind(view).decision

    def _record(self, row: Row | None, *, known: Any = None) -> RecordView:
        if row is None:
            raise NotFoundError()
        decision = self._reading.decide("consult")
        if decision.ruling is not None:
            (shown,) = self._reading.fetch([row.id.partition("/")[0]])
            if shown is not None:
                decision = behind(shown).decision
        view = record_view(self._archive, row, decision)
        if known is not None:
            view = attrs.evolve(view, state=known[0], entries=known[1])
        # Whoever may only collect learns nothing of the record that he did not say.
        return view if any(decision.masks.values()) else attrs.evolve(view, state="", entries=0, opened="")


def _row_id(record: RecordView | RecordRef) -> str:
    if isinstance(record, RecordView):
        return f"{record.dossier}/{record.id}"
    if isinstance(record, RecordRef):
        return f"{record.dossier}/{record.record}"
    raise InputError([problem("record.ref", "record")])
