"""The rows of an archive checked against each other, one dossier after the other.

Floor: desk. Collections are walked side by side: every one that belongs to dossiers is sorted by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dossier.codec.acts import StoredAct, decode_act
from dossier.codec.state import Head, State, head_of
from dossier.codec.upgrade import opaque
from dossier.desk.facts import STALE, facts_index, facts_of
from dossier.desk.indexes import shown_terms
from dossier.desk.layout import act_id, core_scope, special_scope
from dossier.desk.records import scope_of
from dossier.desk.stored import (
    StoredEntry,
    StoredRecord,
    StoredTie,
    record_index,
    stored_entry,
    stored_record,
    stored_tie,
    tie_index,
)
from dossier.desk.verifying_acts import Following
from dossier.errors import DossierError
from dossier.model.clock import day_of
from dossier.model.records import PREFIX
from dossier.repository import IndexValue, Key, Reader, Row, decode, encode, is_canonical

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

T = TypeVar("T")
Add = Callable[[str, str], None]
"""Takes the code of a problem and its place."""
Said = Callable[[bytes, str], None]
"""Takes what should have an event, and its place."""

_BESIDE: Final = ("acts", "entries", "facts", "records", "special")
_ALONE: Final = ("leases", "policies", "requests")
_CHUNK: Final = 200
_MALFORMED: Final = (DossierError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading a body raises that is canonical JSON but not what was written."""


def token(act: str, pseudonym: str, rev: int, at: str, verb: str, actor: str) -> bytes:
    """What an act and its event both say. Records have no revision, and their entries verbs of their own."""
    return "\0".join((act, pseudonym, str(rev), at, verb if rev else "", actor)).encode()


def kind_token(act: str, pseudonym: str, run: str) -> bytes:
    """What the entries of an act and the mask of its event both say of a kind of records: that there are some."""
    return "\0".join((act, pseudonym, run)).encode()


class _Ahead:
    """Rows of a collection, looked at before they are taken."""

    def __init__(self, rows: Iterator[Row], passed: Callable[[Row], None]) -> None:
        self._rows = rows
        self._passed = passed
        self._next = next(rows, None)

    def before(self, bound: str) -> Iterator[Row]:
        """The rows whose ids are less than `bound`."""
        while self._next is not None and self._next.id < bound:
            yield self._take(self._next)

    def below(self, prefix: str) -> Iterator[Row]:
        """The rows whose ids are `prefix`, or begin with it and a slash."""
        while self._next is not None and (self._next.id == prefix or self._next.id.startswith(f"{prefix}/")):
            yield self._take(self._next)

    def rest(self) -> Iterator[Row]:
        """All that are left."""
        while self._next is not None:
            yield self._take(self._next)

    def _take(self, row: Row) -> Row:
        self._next = next(self._rows, None)
        self._passed(row)
        return row


