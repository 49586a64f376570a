"""The desk: what an application calls. A dozen verbs; the rest stands at counters built on first touch.

Floor: desk.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final, NoReturn, Unpack

import attrs

from dossier.codec.state import Head, head_of
from dossier.desk.answers import Entered, Hits, Receipt, RecordRef
from dossier.desk.changes import Change, Draft, Told, change
from dossier.desk.finding import Condition, Plan, current_numbers, field, open_cursor, seal_cursor
from dossier.desk.history import History, Known, answered, read_known, read_on, version_of
from dossier.desk.layout import head_index
from dossier.desk.prepared import withdraws
from dossier.desk.reading import Reading, Target
from dossier.desk.record_verbs import Records
from dossier.desk.recording import shape_hash
from dossier.desk.records import Entry, RecordView
from dossier.desk.views import DossierView, behind
from dossier.desk.work import Intent, Unit, Work
from dossier.desk.writing import Writing, named
from dossier.errors import InputError, Lang, NotFoundError, NotPicklableError, QuestionOpenError, ReadableFieldError
from dossier.model.party import PartyKind, Stage, Standing
from dossier.model.problems import problem
from dossier.policy import Decision
from dossier.present import Brief, brief_of, card_text
from dossier.repository import Key

if TYPE_CHECKING:
    from dossier.desk.archive import Archive
    from dossier.desk.claims import ClaimsCounter
    from dossier.desk.custody import CustodyCounter
    from dossier.desk.exports import ExportsCounter
    from dossier.desk.glass import GlassCounter
    from dossier.desk.imports import ImportsCounter
    from dossier.desk.ledger import LedgerCounter
    from dossier.desk.merges import MergesCounter
    from dossier.desk.placing import UnplacedCounter
    from dossier.desk.policies import PoliciesCounter
    from dossier.desk.relations import RelationsCounter
    from dossier.desk.staff import Actor


class Desk:
    """One actor at work, under one role and purpose. Every call is judged and recorded."""

    def __init__(
        self, archive: Archive, actor: Actor, role: str, purpose: str, unit: Unit | None = None, because: str = ""
    ) -> None:
        self._archive = archive
        self._actor = actor
        self._reading = Reading(archive, actor, role, purpose)
        self._writing = Writing(archive, self._reading, unit, because)
        self._records = Records(self._reading, self._writing)
        self._reading.pages = self._records.page
        self._again = partial(answered, self._reading)

    @property
    def actor(self) -> Actor:
        """Who is at work here."""
        return self._actor

    # -- taking in --------------------------------------------------------------------------------

    def register(
        self,
        name: str | None = None,
        /,
        *changes: Change,
        kind: str,
        standing: str = "customer",
        stage: str = "prospect",
        request_id: str | None = None,
        **told: Unpack[Told],
    ) -> DossierView:
        """Open a file for a new customer (M1-M5) and give it a registration number.

        `kind` person, organization or group; `name` is asserted as `basic/name`. None opens a file of somebody whose
        name is not known yet (a caller, a guest at the door); a blank text is no name and is refused. InputError lists
        every problem; nothing is written then.
        """
        decision = self._reading.permit("collect", called="register")
        _party(kind, standing, stage)
        _only(changes, Change)
        said = [*([change("basic", name=name)] if name is not None else []), *changes]
        prepared = self._writing.prepare(said, kind, told)
        archive = self._archive
        dossier, act, pseudonym, now = archive.new_id(), archive.new_id(), archive.new_id()[:16], archive.moment()
        given: list[str] = []

        def intent(work: Work) -> DossierView:
            if not given:
                given.append(archive.number(kind))
            head = Head(kind=kind, number=given[0], pseudonym=pseudonym, stage=stage, standing=standing)
            loaded = work.fresh(dossier, head)
            loaded.index.update(head_index(head))
            return self._writing.act(work, loaded, "register", act, now, prepared, told, decision)

        asked = [kind, standing, stage, said, told]
        return self._writing.once("register", decision, request_id, intent, named, self._again, asked)

    def update(
        self,
        dossier: Target,
        *changes: Change,
        stage: str = "",
        standing: str = "",
        request_id: str | None = None,
        **told: Unpack[Told],
    ) -> DossierView:
        """Add claims to a dossier, or move it to another `stage` or `standing` (M4, M6).

        Passing a view makes ConflictError when a field named here changed since that view; passing a number or id
        asks for no check (K5). `UNSET`, removals and moves need the right to edit.
        """
        decision = self._reading.permit("collect", called="update")
        _only(changes, Change)
        _party("person", "customer" if standing == "" else standing, "prospect" if stage == "" else stage)
        if stage or standing or any(withdraws(item) for item in changes):
            decision = self._reading.permit("edit", called="update")
        if not (changes or stage or standing):
            raise InputError([problem("enter.empty", "update")])
        target = self._reading.known(dossier, decision, "update")
        basis = dossier if isinstance(dossier, DossierView) else None
        act, now = self._archive.new_id(), self._archive.moment()

        def intent(work: Work) -> DossierView:
            # What this unit itself has changed since the view is no conflict.
            others = target not in work.loaded
            loaded = work.load(target)
            prepared = self._writing.prepare(changes, loaded.head.kind, told)
            if basis is not None and others:
                self._writing.unchanged(basis, work, loaded, prepared)
            return self._writing.act(
                work, loaded, "update", act, now, prepared, told, decision, stage=stage, standing=standing
            )

        asked = [target, changes, stage, standing, told]
        return self._writing.once("update", decision, request_id, intent, named, self._again, asked)

    def collect(
        self, dossier: Target, *what: Change | Draft, request_id: str | None = None, **told: Unpack[Told]
    ) -> Receipt:
        """Hand in facts without the right to look (M75): append-only, answered by a neutral receipt.

        What cannot be placed (an unknown number) is kept for the custodian; the receipt is the same.
        """
        decision = self._reading.permit("collect", called="collect")
        _only(what, Change, Draft)
        if any(withdraws(item) for item in what):
            raise InputError([problem("collect.append", "collect")])
        self._writing.acceptable(what, told)
        act = self._archive.new_id()
        target = self._placed(dossier)
        asked = [target or str(dossier), what, told]

        def taken(intent: Intent[object]) -> Receipt:
            return self._writing.once(
                "collect",
                decision,
                request_id,
                lambda work: (intent(work), Receipt(act))[1],
                lambda r: r.act,
                Receipt,
                asked,
            )

        if target:
            try:
                return taken(self._writing.enter(target, what, "collect", act, told, decision))
            except (InputError, QuestionOpenError) as error:
                if "request.reused" in str(error.facts.get("codes", "")):
                    raise
        # Whether the file is not there or does not take it is for the custodian to see, not for the collector.
        return taken(self._writing.unplaced(what, act, told, decision))

    def enter(
        self, dossier: Target, *what: Change | Draft, request_id: str | None = None, **told: Unpack[Told]
    ) -> Entered:
        """Enter records, and what was learned with them, as one act (M33-M37, M78): `record(…)` and `change(…)`."""
        decision = self._reading.permit("collect", called="enter")
        _only(what, Change, Draft)
        if any(withdraws(item) for item in what):
            decision = self._reading.permit("edit", called="enter")
        target = self._reading.known(dossier, decision, "enter")
        act = self._archive.new_id()
        intent = self._writing.enter(target, what, "enter", act, told, decision)
        return self._writing.once(
            "enter",
            decision,
            request_id,
            lambda work: Entered(target, intent(work), act),
            lambda entered: [entered.dossier, list(entered.records), entered.act],
            lambda known: Entered(known[0], tuple(known[1]), known[2]),
            [target, what, told],
        )

    def follow_up(
        self,
        record: RecordView | RecordRef,
        *,
        state: str | None = None,
        note: str = "",
        due: dt.date | str = "",
        request_id: str | None = None,
        **told: Unpack[Told],
    ) -> RecordView:
        """Add an entry to a record: a note, a new state, a new due day. Earlier entries stay."""
        said = {"state": state, "note": note, "due": due}
        return self._records.follow_up(record, said, request_id, told)

    # -- giving out -------------------------------------------------------------------------------

    def consult(self, dossier: Target) -> DossierView:
        """Look a dossier up by view, id or number. NotFoundError where there is none to be seen."""
        decision = self._reading.permit("consult", called="consult")
        (view,) = self._reading.fetch([self._reading.known(dossier, decision, "consult")])
        if view is None:
            self._reading.refuse(decision, "consult")
            raise NotFoundError()
        seen = behind(view)
        subject = self._reading.subject(seen.decision, seen.head)
        self._archive.recorder.read(self._reading.event("consult", seen.decision, subjects=(subject,)))
        return view

    def find(
        self,
        *,
        name: str | None = None,
        where: Condition | None = None,
        order: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Hits:
        """A page of dossiers: by part of a name, by conditions on indexed fields (`field("basic/industry") == …`).

        `order` a field path, "-" before it for descending; `after` the cursor of the page before; `limit` 1..1000.
        A condition on a field that the caller may not read is refused, never dropped (N2): ReadableFieldError.
        InputError with all that is wrong with the question; what cannot be answered is not answered with nothing.
        """
        decision = self._reading.permit("consult", called="find")
        self._archive.valid_today()
        if name is not None:
            named = field("basic/name").contains(name)
            where = named if where is None else where & named
        try:
            plan = self._plan(decision, where, order, limit)
        except ReadableFieldError as error:
            self._reading.refuse(decision, "find", shape_hash(["find", error.path]))
            raise
        key, query = self._archive.manifest.key, plan.query
        if after is not None:
            query = attrs.evolve(query, after=open_cursor(key, self._binding(plan, decision), after))
        views, cursor = self._reading.page(query, decision)
        subjects = tuple(self._reading.subject(behind(view).decision, behind(view).head) for view in views)
        event = self._reading.event("find", decision, subjects=subjects, shape=shape_hash(plan.shape))
        self._archive.recorder.read(event)
        return Hits(tuple(views), seal_cursor(key, self._binding(plan, decision), cursor) if cursor else None)

    def count(self, where: Condition | None = None) -> int:
        """How many dossiers satisfy a condition; refused like `find`."""
        decision = self._reading.permit("consult", called="count")
        self._archive.valid_today()
        try:
            plan = self._plan(decision, where, None, 1)
        except ReadableFieldError as error:
            self._reading.refuse(decision, "count", shape_hash(["count", error.path]))
            raise
        self._archive.recorder.read(self._reading.event("count", decision, shape=shape_hash(plan.shape)))
        return self._archive.repository.count(plan.query.collection, plan.query.where)

    def history(self, dossier: Target, *, on: dt.date | str | None = None, known: Known | None = None) -> History:
        """The acts on a dossier and its state (`.view`): as known at a revision or instant, as valid on a day (K7)."""
        decision = self._reading.permit("consult", called="history")
        day, bound = read_on(on), read_known(known, self._reading)
        target = self._reading.known(dossier, decision, "history")
        last = version_of(self._reading, target, bound, decision) if isinstance(bound, int) else None
        now: DossierView | None = None
        if decision.ruling is not None or (bound is None and not day):
            # Who may look at the past is decided by how things stand now.
            (now,) = self._reading.fetch([target], called="history")
            if now is None:
                self._reading.refuse(decision, "history")
                raise NotFoundError()
            decision = behind(now).decision
        if last is not None:
            head = last.seen.head
        elif now is not None and now.id == target and self._reading.unit is None:
            head = behind(now).head
        else:
            (row,) = self._reading.beside([Key("dossiers", target)], decision, "history")
            if row is None:
                self._reading.refuse(decision, "history")
                raise NotFoundError()
            head = head_of(row.body)
        subject = self._reading.subject(decision, head)
        shape = shape_hash(["history", bool(day), type(bound).__name__])
        present = now if bound is None and not day else None
        history = History(self._reading, target, decision, head, on=day, known=bound, last=last, now=present)
        self._archive.recorder.read(self._reading.event("history", decision, subjects=(subject,), shape=shape))
        return history

    def card(self, dossier: Target, *, lang: Lang | None = None) -> str:
        """The customer card as text (M2, M165), from what the caller may see."""
        view = self.consult(dossier)
        words = lang or self._archive.lang
        return card_text(view, view.records(limit=8).rows, lambda key: self._archive.registry.spec(key, view.kind),
                         lang=words)  # fmt: skip

    def brief(self, dossier: Target) -> Brief:
        """What the person about to serve must know and nothing else: form of address, taboos (M129)."""
        return brief_of(self.consult(dossier))

    def entries(self, record: RecordView | RecordRef) -> list[Entry]:
        """The entries of one record, oldest first."""
        return self._records.entries(record)

    # -- several at once --------------------------------------------------------------------------

    @contextmanager
    def unit(self, *, because: str = "") -> Iterator[Desk]:
        """Several verbs in one batch; more than 1,000 rows make several batches, each complete in itself (K11).

        The desk it gives has the same verbs; consulting by it sees what the unit has said, finding does not. An
        exception inside writes nothing of what was not written yet. A unit inside a unit is the same one; a unit
        that is over takes nothing more in (UnitEndedError).
        """
        if self._writing.unit is not None:
            yield self
            return
        unit = Unit(self._archive)
        try:
            yield Desk(self._archive, self._actor, self._reading.role, self._reading.purpose, unit, because)
            unit.flush()
        finally:
            unit.end()

    # -- counters ---------------------------------------------------------------------------------

    @cached_property
    def claims(self) -> ClaimsCounter:
        """Verify, dispute, withdraw single claims; answer "same part?" questions."""
        from dossier.desk.claims import ClaimsCounter

        return ClaimsCounter(self._reading, self._writing)

    @cached_property
    def merges(self) -> MergesCounter:
        """Link two files of one customer, and unlink them."""
        from dossier.desk.merges import MergesCounter

        return MergesCounter(self._reading, self._writing)

    @cached_property
    def relations(self) -> RelationsCounter:
        """Who is tied to whom (M44)."""
        from dossier.desk.relations import RelationsCounter

        return RelationsCounter(self._reading, self._writing)

    @cached_property
    def unplaced(self) -> UnplacedCounter:
        """What was handed in and no file took: look at it, place it (M75)."""
        from dossier.desk.placing import UnplacedCounter

        return UnplacedCounter(self._reading, self._writing)

    @cached_property
    def custody(self) -> CustodyCounter:
        """Who keeps a file, and handing it over (M109, M112)."""
        from dossier.desk.custody import CustodyCounter

        return CustodyCounter(self._reading, self._writing)

    @cached_property
    def policies(self) -> PoliciesCounter:
        """Propose another policy, approve it."""
        from dossier.desk.policies import PoliciesCounter

        return PoliciesCounter(self._reading)

    @cached_property
    def glass(self) -> GlassCounter:
        """Break the glass of one file in an emergency; review who did."""
        from dossier.desk.glass import GlassCounter

        return GlassCounter(self._reading, self._writing)

    @cached_property
    def ledger(self) -> LedgerCounter:
        """Verify the ledger, read its tail."""
        from dossier.desk.ledger import LedgerCounter

        return LedgerCounter(self._reading)

    @cached_property
    def exports(self) -> ExportsCounter:
        """Write what may be seen of customers, or of their records, to a CSV, JSON lines or XLSX file."""
        from dossier.desk.exports import ExportsCounter

        return ExportsCounter(self._reading)

    @cached_property
    def imports(self) -> ImportsCounter:
        """Take in files of customers and their dealings by a declared plan."""
        from dossier.desk.imports import ImportsCounter

        return ImportsCounter(self._writing)

    # -- inner steps ------------------------------------------------------------------------------

    def _placed(self, dossier: Target) -> str:
        try:
            target = self._reading.resolve(dossier)
        except NotFoundError:
            return ""
        (row,) = self._archive.repository.get_many([Key("dossiers", target)])
        unit = self._writing.unit
        return target if row is not None or (unit is not None and unit.pending(target) is not None) else ""

    def _plan(self, decision: Decision, where: Condition | None, order: str | None, limit: int) -> Plan:
        current = partial(current_numbers, self._archive.repository)
        guard = self._reading.guard(decision)
        return self._archive.finder.plan(decision, where=where, order=order, limit=limit, current=current, guard=guard)

    def _binding(self, plan: Plan, decision: Decision) -> tuple[bytes, ...]:
        """What a cursor is good for: this actor's query under this policy."""
        return b"find", self._actor.id.encode(), decision.policy_digest.encode(), plan.fingerprint

    def __reduce__(self) -> NoReturn:
        raise NotPicklableError(what="Desk")


_WORDS: Final = {
    name: frozenset(word.value for word in words) - {"destroyed"}
    for name, words in (("kind", PartyKind), ("standing", Standing), ("stage", Stage))
}


def _party(kind: str, standing: str, stage: str) -> None:
    found = [
        problem("party.word", name, words=", ".join(w.value for w in words if w.value != "destroyed"))
        for name, given, words in (("kind", kind, PartyKind), ("standing", standing, Standing), ("stage", stage, Stage))
        if type(given) is not str or given not in _WORDS[name]
    ]
    if found:
        raise InputError(found)


def _only(what: tuple[object, ...], *kinds: type) -> None:
    """InputError unless everything that was handed in is a change (or a draft of a record)."""
    if not all(isinstance(item, kinds) for item in what):
        raise InputError([problem("change.kind", "change")])
