"""The one read path: rows to a view, judged and put on record before it goes out.

Floor: desk. consult, find, history, card, brief and what writes return all come through `Reading.view`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import attrs

from dossier.codec.linked import combine
from dossier.codec.state import Head, Peek, State, head_of, peek, until_of
from dossier.desk.facts import STALE, facts_of
from dossier.desk.guarding import Guard, last_glass, minute_of
from dossier.desk.sight import Sight
from dossier.desk.views import DossierView, Facts, behind
from dossier.errors import DamagedError, DeniedError, NotFoundError, PolicyChangedError
from dossier.ledger import Event
from dossier.model.clock import day_of, instant
from dossier.policy import VERBS, Decision
from dossier.policy import Facts as Conditions
from dossier.policy.rules import GLASS
from dossier.repository import Eq, Key, Query, Reader, Row, decode

if TYPE_CHECKING:
    from dossier.desk.archive import Archive
    from dossier.desk.staff import Actor
    from dossier.desk.work import Unit

Target = DossierView | str
"""A dossier is named by a view, its id (32 hex characters) or its registration number."""
_LINKS = 64
_LOOKED: Final = frozenset({"consult", "find", "history"})
"""Verbs that read the actor's row together with what they give out."""


class Reading:
    """Reads of one actor under one role and purpose."""

    def __init__(self, archive: Archive, actor: Actor, role: str, purpose: str) -> None:
        self.archive = archive
        self.actor = actor
        self.role = role
        self.purpose = purpose
        self._kinds = frozenset({archive.staff.kind(role)})
        self._roles = frozenset({role})
        self._row = Key("staff", actor.id)
        self._since = -1
        """The version of the actor's row by which he may act."""
        self._guarded = -1
        """The version of the manifest at which the actor's row was last looked at for a write."""
        self._sights: dict[int, Sight] = {}
        self._key = archive.manifest.key
        self.pages: Callable[..., Any] | None = None
        self.unit: Unit | None = None
        """The unit these reads belong to: what it has said is seen."""

    # -- judgement --------------------------------------------------------------------------------

    def decide(self, verb: str) -> Decision:
        """The policy's decision for a verb, without any record of it. Where it hangs on the dossier it is provisional:
        its masks are what may be seen of every dossier, and `narrow` decides."""
        return self.archive.judge.decide(self._kinds, verb, purpose=self.purpose, roles=self._roles)

    def permit(self, verb: str, *, called: str, everywhere: bool = False) -> Decision:
        """The decision, if it allows; otherwise one event and a DeniedError. `everywhere`: on every dossier."""
        decision = self.decide(verb)
        if not decision.allowed or (everywhere and not any(decision.masks.values())):
            self.denied(decision, verb, called)
        return decision

    def denied(self, decision: Decision, verb: str, called: str) -> NoReturn:
        """Put a refusal on record and raise DeniedError."""
        self.refuse(decision, called)
        raise DeniedError(path=called, role=self.role, verb=verb, verb_zh=VERBS.get(verb, verb))

    def narrow(self, decision: Decision, head: Head, dossier: str) -> Decision:
        """The decision for one dossier, by its head as it stands now (of a linked set the survivor's)."""
        ruling = decision.ruling
        if ruling is None:
            return decision
        glass = any(test.name == GLASS for test in ruling.tests) and self._broken(dossier)
        return ruling.on(self._conditions(head.custodian, head.team, glass))

    def write_to(self, decision: Decision, verb: str, head: Head, dossier: str) -> Decision:
        """The decision for a change of one dossier. If it does not allow it: one event, and DeniedError, or
        NotFoundError for somebody who may not see the dossier either."""
        narrowed = self.narrow(decision, head, dossier)
        if not narrowed.allowed:
            if self.narrow(self.decide("consult"), head, dossier).allowed:
                self.denied(narrowed, verb, verb)
            self.refuse(narrowed, verb)
            raise NotFoundError()
        return narrowed

    def guard(self, decision: Decision) -> Guard | None:
        """What a list must be cut by for this decision; None where it holds for every dossier."""
        if decision.ruling is None:
            return None
        return Guard(decision.ruling, self._conditions(), self.archive.judge.layout)

    def _conditions(self, custodian: str = "", team: str = "", glass: bool = False) -> Conditions:
        """What conditions of rules may ask of this call, and of a dossier."""
        actor = self.actor
        return Conditions(
            actor=actor.id, teams=actor.teams, purpose=self.purpose, custodian=custodian, team=team, glass=glass,
            minute=minute_of(self.archive.environment.now(), self.archive.zone),
        )  # fmt: skip

    def _broken(self, dossier: str) -> bool:
        """Whether the actor broke the glass of this dossier, and his minutes are not over."""
        last = last_glass(self.archive.repository, self.actor.id)
        if last is None:
            return False
        said = decode(last.body)
        return said["dossier"] == dossier and not said["reviewed"] and self.archive.now() < said["until"]

    def refuse(self, decision: Decision, called: str, shape: str = "") -> None:
        """Put a refusal on record."""
        outcome = "refused" if decision.allowed else decision.outcome.value
        self.archive.recorder.read(self.event(called, decision, outcome=outcome, shape=shape))

    def event(
        self,
        verb: str,
        decision: Decision,
        *,
        outcome: str = "allowed",
        subjects: Sequence[tuple[str, int, str]] = (),
        shape: str = "",
        act: str = "",
        at: str = "",
        guarded: int = -1,
    ) -> Event:
        """An event of this actor. DeniedError, on record, where he was dismissed from the role meanwhile. `guarded` is
        the version of the manifest that the batch insists on: a dismissal changes it, so one look a version will do."""
        if outcome == "allowed" and verb not in _LOOKED and not 0 <= guarded == self._guarded:
            (row,) = self.archive.repository.get_many([self._row], index=False)
            self._look(row, decision, verb)
            self._guarded = guarded
        return Event(
            act=act,
            actor=self.actor.pseudonym,
            at=at or instant(self.archive.environment.now()),
            lane="",
            outcome=outcome,
            policy=decision.policy_digest,
            purpose=self.purpose,
            roles=(self.role,),
            rules=decision.rules,
            seq=0,
            shape=shape,
            subjects=subjects,
            verb=verb,
        )

    def _look(self, row: Row | None, decision: Decision, called: str) -> None:
        """DeniedError, on record, unless the actor may still act by his row as it was just read."""
        version = row.version if row is not None else 0
        if version != self._since:
            staff = self.archive.staff
            if not staff.allows(row, self.role):
                self.refuse(decision, called)
                raise staff.denied(self.role)
            if staff.policy_named(row) not in ("", decision.policy_digest):
                self.archive.notice()
                if decision.policy_digest != self.archive.judge.policy.digest:
                    raise PolicyChangedError(path=called)
            teams = staff.teams(row)
            if teams != self.actor.teams:
                self.actor = attrs.evolve(self.actor, teams=teams)
            self._since = version

    def beside(self, keys: Sequence[Key], decision: Decision, called: str) -> list[Row | None]:
        """Rows without their index, read together with the actor's own, by which he must still be one to act."""
        rows = self.archive.repository.get_many([*keys, self._row], index=False)
        self._look(rows.pop(), decision, called)
        return rows

    def subject(self, decision: Decision, head: Head) -> tuple[str, int, str]:
        """(pseudonym, revision, mask) of a dossier that is given out."""
        return head.pseudonym, head.rev, self.sight(decision).mask(head.kind)

    def sight(self, decision: Decision) -> Sight:
        """What a decision lets see of the sections of this archive."""
        found = self._sights.get(id(decision))
        if found is None:
            found = self._sights[id(decision)] = Sight(decision, self.archive.registry)
        return found

    # -- rows -------------------------------------------------------------------------------------

    def resolve(self, target: Target) -> str:
        """The id behind a view, id or number. NotFoundError where there is none."""
        if isinstance(target, DossierView):
            return target.id
        if type(target) is str:
            target = target.strip()
            if len(target) == 32 and _is_hex(target):
                return target
            if self.unit is not None and (pending := self.unit.numbered(target)):
                return pending
            where = Eq("number", target)
            page = self.archive.repository.find(Query(collection="dossiers", where=where, limit=1, bodies=False))
            if page.rows:
                return page.rows[0].id
        raise NotFoundError()

    def known(self, target: Target, decision: Decision, called: str) -> str:
        """Like `resolve`; where there is none, that somebody asked is on record. DeniedError, whether there is one or
        not, for somebody dismissed meanwhile."""
        try:
            return self.resolve(target)
        except NotFoundError:
            pass
        self.beside((), decision, called)
        self.refuse(decision, called)
        raise NotFoundError()

    def fetch(self, dossiers: Sequence[str], *, called: str = "consult") -> list[DossierView | None]:
        """Views of these dossiers, None where there is none to be seen; whoever calls has judged and records the
        event."""
        decision = self.decide("consult")
        keys = [Key(c, d) for d in dossiers for c in ("dossiers", "special", "facts")]
        rows = self.beside(keys, decision, called)
        found: list[DossierView | None] = []
        for n, dossier in enumerate(dossiers):
            core, special, facts = rows[3 * n : 3 * n + 3]
            pending = self.unit.pending(dossier) if self.unit is not None else None
            view: DossierView | None = None
            if pending is not None and not (pending.head.into or pending.head.linked):
                view = self.view(dossier, pending.body, pending.special_body, decision, self._facts_in(facts))
            elif core is not None:
                view = self.from_rows(core, special, self._facts_in(facts), decision)
            found.append(view if view is not None and behind(view).decision.allowed else None)
        return found

    def page(self, query: Query, decision: Decision, *, called: str = "find") -> tuple[list[DossierView], str | None]:
        """Views of what a query finds, each once, in its order, and the repository's cursor. Hits and what stands in
        rows beside them are of one state; whoever calls has judged and records the event."""
        with self.archive.repository.snapshot() as state:
            page = state.find(query)
            found: Sequence[Row | None] = page.rows
            if query.collection != "dossiers":
                found = state.get_many([Key("dossiers", row.id) for row in page.rows], index=False)
            cores = [row for row in found if row is not None]
            apart = decision.ruling is not None or self.sight(decision).apart
            beside = ("special", "facts") if apart else ("facts",)
            keys = [Key(name, row.id) for name in beside for row in cores]
            keys.append(self._row)
            rows = state.get_many(keys, index=False)
            self._look(rows.pop(), decision, called)
            facts = rows[len(rows) - len(cores) :]
            special = rows[: len(cores)] if len(beside) > 1 else [None] * len(cores)
            views = [
                self.from_rows(core, apart, self._facts_in(fact), decision, state)
                for core, apart, fact in zip(cores, special, facts, strict=True)
            ]
        return list({view.id: view for view in views if behind(view).decision.allowed}.values()), page.cursor

    def from_rows(
        self, core: Row, special: Row | None, facts: Facts | None, decision: Decision, state: Reader | None = None
    ) -> DossierView:
        """The view of a dossier's rows, over all linked files where it was merged: as they are in `state`, else in the
        present one."""
        seen = peek(core.body)
        head, until = seen.head, until_of(seen.claims)
        if head.into or head.linked or until:
            today = self.today()
            if head.into or head.linked or until <= today:
                return self._combined(core.id, decision, today, state)
        return self.view(core.id, core.body, special.body if special else b"", decision, facts, seen=seen)

    def view(
        self,
        dossier: str,
        body: bytes,
        special: bytes,
        decision: Decision,
        facts: Facts | None = None,
        *,
        past: bool = False,
        seen: Peek | None = None,
    ) -> DossierView:
        """THE way out: bodies of states and the caller's decision become what he may see. A past state has no
        computed fields and pages no records. `seen` is what was parsed of `body` already."""
        if decision.ruling is not None:
            seen = seen or peek(body)
            decision = self.narrow(decision, seen.head, dossier)
        sight = self.sight(decision)
        return DossierView(
            id=dossier,
            body=body,
            special=special if sight.apart else b"",
            facts=facts,
            sight=sight,
            key=self._key,
            pages=None if past else self.pages,
            seen=seen,
        )

    def today(self) -> str:
        """The archive's calendar day."""
        return day_of(self.archive.now(), self.archive.zone)

    def members(self, dossier: str) -> list[str]:
        """The ids of the linked set a dossier belongs to, the survivor first."""
        with self.archive.repository.snapshot() as state:
            return [row.id for row in _linked(state, dossier)]

    def _combined(self, dossier: str, decision: Decision, today: str, state: Reader | None) -> DossierView:
        with self.archive.repository.snapshot() if state is None else nullcontext(state) as reader:
            cores = _linked(reader, dossier)
            apart = reader.get_many([Key("special", row.id) for row in cores], index=False)
            facts = facts_of(reader, [row.id for row in cores])
        bodies = [(row.body, other.body if other else b"") for row, other in zip(cores, apart, strict=True)]
        core, special = self.combined(bodies, today)
        return self.view(cores[0].id, core, special, decision, lambda: facts)

    def combined(self, bodies: Sequence[tuple[bytes, bytes]], today: str) -> tuple[bytes, bytes]:
        """Bodies (core, special) of the state that linked files show together, from theirs, the survivor's first."""
        states = [State.decode(core) for core, _ in bodies]
        survivor, heads = states[0].head, [state.head for state in states]
        apart = [State.decode(special) if special else State() for _, special in bodies]
        core = combine(survivor, states, self.archive.registry, today)
        special = combine(survivor, apart, self.archive.registry, today, heads=heads)
        return core.encode(), special.encode() if any(special for _, special in bodies) else b""

    def facts_now(self, dossiers: Sequence[str]) -> Facts:
        """Computed fields over the records of a file, or of a linked set, as they are now: whoever looks at a view
        later sees what was judged and put on record."""
        found = facts_of(self.archive.repository, dossiers)
        return lambda: found

    def facts_in(self, dossier: str, body: bytes) -> Facts:
        """Computed fields of a file by the body of their row ("" where there is none)."""
        if body == STALE:
            return self.facts_now([dossier])
        return partial(decode, body) if body else dict

    def _facts_in(self, row: Row | None) -> Facts:
        return self.facts_in(row.id, row.body) if row is not None else dict


def _linked(state: Reader, dossier: str) -> list[Row]:
    """The rows of the linked set a dossier belongs to, the survivor's first."""

    def core(id: str) -> Row:
        (row,) = state.get_many([Key("dossiers", id)], index=False)
        if row is None:
            raise DamagedError(what="link")
        return row

    top = core(dossier)
    for _ in range(_LINKS):
        into = head_of(top.body).into
        if not into:
            break
        top = core(into)
    return [top, *_below(top, core)]


def _below(row: Row, core: Callable[[str], Row]) -> Iterator[Row]:
    for dossier in head_of(row.body).linked:
        below = core(dossier)
        yield below
        yield from _below(below, core)


_HEX = frozenset("0123456789abcdef")


def _is_hex(text: str) -> bool:
    return _HEX.issuperset(text)
