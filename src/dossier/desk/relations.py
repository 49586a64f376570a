"""The relations counter: who is tied to whom, from both ends (M44).

Floor: desk. `desk.relations`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Unpack

import attrs

from dossier.codec.state import head_of
from dossier.desk.changes import Told, fits
from dossier.desk.layout import core_scope
from dossier.desk.reading import Target
from dossier.desk.work import Work
from dossier.errors import InputError, NotFoundError
from dossier.model.clock import as_day
from dossier.model.problems import problem
from dossier.model.records import INVERSE, Relation
from dossier.repository import Has, IndexValue, Key, Put, Query, decode, encode

if TYPE_CHECKING:
    from dossier.desk.desk import Desk


class RelationsCounter:
    """Tie two dossiers (`add`), look at the ties of one (`of`)."""

    def __init__(self, desk: Desk) -> None:
        self._archive = desk.archive
        self._reading = desk.reading
        self._writing = desk.writing

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
        """`a` stands in relation `kind` to `b` (buys_for, colleague, introduced, …; the vocabulary is open)."""
        decision = self._reading.permit("collect", called="relate")
        first, second = (self._reading.known(each, decision, "relate") for each in (a, b))
        days = [as_day(day, path=name) if day else "" for name, day in (("since", since), ("until", until))]
        if first == second or not kind or not fits(kind, 200) or not fits(note, 10_000):
            raise InputError([problem("relation.ends", "relation")])
        act, now = self._archive.new_id(), self._archive.moment()
        details = self._writing.details(told, act, now)
        body = {"a": first, "b": second, "kind": kind, "since": days[0], "until": days[1], "note": note,
                "act": act, "actor": self._reading.actor.id, "at": now, **details}  # fmt: skip

        def intent(work: Work) -> Relation:
            heads = [self._writing.head(work, end) for end in (first, second)]
            index: dict[str, IndexValue] = {"ends": tuple(sorted((first, second))), "kind": kind}
            work.ops.append(Put("relations", act, encode(body), index, core_scope(first), 0))
            for head in heads:
                work.events.append(self._writing.event("relate", decision, act, now, (head.pseudonym, 0, "relation")))
            return Relation(a=first, b=second, kind=kind, since=days[0], until=days[1], note=note)

        return self._writing.once("relate", request_id, intent, attrs.asdict, lambda known: Relation(**known))

    def of(self, dossier: Target, *, limit: int = 200) -> tuple[Relation, ...]:
        """The ties of a dossier, each as seen from it (the inverse kind where it is the other end)."""
        decision = self._reading.permit("consult", called="relations")
        target = self._reading.known(dossier, decision, "relations")
        (core,) = self._archive.repository.get_many([Key("dossiers", target)])
        if core is None:
            raise NotFoundError()
        page = self._archive.repository.find(Query(collection="relations", where=Has("ends", target), limit=limit))
        found = []
        for row in page.rows:
            said = decode(row.body)
            a, b, kind = said["a"], said["b"], said["kind"]
            if b == target:
                a, b, kind = b, a, INVERSE.get(kind, kind)
            found.append(Relation(a=a, b=b, kind=kind, since=said["since"], until=said["until"], note=said["note"]))
        subject = (head_of(core.body).pseudonym, 0, "relation")
        self._archive.recorder.read(self._reading.event("relations", decision, subjects=(subject,)))
        return tuple(found)
