"""The relations counter: who is tied to whom, from both ends (M44).

Floor: desk. `desk.relations`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Unpack

import attrs

from dossier.codec.state import head_of
from dossier.desk.changes import Told, fits
from dossier.desk.layout import core_scope
from dossier.desk.reading import Reading, Target
from dossier.desk.stored import StoredTie, stored_tie, tie_index
from dossier.desk.views import behind
from dossier.desk.work import Work
from dossier.desk.writing import Writing
from dossier.errors import InputError, NotFoundError
from dossier.model.clock import as_day
from dossier.model.problems import problem
from dossier.model.records import INVERSE, Relation
from dossier.policy import Decision
from dossier.repository import Has, Key, Or, Put, Query, decode, encode


class RelationsCounter:
    """Tie two dossiers (`add`), end a tie (`end`), look at the ties of one (`of`)."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._writing = writing

    def add(
        self,
        a: Target,
        b: Target,
        *,
        kind: str,
        since: dt.date | str = "",
        until: dt.date | str = "",
        note: str = "",
        request_id: str | None = None,
        **told: Unpack[Told],
    ) -> Relation:
        """`a` stands in relation `kind` to `b` (buys_for, colleague, introduced, …; the vocabulary is open).

        InputError where both ends are one file, or `since` is after `until`.
        """
        decision = self._reading.permit("collect", called="relate")
        first, second = (self._reading.known(each, decision, "relate") for each in (a, b))
        days = [as_day(day, path=name) if day else "" for name, day in (("since", since), ("until", until))]
        if first == second or not kind or not fits(kind, 200) or not fits(note, 10_000):
            raise InputError([problem("relation.ends", "relation")])
        _in_order(*days)
        act, now = self._archive.new_id(), self._archive.moment()
        details = self._writing.details(told, act, now)
        body = {"a": first, "b": second, "kind": kind, "since": days[0], "until": days[1], "note": note,
                "act": act, "actor": self._reading.actor.id, "at": now, **details}  # fmt: skip

        def intent(work: Work) -> Relation:
            tie = stored_tie(encode(body))
            work.ops.append(Put("relations", act, encode(body), tie_index(tie), core_scope(first), 0))
            self._events(work, decision, body)
            return _relation(act, tie)

        asked = [first, second, kind, days, note, told]
        return self._writing.once("relate", decision, request_id, intent, lambda tie: tie.id, self._again, asked)

    def end(
        self, relation: Relation, *, until: dt.date | str, request_id: str | None = None, **told: Unpack[Told]
    ) -> Relation:
        """Say until when a relation lasted, as seen from the end that `relation` names first; what was said of it
        before is kept. InputError for a day before it began, NotFoundError for a relation that `of` did not give."""
        decision = self._reading.permit("collect", called="relate")
        day = as_day(until, path="until")
        act, now = self._archive.new_id(), self._archive.moment()
        details = self._writing.details(told, act, now)

        def intent(work: Work) -> Relation:
            row = work.row("relations", relation.id) if relation.id else None
            if row is None:
                raise NotFoundError()
            said = decode(row.body)
            _in_order(said["since"], day)
            before = [*said.get("before", ()), {name: said[name] for name in ("act", "actor", "at", "until", *details)}]
            said |= {"act": act, "actor": self._reading.actor.id, "at": now, "before": before, "until": day, **details}
            work.ops.append(Put("relations", row.id, encode(said), row.index, row.scope, row.version))
            self._events(work, decision, said)
            return attrs.evolve(relation, until=day)

        def again(known: str) -> Relation:
            return attrs.evolve(relation, until=known)

        asked = [relation.id, day, told]
        return self._writing.once("relate", decision, request_id, intent, lambda tie: tie.until, again, asked)

    def of(self, dossier: Target) -> tuple[Relation, ...]:
        """All ties of a dossier, each as seen from it (the inverse kind where it is the other end). A linked set has
        those of all its files, seen from the survivor; what ties two of its own files is left out."""
        decision = self._reading.permit("consult", called="relations")
        target = self._reading.known(dossier, decision, "relations")
        (core,) = self._archive.repository.get_many([Key("dossiers", target)])
        if core is None:
            self._reading.refuse(decision, "relations")
            raise NotFoundError()
        members = self._reading.members(target)
        if decision.ruling is not None:
            (view,) = self._reading.fetch([target])
            if view is None:
                self._reading.refuse(decision, "relations")
                raise NotFoundError()
            decision = behind(view).decision
        found: list[Relation] = []
        after: str | None = None
        while True:
            where = Or(tuple(Has("ends", member) for member in members))
            page = self._archive.repository.find(Query(collection="relations", where=where, limit=1000, after=after))
            for row in page.rows:
                tie = _relation(row.id, stored_tie(row.body))
                if tie.a in members and tie.b in members:
                    continue
                if tie.b in members:
                    tie = attrs.evolve(tie, a=tie.b, b=tie.a, kind=INVERSE.get(tie.kind, tie.kind))
                found.append(attrs.evolve(tie, a=members[0]))
            after = page.cursor
            if after is None:
                break
        subject = (head_of(core.body).pseudonym, 0, "relation")
        self._archive.recorder.read(self._reading.event("relations", decision, subjects=(subject,)))
        return tuple(found)

    def _events(self, work: Work, decision: Decision, said: Mapping[str, Any]) -> None:
        for end in (said["a"], said["b"]):
            subject = (self._writing.head(work, end).pseudonym, 0, "relation")
            judged = self._writing.judged(work, decision, "relate", end)
            work.events.append(self._writing.event("relate", judged, said["act"], said["at"], subject))

    def _again(self, known: str) -> Relation:
        (row,) = self._archive.repository.get_many([Key("relations", known)])
        if row is None:
            raise NotFoundError()
        return _relation(known, stored_tie(row.body))


def _relation(id: str, tie: StoredTie) -> Relation:
    return Relation(id=id, a=tie.a, b=tie.b, kind=tie.kind, since=tie.since, until=tie.until, note=tie.note)


def _in_order(since: str, until: str) -> None:
    if since and until and since > until:
        raise InputError([problem("relation.span", "until")])
