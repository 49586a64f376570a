"""The one write path: prepared changes become acts, records and events of one batch (K4, K5, K11).

Floor: desk.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dossier.codec.acts import decode_act
from dossier.codec.anatomy import anatomy
from dossier.codec.state import Head, head_of
from dossier.desk.acting import Acting
from dossier.desk.changes import Change, Draft, Told, fits, told_source
from dossier.desk.indexes import shown_terms
from dossier.desk.layout import GUARDS, INTO, act_id, apart_index, special_scope
from dossier.desk.loaded import Loaded, changed_since
from dossier.desk.prepared import Prepared, apply, plain, spec_of
from dossier.desk.reading import Reading
from dossier.desk.records import enter_ops, parse_draft
from dossier.desk.repeated import repeated
from dossier.desk.unplaced import pack
from dossier.desk.views import DossierView, Facts, behind
from dossier.desk.work import Intent, Unit, Work, perform
from dossier.errors import ConflictError, InputError, NotFoundError, Problem
from dossier.ledger import Event
from dossier.model.claims import section_of
from dossier.model.clock import day_of, instant
from dossier.model.fields import SectionSpec
from dossier.model.party import PartyKind
from dossier.model.problems import problem
from dossier.model.records import PREFIX
from dossier.policy import Decision
from dossier.repository import Check, Index, Key, Put, decode, encode

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

T = TypeVar("T")
_NOTE = 10_000


class Writing:
    """Writes of one actor, alone or gathered in a unit."""

    def __init__(self, archive: Archive, reading: Reading, unit: Unit | None, because: str) -> None:
        self.archive = archive
        self.reading = reading
        self.unit = reading.unit = unit
        self._because = because

    # -- running ----------------------------------------------------------------------------------

    def run(self, intent: Intent[T]) -> T:
        """Run an intent now, or within the unit."""
        if self.unit is not None:
            return self.unit.run(intent)
        return cast(T, perform(self.archive, [intent])[0])

    def once(
        self,
        called: str,
        decision: Decision,
        request_id: str | None,
        intent: Intent[T],
        answer: Callable[[T], Any],
        again: Callable[[Any], T],
        asked: object = None,
    ) -> T:
        """Run an intent with a request id: the same id of the same actor twice has one effect and the same answer
        (K5), on record each time, for `decision` permits it anew. InputError where it comes back with something else
        that is `asked`. Another actor's ids are his own: else whoever guesses what was said would be told that he
        guessed right."""
        if request_id is None:
            return self.run(intent)
        if not request_id or not fits(request_id, 200):
            raise InputError([problem("request.id", "request_id")])
        key = hashlib.sha256(f"{self.reading.actor.id}\0{called}\0{request_id}".encode()).hexdigest()
        print_of = hmac.new(self.archive.manifest.staff_key, plain(asked), hashlib.sha256).hexdigest()

        def guarded(work: Work) -> tuple[Callable[[Any], T] | None, Any]:
            if key in work.answers:
                return _as_it_is, self._same(work.answers[key], print_of)
            row = work.row("requests", key)
            if row is not None:
                known = decode(row.body)
                return again, self._same((known["asked"], known["answer"]), print_of)
            result = intent(work)
            body = encode({"answer": answer(result), "asked": print_of})
            work.ops.append(Put("requests", key, body, {}, "", 0))
            work.answers[key] = (print_of, result)
            return None, result

        anew, known = self.run(guarded)
        if anew is None:
            return cast(T, known)
        result = anew(known)
        repeated(self.reading, called, decision, result)
        return result

    @staticmethod
    def _same(known: tuple[str, Any], asked: str) -> Any:
        if known[0] != asked:
            raise InputError([problem("request.reused", "request_id")])
        return known[1]

    # -- preparing --------------------------------------------------------------------------------

    def prepare(self, changes: Sequence[Change], kind: str, told: Told) -> list[Prepared]:
        """Read changes at the door. InputError lists the problems of all of them."""
        problems: list[Problem] = []
        found: list[Prepared] = []
        for item in changes:
            try:
                found.append(self._prepared(item, kind, told))
            except InputError as error:
                problems.extend(error.problems)
        try:
            told_source(told, act="", rev=0, at=instant(self.archive.environment.now()), zone=self.archive.zone)
            self.because(told)
        except InputError as error:
            problems.extend(error.problems)
        if problems:
            raise InputError(problems)
        return found

    def _prepared(self, item: Change, kind: str, told: Told) -> Prepared:
        registry = self.archive.registry
        if not isinstance(item, Change):
            raise InputError([problem("change.shape", "change")])
        how = item.told if item.told is not None else told
        if item.typed is not None:
            spec = spec_of(registry, type(item.typed), kind)
            return Prepared(spec, how, None, self.archive.door.check(item.typed))
        if isinstance(item.section, str):
            spec = registry.spec(item.section, kind)
            if spec.key.startswith(PREFIX):
                raise InputError([problem("change.section", "change")])
        else:
            spec = spec_of(registry, item.section, kind)
        parsed = self.archive.door.parse(spec, item.values)
        if parsed.problems:
            raise InputError(parsed.problems)
        return Prepared(spec, how, parsed, None)

    def because(self, told: Told) -> str:
        """Why: of the call, else of the unit. InputError if it is no text of at most 10,000 characters."""
        given = told.get("because") or self._because
        if not fits(given, _NOTE):
            raise InputError([problem("told.text", "because", limit=_NOTE)])
        return given

    # -- acts -------------------------------------------------------------------------------------

    def begin(self, loaded: Loaded, verb: str, act: str, now: str, told: Told) -> Acting:
        """An act on a dossier, recorded after everything the dossier has (K7)."""
        at = self.archive.not_before(now, after(loaded.head.at))
        return Acting(
            self.archive.context, loaded, act=act, at=at, today=day_of(at, self.archive.zone), verb=verb,
            actor=self.reading.actor.id, because=self.because(told),
        )  # fmt: skip

    def act(
        self,
        work: Work,
        loaded: Loaded,
        verb: str,
        act: str,
        now: str,
        prepared: Sequence[Prepared],
        told: Told,
        decision: Decision,
        *,
        stage: str = "",
        standing: str = "",
    ) -> DossierView:
        """Apply prepared changes as one act; the view of what came of it."""
        acting = self.begin(loaded, verb, act, now, told)
        acting.move(stage=stage, standing=standing)
        apply(acting, prepared)
        return self.finish(work, acting, verb, decision)

    def finish(
        self, work: Work, acting: Acting, verb: str, decision: Decision, records: Sequence[str] = ()
    ) -> DossierView:
        """Put an act and its event into the batch; the view of the new state."""
        loaded = acting.loaded
        decision = self.judged(work, decision, verb, loaded.id)
        self.aside(loaded)
        work.ops.extend(acting.rows())
        bodies = [(loaded.body, loaded.special_body)]
        top = loaded.id
        mask = written_mask(acting.touched, records)
        subject = (loaded.head.pseudonym, loaded.head.rev, mask)
        work.events.append(self.event(verb, decision, acting.head.id, acting.head.at, subject))
        if loaded.head.into or loaded.head.linked:
            self.bodies(work, loaded.id)
            self._withdraw_linked(work, acting, verb, decision)
            bodies = self.bodies(work, loaded.id)
            top = self.top(work, loaded.id)
            self.index(work, top, bodies)
        return self.shown(work, bodies, top, loaded.core.until)

    def _withdraw_linked(self, work: Work, acting: Acting, verb: str, decision: Decision) -> None:
        """What is withdrawn from a merged file is withdrawn from every file that says it, each by an act of its own:
        after an unmerge each file still knows what became of its claims."""
        for member in self._members(work, acting.loaded.id):
            other = work.loaded[member]
            if member == acting.loaded.id or not acting.said.ended:
                continue
            same = acting.elsewhere(other, after(other.head.at))
            paths = [path for path in acting.said.ended if same.holds(path)]
            for path in paths:
                same.withdraw(path)
            if paths:
                work.ops.extend(same.rows())
                subject = (other.head.pseudonym, other.head.rev, written_mask(same.touched, ()))
                work.events.append(self.event(verb, decision, same.head.id, same.head.at, subject))

    def judged(self, work: Work, decision: Decision, verb: str, dossier: str) -> Decision:
        """The decision for a change of this dossier as it stands (of a linked set its survivor); the batch fails if
        that changes. DeniedError, or NotFoundError for somebody who may not see it."""
        if decision.ruling is None:
            return decision
        top = self.top(work, dossier)
        return self.reading.write_to(decision, verb, work.loaded[top].head, top)

    def shown(self, work: Work, bodies: Sequence[tuple[bytes, bytes]], top: str, until: str = "") -> DossierView:
        """The view of what a batch will leave of a file and those linked to it; `until` of its state if it is alone."""
        today, decision, facts = self.reading.today(), self.reading.decide("consult"), self._facts(work, top)
        if len(bodies) == 1:
            view = self.reading.view(top, *bodies[0], decision, facts)
            if not until or until > today:
                return view
        return self.reading.view(top, *self.reading.combined(bodies, today), decision, facts)

    def _facts(self, work: Work, top: str) -> Facts:
        """Computed fields of a file, or of the linked set it stands for, as they are now."""
        loaded = work.loaded[top]
        if loaded.head.linked or top in work.stale:
            return self.reading.facts_now(self._members(work, top))
        return self.reading.facts_in(top, loaded.facts)

    def event(self, verb: str, decision: Decision, act: str, at: str, subject: tuple[str, int, str]) -> Event:
        """The event of a change, under the decision that permitted it."""
        guarded = self.archive.guard().expect
        return self.reading.event(verb, decision, subjects=(subject,), act=act, at=at, guarded=guarded)

    def unchanged(self, basis: DossierView, work: Work, loaded: Loaded, prepared: Sequence[Prepared]) -> None:
        """ConflictError if a field named by the changes changed since the view; it names only readable fields."""
        head = loaded.head
        linked = bool(head.linked or head.into)
        seen = behind(basis)
        if not linked and seen.head.rev == head.rev:
            return
        core, special = seen.bodies
        if linked:
            now = self.reading.combined(self.bodies(work, loaded.id), self.reading.today())
        else:
            now = loaded.body, loaded.special_body
        if not special and "special" in seen.head.parts:
            special = self._special_at(loaded.id, seen.head.parts["special"])
        moved = changed_since(now, (core, special), [path for item in prepared for path in item.fields])
        if moved:
            readable = [path for path in moved if self._readable(path, head.kind)]
            raise ConflictError(readable or ("-",), path=readable[0] if readable else "")

    def _special_at(self, dossier: str, rev: int) -> bytes:
        (row,) = self.archive.repository.get_many([Key("acts", act_id(dossier, rev) + "~special")])
        return bytes(decode_act(row.body).state) if row is not None else b""

    def bodies(self, work: Work, dossier: str) -> list[tuple[bytes, bytes]]:
        """Bodies of a file and all linked to it as this batch will leave them, the survivor's first. The batch fails
        if one of those it does not change is changed by somebody else."""
        members = self._members(work, dossier)
        return [(work.loaded[member].body, work.loaded[member].special_body) for member in members]

    def _members(self, work: Work, dossier: str) -> list[str]:
        members = [self.top(work, dossier)]
        for member in members:
            members.extend(self._member(work, member).head.linked)
        return members

    def top(self, work: Work, dossier: str) -> str:
        """The survivor of the linked set that a file belongs to."""
        while into := self._member(work, dossier).head.into:
            dossier = into
        return dossier

    def _member(self, work: Work, dossier: str) -> Loaded:
        if dossier not in work.loaded:
            work.ops.append(Check("dossiers", dossier, work.load(dossier).version))
        return work.loaded[dossier]

    # -- records ----------------------------------------------------------------------------------

    def enter(
        self, target: str, what: Sequence[Change | Draft], verb: str, act: str, told: Told, decision: Decision
    ) -> Intent[tuple[str, ...]]:
        """The intent that enters records and changes as one act; it gives the ids of the records."""
        drafts = [parse_draft(self.archive, item) for item in what if isinstance(item, Draft)]
        changes = [item for item in what if not isinstance(item, Draft)]
        if not what:
            raise InputError([problem("enter.empty", "enter")])
        ids = tuple(self.archive.new_id() for _ in drafts)
        now = self.archive.moment()
        details = self.details(told, act, now)

        def intent(work: Work) -> tuple[str, ...]:
            at = now
            if changes:
                loaded = work.load(target)
                prepared = self.prepare(changes, loaded.head.kind, told)
                acting = self.begin(loaded, verb, act, now, told)
                apply(acting, prepared)
                at = acting.head.at
            for record, (kind, document) in zip(ids, drafts, strict=True):
                work.ops.extend(
                    enter_ops(self.archive, target, record, kind, document, verb=verb, act=act, at=at,
                              actor=self.reading.actor.id, told=details)
                )  # fmt: skip
                work.stale[target] = None
            kinds = [kind for kind, _ in drafts]
            if changes:
                self.finish(work, acting, verb, decision, kinds)
            else:
                head = self.head(work, target)
                narrowed = self.judged(work, decision, verb, target)
                mask = written_mask({}, kinds)
                work.events.append(self.event(verb, narrowed, act, at, (head.pseudonym, 0, mask)))
            return ids

        return intent

    def acceptable(self, what: Sequence[Change | Draft], told: Told) -> None:
        """InputError unless some kind of party could have been told all of this: what a collector learns without
        learning anything of the file."""
        found: list[tuple[Problem, ...]] = []
        for kind in PartyKind:
            try:
                for item in what:
                    if isinstance(item, Draft):
                        parse_draft(self.archive, item)
                self.prepare([item for item in what if isinstance(item, Change)], kind.value, told)
                return
            except InputError as error:
                found.append(error.problems)
        # The kind that was meant is the one that knows most of the fields.
        raise InputError(min(found, key=lambda problems: sum(p.code == "field.unknown" for p in problems)))

    def unplaced(
        self, what: Sequence[Change | Draft], act: str, told: Told, decision: Decision
    ) -> Intent[tuple[str, ...]]:
        """Keep, as it was given, what no file takes; nothing handed in is lost."""
        if not what:
            raise InputError([problem("enter.empty", "collect")])
        now = self.archive.moment()
        details = self.details(told, act, now)
        body = {"actor": self.reading.actor.id, "at": now, "told": details, "what": [pack(item) for item in what]}

        def intent(work: Work) -> tuple[str, ...]:
            work.ops.append(Put("unplaced", act, encode(body), {}, "", 0))
            work.events.append(self.event("collect", decision, act, now, ("", 0, "")))
            return ()

        return intent

    def details(self, told: Told, act: str, at: str) -> dict[str, Any]:
        """How an entry was told. InputError as for claims."""
        source = told_source(told, act=act, rev=0, at=at, zone=self.archive.zone)
        return {
            "because": self.because(told),
            "channel": source.channel,
            "evidence": list(source.evidence),
            "observed": source.observed,
            "told_by": source.told_by,
        }

    def head(self, work: Work, dossier: str) -> Head:
        """The head of a dossier as this batch will leave it. NotFoundError if there is none."""
        if dossier in work.loaded:
            return work.loaded[dossier].head
        (row,) = self.archive.repository.get_many([Key("dossiers", dossier)])
        if row is None:
            raise NotFoundError()
        return head_of(row.body)

    def _readable(self, path: str, kind: str) -> bool:
        spec = self.archive.registry.spec(section_of(path), kind)
        name = path.partition("/")[2]
        return bool(self.reading.decide("consult").mask(spec) & anatomy(spec).masks.get(name, 0))

    def index(self, work: Work, survivor: str, bodies: Sequence[tuple[bytes, bytes]]) -> None:
        """Let a linked set be found under its survivor by what it shows, in both compartments (what is computed from
        records stays with `facts`)."""
        loaded, registry, foreign = work.loaded[survivor], self.archive.registry, self.archive.indexing.foreign
        shown, core, special = shown_terms(self.archive, bodies)
        work.ops.append(Index("dossiers", survivor, core | foreign(loaded.index, registry, shown), 0, True))
        if not loaded.special_version and any(apart for _, apart in bodies):
            # The survivor says nothing there itself, and is found by what the others say.
            loaded.special_body, loaded.special_version = loaded.special.encode(), 1
            work.ops.append(Put("special", survivor, loaded.special_body, {}, special_scope(survivor), 0))
        if loaded.special_version:
            kept = foreign(loaded.special_index, registry, shown)
            work.ops.append(Index("special", survivor, special | kept, 0, True))

    @staticmethod
    def aside(loaded: Loaded) -> None:
        """Mark what is indexed apart of a file with what its core is marked with: whether it was merged into another,
        who keeps it."""
        for each in (INTO, *GUARDS):
            loaded.special_index.pop(each.name, None)
        loaded.special_index.update(apart_index(loaded.head))


def written_mask(masks: Mapping[SectionSpec, int], records: Sequence[str]) -> str:
    """The mask of a change in its event: all leaves of each field it names, and the kinds of records it enters."""
    runs = [f"{spec.key}:{mask:x}" for spec, mask in sorted(masks.items(), key=lambda each: each[0].key)]
    return ";".join([*runs, *(PREFIX + record for record in sorted(set(records)))])


def _as_it_is(known: Any) -> Any:
    return known


def after(at: str) -> str:
    """The earliest instant behind a stored one: recorded time never runs backwards, nor stands still (K7)."""
    if not at:
        return ""
    return instant(dt.datetime.fromisoformat(at) + dt.timedelta(microseconds=1))


def named(view: DossierView) -> list[Any]:
    """What a request remembers of its answer: the dossier, and the instant of the act that the view was made by."""
    return [view.id, behind(view).head.at]