class Rows:
    """One walk over the rows of a state of an archive."""

    def __init__(self, archive: Archive, state: Reader, add: Add, said: Said, passed: Callable[[Row], None]) -> None:
        self._archive = archive
        self._state = state
        self._add = add
        self._said = said
        self._passed = passed
        self._today = day_of(archive.now(), archive.zone)
        self._staff: dict[str, str] = {}
        self.waiting: set[str] = set()
        """Acts by which something was handed in that no file took yet; others of their kind have an event alone."""

    def run(self) -> None:
        """Look at every row but those of the ledger."""
        for row in self._scan("staff"):
            self._staff[row.id] = str(row.index.get("pseudonym") or "")
            body = self._json(row)
            if body is not None and row.index.get("name") != body.get("name"):
                self._add("index", self._place(row))
        beside = {name: _Ahead(self._state.scan(name), self._passed) for name in _BESIDE}
        for core in self._scan("dossiers"):
            for ahead in beside.values():
                for row in ahead.before(core.id):
                    self._add("orphan", self._place(row))
            self._dossier(core, beside)
        for ahead in beside.values():
            for row in ahead.rest():
                self._add("orphan", self._place(row))
        self._relations()
        for row in self._scan("unplaced"):
            note = self._json(row)
            if note is not None:
                self.waiting.add(row.id)
                actor = self._staff.get(str(note.get("actor")), "")
                self._said(token(row.id, "", 0, str(note.get("at")), "", actor), self._place(row))
        for name in _ALONE:
            for row in self._scan(name):
                self._json(row)

    # -- one dossier ------------------------------------------------------------------------------

    def _dossier(self, core: Row, beside: Mapping[str, _Ahead]) -> None:
        pseudonym = _pseudonym(core)
        state = self._read(core, State.decode, core.body)
        special = next(beside["special"].below(core.id), None)
        apart = self._read(special, State.decode, special.body) if special is not None else None
        known, whole = self._acts(core, special, state, beside["acts"], pseudonym)
        if state is not None:
            place = self._place(core, pseudonym)
            if core.scope != core_scope(core.id):
                self._add("scope", place)
            if special is not None and special.scope != special_scope(core.id):
                self._add("scope", self._place(special, pseudonym))
            if not whole or core.version != state.head.rev:
                self._add("version", place)
            if self._sections(core, state.head, state) and (
                apart is None or self._sections(special, state.head, apart)
            ):
                self._index(core, special, state, pseudonym)
        told = self._records(core, known, beside["records"], beside["entries"], pseudonym)
        self._facts(core, next(beside["facts"].below(core.id), None), state, told, pseudonym)

    def _acts(
        self, core: Row, special: Row | None, state: State | None, ahead: _Ahead, pseudonym: str
    ) -> tuple[set[str], bool]:
        """The ids of the acts, and whether there is one for each revision."""
        known: set[str] = set()
        last: dict[str, bytes] = {}
        revision, whole = 0, True
        apart, part, core_act = 0, 0, ("", 0)
        kind = state.head.kind if state is not None else ""
        core_acts, special_acts = (Following(self._archive.registry, kind) for _ in range(2))
        for row in ahead.below(core.id):
            act: StoredAct | None = self._read(row, decode_act, row.body, pseudonym)
            if act is None:
                whole = False
                continue
            suffix = row.id[len(act_id(core.id, 0)) :]
            scope = special_scope(core.id) if suffix else core_scope(core.id)
            if row.id != act_id(core.id, act.act.rev) + suffix:
                self._add("version", self._place(row, pseudonym))
            if row.scope != scope:
                self._add("scope", self._place(row, pseudonym))
            own, beside = (special_acts, core_acts) if suffix else (core_acts, None)
            if state is not None:
                agrees = self._read(row, partial(own.agrees, zone=self._archive.zone, beside=beside), act, pseudonym)
                if agrees is False:
                    self._add("claims", self._place(row, pseudonym))
            last[suffix] = bytes(act.state)
            known.add(act.act.id)
            if suffix:
                apart, part = apart + 1, act.act.rev
                if (act.act.id, act.act.rev) != core_act:
                    self._add("version", self._place(row, pseudonym))
            else:
                core_act = act.act.id, act.act.rev
                revision += 1
                whole = whole and act.act.rev == revision
                actor = self._staff.get(act.act.actor, "")
                said = token(act.act.id, pseudonym, act.act.rev, act.act.at, act.act.verb, actor)
                self._said(said, self._place(row, pseudonym))
        if state is not None and last.get("") != core.body:
            self._add("state", self._place(core, pseudonym))
        if "~special" in last and (special is None or last["~special"] != special.body):
            self._add("state", f"special/{pseudonym}")
        elif state is not None and not _is_apart(state.head, special, apart, part):
            self._add("version", f"special/{pseudonym}")
        return known, whole and state is not None and revision == state.head.rev

    def _sections(self, row: Row | None, head: Head, state: State) -> bool:
        """Whether every section that this program knows can be read."""
        registry = self._archive.registry
        for key, raw in state.raw.items():
            spec = registry.find(key, head.kind)
            if row is None or spec is None or opaque(registry, key, head.kind, head.versions):
                continue
            if tuple(head.versions.get(key, spec.version)) == spec.version:
                codec = registry.codec(spec)
                if self._read(row, codec.load, bytes(raw), str(head.pseudonym)) is None:
                    return False
        return True

    def _index(self, core: Row, special: Row | None, state: State, pseudonym: str) -> None:
        terms = self._read(core, partial(self._terms, core, special), state.head, pseudonym)
        if terms is None:
            return
        shown, core_terms, special_terms = terms
        if shown is None:
            return
        indexing, registry = self._archive.indexing, self._archive.registry
        held = {name: value for name, value in core.index.items() if name not in indexing.derived}
        if held != core_terms | indexing.foreign(core.index, registry, shown):
            self._add("index", self._place(core, pseudonym))
        if special is not None and dict(special.index) != special_terms | indexing.foreign(
            special.index, registry, shown
        ):
            self._add("index", self._place(special, pseudonym))

    def _terms(self, core: Row, special: Row | None, head: Head) -> tuple[Head | None, dict[str, Any], dict[str, Any]]:
        """What a file is indexed by; no head where a span of validity ended since somebody looked for it: until
        somebody looks again it may be indexed by what was valid before."""
        cores, apart = [core], [special]
        if not head.into:
            below = self._below(head)
            cores += below
            apart += self._state.get_many([Key("special", row.id) for row in below])
        bodies = [(one.body, other.body if other else b"") for one, other in zip(cores, apart, strict=True)]
        if any("" < State.decode(body).until <= self._today for body, _ in bodies):
            return None, {}, {}
        return shown_terms(self._archive, bodies)

    def _below(self, head: Head) -> list[Row]:
        found: list[Row] = []
        waiting = list(head.linked)
        while waiting:
            rows = [row for row in self._state.get_many([Key("dossiers", each) for each in waiting]) if row is not None]
            found.extend(rows)
            waiting = [below for row in rows for below in State.decode(row.body).head.linked]
        return found

    def _records(self, core: Row, known: set[str], records: _Ahead, entries: _Ahead, pseudonym: str) -> bool:
        """Whether there are any, and all of them can be read."""
        told: set[str] = set()
        kinds: set[tuple[str, str]] = set()
        some, whole = False, True
        for row in records.below(core.id):
            for lost in entries.before(row.id):
                self._add("orphan", self._place(lost, pseudonym))
            head = self._read(row, stored_record, row.body, pseudonym)
            some, whole = True, whole and head is not None
            count, due, state = 0, "", ""
            begun = ("", "")
            for line in entries.below(row.id):
                count += 1
                entry: StoredEntry | None = self._read(line, stored_entry, line.body, pseudonym)
                if entry is None:
                    continue
                due, state = entry.due or due, entry.state
                if count == 1:
                    begun = entry.act, entry.at
                if line.id != f"{row.id}/{count:06d}" or line.scope != row.scope:
                    self._add("entries", self._place(line, pseudonym))
                if head is not None and (entry.act, head.kind) not in kinds:
                    kinds.add((entry.act, head.kind))
                    self._said(kind_token(entry.act, pseudonym, PREFIX + head.kind), self._place(line, pseudonym))
                if entry.act not in known and entry.act not in told:
                    told.add(entry.act)
                    actor = self._staff.get(entry.actor, "")
                    self._said(token(entry.act, pseudonym, 0, entry.at, "", actor), self._place(line, pseudonym))
            if head is None:
                continue
            place = self._place(row, pseudonym)
            if (count, state, *begun) != (head.entries, head.state, head.opened, head.at):
                self._add("entries", place)
            if row.scope != scope_of(core.id, head.kind):
                self._add("scope", place)
            index = self._read(row, partial(_record_terms, core.id, head), due, pseudonym)
            if index is not None and index != dict(row.index):
                self._add("index", place)
            spec = self._archive.registry.find(PREFIX + head.kind)
            if spec is not None and tuple(head.version) == spec.version:
                self._read(row, self._archive.registry.codec(spec).load, bytes(head.entered), pseudonym)
        for lost in entries.below(core.id):
            self._add("orphan", self._place(lost, pseudonym))
        return some and whole

    def _facts(self, core: Row, row: Row | None, state: State | None, told: bool, pseudonym: str) -> None:
        """What is indexed of computed facts is what stands in their row, and that is what the records come to (`told`:
        there are some to compute it from), unless it waits to be computed anew."""
        terms: dict[str, Any] | None = {}
        if row is not None:
            if row.body == STALE:
                return
            terms = self._read(row, lambda body: facts_index(decode(body)), row.body, pseudonym)
        held = {name: core.index[name] for name in self._archive.indexing.derived if name in core.index}
        if terms is not None and held != {name: value for name, value in terms.items() if value is not None}:
            self._add("index", f"facts/{pseudonym}")
        elif state is not None and (told or row is not None):
            members = [core.id]
            if state.head.linked and not state.head.into:
                members += [below.id for below in self._below(state.head)]
            kept = self._state.get_many([Key("facts", member) for member in members], index=False)
            if any(one is not None and one.body == STALE for one in kept):
                return
            made = partial(facts_of, self._state)
            facts = self._read(None, made, members)
            if facts is None or row is None or encode(facts) != row.body:
                self._add("facts", f"facts/{pseudonym}")

    # -- other rows -------------------------------------------------------------------------------

    def _relations(self) -> None:
        waiting: list[tuple[Row, StoredTie]] = []
        for row in self._scan("relations"):
            tie = self._read(row, stored_tie, row.body)
            if tie is not None:
                waiting.append((row, tie))
            if len(waiting) == _CHUNK:
                self._ties(waiting)
                waiting = []
        self._ties(waiting)

    def _ties(self, ties: Sequence[tuple[Row, StoredTie]]) -> None:
        ends = list(dict.fromkeys(end for _, tie in ties for end in (tie.a, tie.b)))
        rows = self._state.get_many([Key("dossiers", end) for end in ends])
        people = {end: _pseudonym(row) for end, row in zip(ends, rows, strict=True) if row is not None}
        for row, tie in ties:
            place = self._place(row)
            both = (tie.a, tie.b)
            if any(end not in people for end in both):
                self._add("orphan", place)
                continue
            if dict(row.index) != tie_index(tie):
                self._add("index", place)
            if row.scope != core_scope(tie.a):
                self._add("scope", place)
            for said in (tie, *tie.before):
                actor = self._staff.get(said.actor, "")
                for end in both:
                    self._said(token(said.act, people[end], 0, said.at, "", actor), place)

    def _scan(self, collection: str) -> Iterator[Row]:
        for row in self._state.scan(collection):
            self._passed(row)
            yield row

    def _json(self, row: Row) -> dict[str, Any] | None:
        found = self._read(row, decode, row.body)
        if found is not None and type(found) is not dict:
            self._add("body", self._place(row))
            return None
        return found

    def _read(self, row: Row | None, read: Callable[[Any], T], body: Any, pseudonym: str = "") -> T | None:
        """What `read` makes of a body or a part of one; None where that cannot be done, or the row is not canonical."""
        try:
            if row is None or body is not row.body or is_canonical(row.body):
                return read(body)
        except _MALFORMED:
            pass
        if row is not None:
            self._add("body", self._place(row, pseudonym))
        return None

    @staticmethod
    def _place(row: Row, pseudonym: str = "") -> str:
        """A row for people who look for it: its file by its pseudonym, where that is known, else a hash of its id."""
        whose, slash, rest = row.id.partition("/")
        named = pseudonym or str(row.index.get("pseudonym") or "")
        return f"{row.collection}/{named or hashlib.sha256(whose.encode()).hexdigest()[:16]}{slash}{rest}"


def _pseudonym(core: Row) -> str:
    """The pseudonym of a dossier, from its body; from its index values where that cannot be read."""
    try:
        return head_of(core.body).pseudonym
    except _MALFORMED:
        return str(core.index.get("pseudonym") or "")


def _is_apart(head: Head, special: Row | None, acts: int, last: int) -> bool:
    """Whether the other compartment has the acts and the row that the head and the row's version tell of. A survivor
    of a merge may have got an empty row before any act, to be found by what others say."""
    if head.parts.get("special", 0) != last:
        return False
    if special is None:
        return not acts
    return special.version == acts or (head.merged and special.version == acts + 1)


def _record_terms(dossier: str, head: StoredRecord, due: str) -> dict[str, IndexValue]:
    return record_index(dossier, head.kind, head.state, head.fields(), due)
