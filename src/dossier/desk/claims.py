"""The claims counter: what was said about a field, marks on it, single withdrawals, "same part?" (M66, M72).

Floor: desk. `desk.claims`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Unpack

import attrs

from dossier.codec.acts import Mark, decode_act, replay
from dossier.codec.anatomy import anatomy
from dossier.codec.typed import typed
from dossier.desk.acting import Acting
from dossier.desk.changes import Told
from dossier.desk.history import answered
from dossier.desk.loaded import Loaded
from dossier.desk.origins import Origin, origin_of, path_repr
from dossier.desk.reading import Reading, Target
from dossier.desk.views import DossierView, behind
from dossier.desk.work import Work
from dossier.desk.writing import Writing, named
from dossier.errors import InputError, NotFoundError, ReadableFieldError
from dossier.model.absence import Absence
from dossier.model.claims import MARKS, Claim, absent, pattern, section_of, under
from dossier.model.fields import SectionSpec, nearest_name, shown_path
from dossier.model.problems import problem
from dossier.repository import Put


@attrs.frozen
class Statement:
    """One live claim on a leaf: its value (or an `Absence`), where it comes from, whether it is the one shown.

    `dossier` is the file it was made in; `act` and `channel` name it within its path.
    """

    dossier: str
    path: str = attrs.field(repr=path_repr)
    value: Any = attrs.field(repr=False)
    origin: Origin
    shown: bool


class ClaimsCounter:
    """Look behind a field: `of`, `verify`, `dispute`, `withdraw`, `settle`."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._writing = writing
        self._again = partial(answered, reading)

    def of(self, dossier: Target, path: str) -> tuple[Statement, ...]:
        """Every live claim at or below a path (a leaf, a whole set or series, a part), from the acts: also those that
        a newer one of the same channel stands before. ReadableFieldError where the caller may not read all of it."""
        decision = self._reading.permit("consult", called="claims")
        target = self._reading.known(dossier, decision, "claims")
        (view,) = self._reading.fetch([target])
        if view is None:
            self._reading.refuse(decision, "claims")
            raise NotFoundError()
        decision = behind(view).decision
        spec = self._archive.registry.spec(section_of(path), view.kind)
        field = _field(spec, path)
        if decision.mask(spec) & anatomy(spec).masks[field] != anatomy(spec).masks[field] and not view.readable(path):
            self._reading.refuse(decision, "claims")
            raise ReadableFieldError(path=f"{spec.key}/{field}", field=f"{spec.key}/{field}", role=self._reading.role)
        found: list[Statement] = []
        for member in self._reading.members(target):
            claims = self._live(member, view.kind, anatomy(spec).home(path)).items()
            for leaf, claim in [(leaf, claim) for leaf, said in claims if under(leaf, path) for claim in said]:
                if pattern(leaf) not in spec.bits or not view.readable(leaf):
                    continue
                origin = origin_of(claim.source, claim.marks)
                shown = view.origin(leaf)
                is_shown = shown is not None and (origin.act, origin.channel) == (shown.act, shown.channel)
                reason = absent(claim.value)
                value = Absence(reason) if reason else typed(spec.leaf(pattern(leaf)), claim.value)
                found.append(Statement(member, leaf, value, origin, is_shown))
        subject = self._reading.subject(decision, behind(view).head)
        self._archive.recorder.read(self._reading.event("claims", decision, subjects=(subject,)))
        return tuple(sorted(found, key=lambda s: (s.path, not s.shown, s.origin.at)))

    def verify(
        self,
        statement: Statement,
        *,
        mark: Literal["checked", "proven"] = "checked",
        on: bool = True,
        request_id: str | None = None,
        **told: Unpack[Told],
    ) -> DossierView:
        """Mark a claim: `checked` copied right (M72), `proven` evidence was seen (M66; `evidence=` is required)."""
        if mark not in ("checked", "proven"):
            raise InputError([problem("claims.mark", "mark", words="checked, proven")])
        if mark == "proven" and on and not told.get("evidence"):
            raise InputError([problem("claims.evidence", "evidence")])
        return self._mark(statement, mark, on, "verify", request_id, told)

    def dispute(
        self, statement: Statement, *, on: bool = True, request_id: str | None = None, **told: Unpack[Told]
    ) -> DossierView:
        """Contest a claim: it gives way to any that is not contested. `on=False` lifts it."""
        return self._mark(statement, "disputed", on, "dispute", request_id, told)

    def withdraw(self, statement: Statement, *, request_id: str | None = None, **told: Unpack[Told]) -> DossierView:
        """End one claim; what it hid shows again."""
        path, origin = statement.path, statement.origin

        def step(work: Work, acting: Acting) -> None:
            acting.retract(path, origin.act, origin.channel, self._claims_of(work, acting.loaded))

        return self._act(statement.dossier, "withdraw", path, step, request_id, told)

    def settle(
        self, dossier: Target, path: str, *, same: bool, request_id: str | None = None, **told: Unpack[Told]
    ) -> DossierView:
        """Answer a "same part?" question (`view.questions()`): `path` is the new part."""
        target = self._reading.known(dossier, self._reading.permit("edit", called="settle"), "settle")

        def step(work: Work, acting: Acting) -> None:
            known = acting.loaded.core.questions.get(path) or acting.loaded.special.questions.get(path, "")
            if not known:
                raise InputError([problem("part.no_question", shown_path(*pattern(path).split("/")))])
            acting.answer(path, known if same else "")

        return self._act(target, "settle", path, step, request_id, told)

    # -- inner steps ------------------------------------------------------------------------------

    def _mark(
        self, statement: Statement, mark: str, on: bool, verb: str, request_id: str | None, told: Told
    ) -> DossierView:
        named = Mark(statement.path, statement.origin.act, statement.origin.channel, mark, on)

        def step(work: Work, acting: Acting) -> None:
            acting.mark(named, MARKS[mark], self._claims_of(work, acting.loaded))

        return self._act(statement.dossier, verb, statement.path, step, request_id, told)

    def _act(
        self,
        dossier: str,
        verb: str,
        path: str,
        step: Callable[[Work, Acting], None],
        request_id: str | None,
        told: Told,
    ) -> DossierView:
        decision = self._reading.permit("edit", called=verb)
        act, now = self._archive.new_id(), self._archive.moment()
        self._writing.details(told, act, now)

        def intent(work: Work) -> DossierView:
            loaded = work.load(dossier)
            spec = self._archive.registry.spec(section_of(path), loaded.head.kind)
            field = _field(spec, path)
            judged = self._writing.judged(work, decision, verb, dossier)
            if not judged.mask(spec) & anatomy(spec).masks[field]:
                raise ReadableFieldError(path=f"{spec.key}/{field}", field=field, role=self._reading.role)
            acting = self._writing.begin(loaded, verb, act, now, told)
            acting.told_as(told)
            step(work, acting)
            return self._writing.finish(work, acting, verb, judged)

        return self._writing.once(verb, decision, request_id, intent, named, self._again, [dossier, path, verb, told])

    def _claims_of(self, work: Work, loaded: Loaded) -> Callable[[str, str], list[Claim]]:
        def live(compartment: str, path: str) -> list[Claim]:
            return self._live(loaded.id, loaded.head.kind, compartment, work).get(path, [])

        return live

    def _live(self, dossier: str, kind: str, compartment: str, work: Work | None = None) -> dict[str, list[Claim]]:
        """All live claims of a compartment, from the acts stored and those that wait in the same batch."""
        stored = self._archive.repository.scan("acts", start=f"{dossier}/", stop=f"{dossier}0")
        rows = [(row.id, row.body) for row in stored]
        for op in work.ops if work is not None else ():
            if isinstance(op, Put) and op.collection == "acts" and op.id.startswith(f"{dossier}/"):
                rows.append((op.id, op.body))
        apart = compartment == "special"
        acts = [decode_act(body) for row_id, body in rows if row_id.endswith("~special") == apart]

        def kinds(section: str) -> dict[str, str] | None:
            spec = self._archive.registry.find(section, kind)
            return dict(anatomy(spec).kinds) if spec is not None else None

        return replay(acts, kinds).claims


def _field(spec: SectionSpec, path: str) -> str:
    """The field that a path lies in. InputError with the nearest name where there is none."""
    field = pattern(path).partition("[")[0].partition("/")[0]
    if field not in spec.fields:
        nearest = nearest_name(field, spec.fields)
        raise InputError([problem("field.unknown", shown_path(spec.key, field), nearest=nearest)])
    return field
