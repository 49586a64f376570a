"""The custody counter: who keeps a file, and handing it over without a gap (M109-M112).

Floor: desk. `desk.custody`. There is one custodian at a time, or none yet; what rules make of it holds from the commit
that hands the file over.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Unpack

import attrs

from dossier.desk.changes import Told, fits
from dossier.desk.history import answered
from dossier.desk.reading import Reading, Target
from dossier.desk.views import behind
from dossier.desk.writing import Writing, named
from dossier.errors import InputError, NotFoundError
from dossier.model.problems import problem
from dossier.repository import Index

if TYPE_CHECKING:
    from dossier.desk.views import DossierView
    from dossier.desk.work import Work


@attrs.frozen
class Custody:
    """Who keeps a file (name, "" nobody yet), and which team it belongs to ("" none)."""

    custodian: str = attrs.field(repr=False)
    team: str


class CustodyCounter:
    """Hand a file over (`hand_over`), see who has it (`of`)."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._writing = writing
        self._again = partial(answered, reading)

    def of(self, dossier: Target) -> Custody:
        """Who keeps a file, for whoever may consult it."""
        decision = self._reading.permit("consult", called="custody")
        (view,) = self._reading.fetch([self._reading.known(dossier, decision, "custody")])
        if view is None:
            self._reading.refuse(decision, "custody")
            raise NotFoundError()
        seen = behind(view)
        subject = (seen.head.pseudonym, seen.head.rev, "custody")
        self._archive.recorder.read(self._reading.event("custody", seen.decision, subjects=(subject,)))
        return Custody(self._archive.staff.by_id(seen.head.custodian), seen.head.team)

    def hand_over(
        self, dossier: Target, *, to: str, team: str | None = None, request_id: str | None = None, **told: Unpack[Told]
    ) -> DossierView:
        """Give a file to a custodian by his enrolled name, and to a `team` ("" none; None: as it was). In one act, so
        that somebody has it at every moment. InputError for somebody who is not enrolled."""
        decision = self._reading.permit("custody", called="hand_over")
        target = self._reading.known(dossier, decision, "hand_over")
        found = self._archive.staff.named(to)
        if found is None:
            raise InputError([problem("staff.unknown", "to")])
        if team is not None and not fits(team, 200):
            raise InputError([problem("staff.team", "team")])
        actor = found.id
        act, now = self._archive.new_id(), self._archive.moment()
        self._writing.details(told, act, now)

        def intent(work: Work) -> DossierView:
            loaded = work.load(target)
            judged = self._writing.judged(work, decision, "hand_over", target)
            acting = self._writing.begin(loaded, "hand_over", act, now, told)
            acting.told_as(told)
            acting.hand_over(actor, loaded.head.team if team is None else team)
            view = self._writing.finish(work, acting, "hand_over", judged)
            if loaded.special_version and not loaded.head.linked:
                work.ops.append(Index("special", loaded.id, loaded.special_index, 0, True))
            return view

        return self._writing.once(
            "hand_over", decision, request_id, intent, named, self._again, [target, actor, team, told]
        )
