"""History: the acts on a dossier, and the state as it was known or valid (K7).

Floor: desk. `known=k` replays the acts recorded up to k; `on=t` resolves the claims valid at t; both together likewise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from dossier.codec.acts import StoredAct, asserted, decode_act, replay
from dossier.codec.anatomy import anatomy
from dossier.codec.linked import settle_all
from dossier.codec.state import Head, Peek, State, head_of, peek, until_of
from dossier.codec.typed import typed
from dossier.desk.layout import act_id
from dossier.desk.origins import path_repr, paths_repr
from dossier.desk.views import DossierView, Facts
from dossier.errors import InputError, NotFoundError
from dossier.model.absence import Absence
from dossier.model.claims import Claim, Source, pattern, section_of
from dossier.model.clock import as_day, as_instant, day_of
from dossier.model.problems import problem
from dossier.model.records import PREFIX
from dossier.model.resolution import valid_on
from dossier.model.withheld import WITHHELD, Withheld
from dossier.policy import Decision
from dossier.repository import Key, Row

if TYPE_CHECKING:
    from dossier.desk.reading import Reading

Known = int | dt.datetime | dt.date | str


@attrs.frozen
class Said:
    """One value that an act asserted, as the caller may see it (an `Absence` where it said that there is nothing)."""

    path: str = attrs.field(repr=path_repr)
    value: Any = attrs.field(repr=False)
    channel: str = attrs.field(repr=False)
    told_by: str = attrs.field(repr=False)


@attrs.frozen
class Act:
    """One act: who (name), when recorded (UTC), by which verb, why, and what it said that the caller may read.

    `because` is WITHHELD for callers who may not read every field of such a file, whatever the act touched: reasons
    repeat values, and where one is withheld must not tell what is there.
    `withdrew` are paths whose claims it ended; `moved` changes of stage, standing and links;
    `number` names the file it was made in (of a linked set).
    """

    id: str
    at: str
    by: str = attrs.field(repr=False)
    verb: str
    because: str | Withheld = attrs.field(repr=False)
    revision: int
    number: str
    said: tuple[Said, ...]
    withdrew: tuple[str, ...] = attrs.field(repr=paths_repr)
    marked: tuple[str, ...] = attrs.field(repr=paths_repr)
    moved: tuple[str, ...]


@attrs.frozen
class Version:
    """The act that made a revision, and a first look at the state it left."""

    act: StoredAct
    core: bytes
    seen: Peek


def version_of(reading: Reading, dossier: str, revision: int, decision: Decision) -> Version | None:
    """A revision of a dossier, None if there is none."""
    (row,) = reading.beside([Key("acts", act_id(dossier, revision))], decision, "history")
    return _version(row) if row is not None else None


def _version(row: Row) -> Version:
    stored = decode_act(row.body)
    core = bytes(stored.state)
    return Version(stored, core, peek(core))


class History:
    """The acts on a dossier, oldest first, and `view`: the state after them, as it was when it was asked for. Both are
    made when looked at, of no act that was recorded since.

    `head` is that of the dossier, as it was judged; `now` the view of the present state, where that was asked for;
    `last` the last act known by a revision.
    `answer`: the view answers a request that was carried out before, and shows records as they are now.
    """

    def __init__(
        self,
        reading: Reading,
        dossier: str,
        decision: Decision,
        head: Head,
        *,
        on: str,
        known: int | str | None,
        last: Version | None = None,
        now: DossierView | None = None,
        answer: bool = False,
    ) -> None:
        self._answer = answer
        self._reading = reading
        self._dossier = dossier
        self._decision = decision
        self._on = on
        self._known = known
        self._last = last
        self._view: DossierView | None = now
        self._upto = self._recorded(head)

    @property
    def view(self) -> DossierView:
        """The dossier as it was. NotFoundError where nothing was known yet.

        Fields computed from records are None and `records()` is refused (InputError): a record shows the state it is
        in, not the one it was in.
        """
        if self._view is None:
            self._view = self._as_of()
        return self._view

    def __iter__(self) -> Iterator[Act]:
        members = self._members()
        acts = [(stored, number) for member, number in members for stored in self._acts(member)]
        gathered: dict[tuple[str, str], list[StoredAct]] = {}
        for stored, number in sorted(acts, key=lambda pair: (pair[0].act.at, pair[0].act.id)):
            gathered.setdefault((stored.act.id, number), []).append(stored)
        names: dict[str, str] = {}
        kind = self._kind()
        for (_, number), parts in gathered.items():
            yield self._act(parts, number, kind, names)

    # -- acts -------------------------------------------------------------------------------------

    def _members(self) -> list[tuple[str, str]]:
        archive = self._reading.archive
        ids = self._linked()
        rows = archive.repository.get_many([Key("dossiers", member) for member in ids], index=False)
        return [(row.id, head_of(row.body).number) for row in rows if row is not None]

    def _kind(self) -> str:
        (row,) = self._reading.archive.repository.get_many([Key("dossiers", self._dossier)], index=False)
        if row is None:
            raise NotFoundError()
        return head_of(row.body).kind

    def _acts(self, dossier: str) -> list[StoredAct]:
        rows = self._reading.archive.repository.scan("acts", start=f"{dossier}/", stop=f"{dossier}0")
        return [stored for row in rows if self._counts(dossier, stored := decode_act(row.body))]

    def _counts(self, dossier: str, stored: StoredAct) -> bool:
        """Whether an act was known, and recorded when this history was asked for."""
        bound, upto = self._bound, self._upto
        if upto is not None and stored.act.rev > upto.get(dossier, 0):
            return False
        return bound is None or stored.act.at <= bound

    def _act(self, parts: list[StoredAct], number: str, kind: str, names: dict[str, str]) -> Act:
        head = parts[0].act
        if head.actor not in names:
            names[head.actor] = self._reading.archive.staff.by_id(head.actor)
        said: list[Said] = []
        withdrew: list[str] = []
        marked: list[str] = []
        for part in parts:
            for path, source, value in asserted(part, self._kinds_of(kind)):
                leaf = None if self._opaque(path, kind, parts) else self._readable_leaf(path, kind)
                if leaf is not None:
                    shown = Absence(value["absent"]) if _is_absence(value) else typed(leaf, value)
                    said.append(Said(path, shown, source.channel, source.told_by))
            for path in (*part.withdraws, *(path for path, _, _ in part.retracts)):
                if self._readable_below(path, kind):
                    withdrew.append(path)
            for mark in part.marks:
                if self._readable_below(mark.path, kind):
                    marked.append(f"{mark.path} {mark.mark}")
        return Act(
            id=head.id,
            at=head.at,
            by=names[head.actor],
            verb=head.verb,
            because=head.because if self._sees_all(kind) else WITHHELD,
            revision=head.rev,
            number=number,
            said=tuple(said),
            withdrew=tuple(withdrew),
            marked=tuple(marked),
            moved=tuple(f"{name}={value}" for part in parts for name, value in sorted(part.head.items())),
        )

    def _opaque(self, path: str, kind: str, parts: list[StoredAct]) -> bool:
        """Whether the act wrote the section in a version of which only the present form can be shown."""
        versions = {}
        for part in parts:
            versions.update(head_of(bytes(part.state)).versions)
        section = section_of(path)
        spec = self._reading.archive.registry.find(section, kind)
        return spec is None or versions.get(section, spec.version)[0] != spec.version[0]

    def _sees_all(self, kind: str) -> bool:
        specs = (spec for spec in self._reading.archive.registry.specs(kind) if not spec.key.startswith(PREFIX))
        return all(self._decision.mask(spec) == spec.full for spec in specs)

    def _readable_leaf(self, path: str, kind: str) -> Any:
        spec = self._reading.archive.registry.find(section_of(path), kind)
        if spec is None:
            return None
        bit = spec.bits.get(pattern(path))
        return spec.leaves[bit] if bit is not None and self._decision.mask(spec) >> bit & 1 else None

    def _readable_below(self, path: str, kind: str) -> bool:
        spec = self._reading.archive.registry.find(section_of(path), kind)
        name = path.partition("/")[2].partition("[")[0].partition("{")[0].partition("/")[0]
        return spec is not None and bool(self._decision.mask(spec) & anatomy(spec).masks.get(name, 0))

    def _kinds_of(self, kind: str) -> Any:
        registry = self._reading.archive.registry

        def kinds(section: str) -> dict[str, str] | None:
            spec = registry.find(section, kind)
            return dict(anatomy(spec).kinds) if spec is not None else None

        return kinds

    # -- states -----------------------------------------------------------------------------------

    def _as_of(self) -> DossierView:
        reading, archive = self._reading, self._reading.archive
        last = self._last or _version(self._act_row(self._dossier))
        stored, core, seen = last.act, last.core, last.seen
        head, until = seen.head, until_of(seen.claims)
        if not (self._on or head.merged or head.into or until):
            return self._past(self._dossier, core, self._special(head), seen)
        day = self._on or min(day_of(self._until(stored), archive.zone), reading.today())
        if not (self._on or head.merged or head.into) and until > day:
            return self._past(self._dossier, core, self._special(head), seen)
        members = self._linked()
        head = head_of(bytes(decode_act(self._act_row(members[0]).body).state))
        core_state, special_state = State(head), State(head)
        for suffix, state in (("", core_state), ("~special", special_state)):
            pool: dict[str, list[Claim]] = {}
            for member in members:
                said = replay(self._acts_of(member, suffix), self._kinds_of(head.kind))
                state.questions.update(said.questions)
                for path, claims in said.claims.items():
                    kept = [c for c in claims if self._valid(c.source, day)]
                    if kept:
                        pool.setdefault(path, []).extend(kept)
            settle_all(state, pool, archive.registry, day)
        return self._past(members[0], core_state.encode(), special_state.encode())

    def _past(self, dossier: str, core: bytes, special: bytes, seen: Peek | None = None) -> DossierView:
        reading = self._reading
        facts = self._facts(dossier) if self._answer else None
        return reading.view(dossier, core, special, self._decision, facts, past=not self._answer, seen=seen)

    def _facts(self, dossier: str) -> Facts:
        members = self._reading.members(dossier)
        if len(members) > 1 or members[0] != dossier:
            return self._reading.facts_now(members)
        (row,) = self._reading.archive.repository.get_many([Key("facts", dossier)], index=False)
        return self._reading.facts_in(dossier, row.body if row is not None else b"")

    def _until(self, last: StoredAct) -> str:
        """The instant up to which acts are known, of which `last` is the last one of this dossier."""
        return self._known if isinstance(self._known, str) else last.act.at

    def _valid(self, source: Source, day: str) -> bool:
        if not self._on:
            return valid_on(source, day)
        return valid_on(source, day, day_of(source.seen, self._reading.archive.zone))

    @cached_property
    def _bound(self) -> str | None:
        """Up to which recorded instant acts count (None: all). A revision stands for the instant of its act: within
        a dossier instants rise with revisions, and for linked files it says what was known of them by then."""
        if isinstance(self._known, int):
            return decode_act(self._act_row(self._dossier).body).act.at
        return self._known

    def _acts_of(self, member: str, suffix: str) -> list[StoredAct]:
        rows = self._reading.archive.repository.scan("acts", start=f"{member}/", stop=f"{member}0")
        acts = [decode_act(row.body) for row in rows if row.id.endswith("~special") == bool(suffix)]
        return [stored for stored in acts if self._counts(member, stored)]

    def _recorded(self, head: Head) -> dict[str, int] | None:
        """The revision up to which acts of each file of the linked set count that were recorded by now; None where a
        revision of the past was asked for, which says it by its instant."""
        repository, known = self._reading.archive.repository, self._known
        if isinstance(known, int):
            return None
        if known is None and not (head.into or head.linked):
            return {self._dossier: head.rev}
        if known is None:
            members = self._reading.members(self._dossier)
            rows = repository.get_many([Key("dossiers", member) for member in members], index=False)
            return {row.id: head_of(row.body).rev for row in rows if row is not None}
        self._upto = None
        try:
            return {member: decode_act(self._act_row(member).body).act.rev for member in self._linked()}
        except NotFoundError:
            return {}

    def _linked(self) -> list[str]:
        """The linked set as it was known, the survivor first: links are acts of both files."""
        if self._known is None:
            return list(self._upto or ())
        top = self._dossier
        while into := head_of(bytes(decode_act(self._act_row(top).body).state)).into:
            top = into
        found = [top]
        for member in found:
            found.extend(head_of(bytes(decode_act(self._act_row(member).body).state)).linked)
        return found

    def _special(self, head: Head) -> bytes:
        """The special compartment as it stood beside this head."""
        rev = head.parts.get("special")
        if rev is None or not self._reading.sight(self._decision).apart:
            return b""
        key = Key("acts", act_id(self._dossier, rev) + "~special")
        (special,) = self._reading.archive.repository.get_many([key], index=False)
        return bytes(decode_act(special.body).state) if special is not None else b""

    def _act_row(self, dossier: str) -> Row:
        """The last act of a dossier that is known. NotFoundError where there is none."""
        repository, known = self._reading.archive.repository, self._known
        if isinstance(known, int) and dossier == self._dossier:
            (row,) = repository.get_many([Key("acts", act_id(dossier, known))], index=False)
            if row is not None:
                return row
            raise NotFoundError()
        for row in repository.scan("acts", start=f"{dossier}/", stop=f"{dossier}0", descending=True):
            if not row.id.endswith("~special") and self._counts(dossier, decode_act(row.body)):
                return row
        raise NotFoundError()


def _is_absence(value: Any) -> bool:
    return type(value) is dict and set(value) == {"absent"}


def read_known(known: Known | None, reading: Reading) -> int | str | None:
    """`known=` as a revision or a stored instant (a day counts to its end)."""
    if known is None:
        return None
    if isinstance(known, bool) or (isinstance(known, int) and known < 1):
        raise InputError([problem("history.known", "known")])
    if isinstance(known, int):
        return known
    return as_instant(known, reading.archive.zone, path="known", end=True)


def read_on(on: dt.date | str | None) -> str:
    """`on=` as a calendar day."""
    return as_day(on, path="on") if on is not None else ""


def answered(reading: Reading, known: Any) -> DossierView:
    """The answer to a request that was carried out before: the dossier as that request left it."""
    dossier, at = known
    decision = reading.decide("consult")
    (row,) = reading.archive.repository.get_many([Key("dossiers", reading.members(dossier)[0])], index=False)
    if row is None:
        raise NotFoundError()
    head = head_of(row.body)
    decision = reading.narrow(decision, head, row.id)
    return History(reading, dossier, decision, head, on="", known=str(at), answer=True).view
