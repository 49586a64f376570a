"""The claims counter: what was said about a field, marks on it, single withdrawals, "same part?" (M66, M72).

Floor: desk. `desk.claims`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Unpack

import attrs

from dossier.codec.acts import Mark, decode_act, replay
from dossier.codec.anatomy import anatomy
from dossier.codec.typed import typed
from dossier.desk.acting import Acting, Loaded
from dossier.desk.changes import Told
from dossier.desk.reading import Target
from dossier.desk.views import DossierView, Origin, origin_of, path_repr
from dossier.desk.work import Work
from dossier.errors import InputError, NotFoundError, ReadableFieldError
from dossier.model.absence import Absence
from dossier.model.claims import MARKS, Claim, absent, pattern, section_of
from dossier.model.problems import problem

if TYPE_CHECKING:
    from dossier.desk.desk import Desk


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

    def __init__(self, desk: Desk) -> None:
        self._archive = desk.archive
        self._reading = desk.reading
        self._writing = desk.writing

    def of(self, dossier: Target, path: str) -> tuple[Statement, ...]:
        """Every live claim on a leaf, from the acts: also those a newer one of the same channel stands before."""
        decision = self._reading.permit("consult", called="claims")
        target = self._reading.resolve(dossier)
        (view,) = self._reading.fetch([target])
        if view is None:
            raise NotFoundError()
        if not view.readable(path):
            self._reading.refuse(decision, "claims")
            raise ReadableFieldError(path=path, field=pattern(path), role=self._reading.role)
        shown = view.origin(path)
        found: list[Statement] = []
        for member in self._reading.members(target):
            spec = self._archive.registry.spec(section_of(path), view.kind)
            for claim in self._live(member, view.kind, anatomy(spec).home(path), path):
                origin = origin_of(claim.source, claim.marks)
                is_shown = shown is not None and (origin.act, origin.channel) == (shown.act, shown.channel)
                reason = absent(claim.value)
                value = Absence(reason) if reason else typed(spec.leaf(pattern(path)), claim.value)
                found.append(Statement(member, path, value, origin, is_shown))
        subject = self._reading.subject(decision, view.head)
        self._archive.recorder.read(self._reading.event("claims", decision, subjects=(subject,)))
        return tuple(sorted(found, key=lambda s: (not s.shown, s.origin.at)))

    def verify(
        self,
        statement: Statement,
        *,
        mark: Literal["checked", "proven"] = "checked",
        on: bool = True,
        **told: Unpack[Told],
    ) -> DossierView:
        """Mark a claim: `checked` copied right (M72), `proven` evidence was seen (M66; `evidence=` is required)."""
        if mark not in ("checked", "proven"):
            raise InputError([problem("claims.mark", "mark", words="checked, proven")])
        if mark == "proven" and on and not told.get("evidence"):
            raise InputError([problem("claims.evidence", "evidence")])
        return self._mark(statement, mark, on, "verify", told)

    def dispute(self, statement: Statement, *, on: bool = True, **told: Unpack[Told]) -> DossierView:
        """Contest a claim: it gives way to any that is not contested. `on=False` lifts it."""
        return self._mark(statement, "disputed", on, "dispute", told)

    def withdraw(self, statement: Statement, **told: Unpack[Told]) -> DossierView:
        """End one claim; what it hid shows again."""

        def step(acting: Acting) -> None:
            acting.retract(
                statement.path, statement.origin.act, statement.origin.channel, self._claims_of(acting.loaded)
            )

        return self._act(statement.dossier, "withdraw", statement.path, step, told)

    def settle(self, dossier: Target, path: str, *, same: bool, **told: Unpack[Told]) -> DossierView:
        """Answer a "same part?" question (`view.questions()`): `path` is the new part."""
        target = self._reading.resolve(dossier)

        def step(acting: Acting) -> None:
            known = acting.loaded.core.questions.get(path) or acting.loaded.special.questions.get(path, "")
            acting.answer(path, known if same else "")

        return self._act(target, "settle", path, step, told)

    # -- inner steps ------------------------------------------------------------------------------

    def _mark(self, statement: Statement, mark: str, on: bool, verb: str, told: Told) -> DossierView:
        named = Mark(statement.path, statement.origin.act, statement.origin.channel, mark, on)

        def step(acting: Acting) -> None:
            acting.mark(named, MARKS[mark], self._claims_of(acting.loaded))

        return self._act(statement.dossier, verb, statement.path, step, told)

    def _act(self, dossier: str, verb: str, path: str, step: Callable[[Acting], None], told: Told) -> DossierView:
        decision = self._reading.permit("edit", called=verb)
        act, now = self._archive.new_id(), self._archive.moment()
        self._writing.details(told, act, now)

        def intent(work: Work) -> DossierView:
            loaded = work.load(dossier)
            spec = self._archive.registry.spec(section_of(path), loaded.head.kind)
            field = path.partition("/")[2].partition("[")[0].partition("{")[0].partition("/")[0]
            if not decision.mask(spec) & anatomy(spec).masks.get(field, 0):
                raise ReadableFieldError(path=path, field=field, role=self._reading.role)
            acting = self._writing.begin(loaded, verb, act, now, told)
            step(acting)
            return self._writing.finish(work, acting, verb)

        return self._writing.run(intent)

    def _claims_of(self, loaded: Loaded) -> Callable[[str, str], list[Claim]]:
        def live(compartment: str, path: str) -> list[Claim]:
            return self._live(loaded.id, loaded.head.kind, compartment, path)

        return live

    def _live(self, dossier: str, kind: str, compartment: str, path: str) -> list[Claim]:
        rows = self._archive.repository.scan("acts", start=f"{dossier}/", stop=f"{dossier}0")
        apart = compartment == "special"
        acts = [decode_act(row.body) for row in rows if row.id.endswith("~special") == apart]

        def kinds(section: str) -> dict[str, str] | None:
            spec = self._archive.registry.find(section, kind)
            return dict(anatomy(spec).kinds) if spec is not None else None

        return replay(acts, kinds).claims.get(path, [])
