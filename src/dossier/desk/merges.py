"""The merges counter: two files of one customer, linked and unlinked (M71).

Floor: desk. `desk.merges`. A merge is a link: nothing is moved, both numbers keep working, and taking the link away
leaves every claim, later ones too, at its origin.
"""

from __future__ import annotations

from functools import partial
from typing import Unpack

from dossier.desk.changes import Told
from dossier.desk.history import answered
from dossier.desk.layout import head_index
from dossier.desk.reading import Reading, Target
from dossier.desk.views import DossierView
from dossier.desk.work import Work
from dossier.desk.writing import Writing, after, named
from dossier.errors import InputError
from dossier.model.problems import problem
from dossier.repository import Index


class MergesCounter:
    """Link (`merge`) and unlink (`unmerge`) two dossiers."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._writing = writing
        self._again = partial(answered, reading)

    def merge(
        self, survivor: Target, absorbed: Target, *, request_id: str | None = None, **told: Unpack[Told]
    ) -> DossierView:
        """From now on both read as one file under the survivor's number; the absorbed number keeps working.

        InputError where they are of different kinds, the same, or linked already.
        """
        return self._link(survivor, absorbed, "merge", request_id, told)

    def unmerge(
        self, survivor: Target, absorbed: Target, *, request_id: str | None = None, **told: Unpack[Told]
    ) -> DossierView:
        """Take the link away. InputError where there is none."""
        return self._link(survivor, absorbed, "unmerge", request_id, told)

    def _link(self, survivor: Target, absorbed: Target, verb: str, request_id: str | None, told: Told) -> DossierView:
        decision = self._reading.permit("edit", called=verb)
        first, second = (self._reading.known(each, decision, verb) for each in (survivor, absorbed))
        act, now = self._archive.new_id(), self._archive.moment()
        self._writing.details(told, act, now)

        def intent(work: Work) -> DossierView:
            one, other = work.load(first), work.load(second)
            linked = other.head.into == first
            if (
                first == second
                or one.head.kind != other.head.kind
                or (verb == "merge" and (one.head.into or other.head.into))
                or (verb == "unmerge" and not linked)
            ):
                raise InputError([problem("merge.link", verb)])
            judged = [self._writing.judged(work, decision, verb, each) for each in (first, second)]
            # One instant for both, behind all that either file has: it says what was known of both by then (K7).
            at = max(now, after(one.head.at), after(other.head.at))
            begun = [(loaded, self._writing.begin(loaded, verb, act, at, told)) for loaded in (one, other)]
            if verb == "merge":
                one.head.linked = [*one.head.linked, second]
                one.head.merged = True
                other.head.into = first
                links = {"absorb": second}
            else:
                one.head.linked = [member for member in one.head.linked if member != second]
                other.head.into = ""
                links = {"release": second}
            begun[0][1].said.moved = links
            begun[1][1].said.moved = {"into" if verb == "merge" else "out_of": first}
            for (loaded, acting), allowed in zip(begun, judged, strict=True):
                loaded.index = {n: v for n, v in loaded.index.items() if n != "into"} | head_index(loaded.head)
                acting.told_as(told)
                self._writing.aside(loaded)
                work.ops.extend(acting.rows())
                if loaded.special_version:
                    work.ops.append(Index("special", loaded.id, loaded.special_index, 0, True))
                work.stale[loaded.id] = None
                subject = (loaded.head.pseudonym, loaded.head.rev, "")
                work.events.append(self._writing.event(verb, allowed, act, acting.head.at, subject))
            if verb == "unmerge":
                self._indexed(work, second)
            elif other.head.linked:
                # What those below it say is found under the survivor now, and no longer under this one.
                self._writing.index(work, second, [(other.body, other.special_body)])
            bodies, top = self._indexed(work, first)
            # Alone again, the survivor is shown as it stands only while no span of validity has changed it since.
            return self._writing.shown(work, bodies, top, work.load(first).core.until)

        return self._writing.once(verb, decision, request_id, intent, named, self._again, [first, second, told])

    def _indexed(self, work: Work, member: str) -> tuple[list[tuple[bytes, bytes]], str]:
        """A file is found by what its linked set shows; the one taken out by its own again."""
        bodies, top = self._writing.bodies(work, member), self._writing.top(work, member)
        self._writing.index(work, top, bodies)
        return bodies, top
