"""From what a plan read of each customer to batches: which of it is new, and how it is written.

Floor: desk. Reading is done for many customers at once, writing in batches of at most 1,000 rows.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from dossier.codec.state import Head, State
from dossier.desk.acting import Acting
from dossier.desk.changes import Change, Told
from dossier.desk.imported_records import Entering, Unfit, plan_records
from dossier.desk.layout import core_scope, head_index
from dossier.desk.loaded import Loaded
from dossier.desk.work import Intent, Work, perform
from dossier.desk.writing import Writing, after, written_mask
from dossier.errors import (
    InputError,
    NewerSectionError,
    NotFoundError,
    OlderSectionError,
    Problem,
    QuestionOpenError,
)
from dossier.intake import Builder, Counts, Party, Plan, Rejects, Said
from dossier.intake.gather import Group, Row
from dossier.intake.reasons import reason
from dossier.intake.report import Status
from dossier.model.claims import section_of
from dossier.model.clock import day_of
from dossier.policy import Decision
from dossier.repository import Key, Put, decode, encode
from dossier.repository import Row as Stored

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

PENDING = 200
"""Customers that are looked up together."""
WAITING = 4_000
"""Rows of theirs at most."""
RECORDS = 200
"""Records of one customer that one act enters at most."""
FULL = 880
"""Operations after which a batch is written."""
_REFUSALS = (InputError, NewerSectionError, OlderSectionError, QuestionOpenError, NotFoundError)


@attrs.define
class Step:
    """One intent, how many operations it will need, the rows that hang on it, and what it adds to the counts."""

    intent: Intent[None]
    size: int
    rows: list[Row]
    registers: bool = False
    counts: dict[str, int] = attrs.field(factory=dict)


@attrs.define
class Memory:
    """What the source last said of a dossier: path → marks of its values. `version` of its row, 0 for none."""

    version: int
    said: dict[str, list[str]]


class Importing:
    """One run of an import: takes parties one after the other."""

    def __init__(
        self, writing: Writing, plan: Plan, builder: Builder, out: Rejects, decision: Decision, *, write: bool
    ) -> None:
        self.writing = writing
        self.actor = writing.reading.actor
        self.archive = writing.archive
        self.plan = plan
        self.counts = Counts()
        self._builder = builder
        self._out = out
        self._decision = decision
        self._write = write
        self._salt = _salt(writing.archive, keep=write)
        self._pending: list[Party] = []
        self._waiting = 0
        self._steps: list[Step] = []
        self._size = 0
        self._serials: list[str] = []
        self._gone: set[int] = set()
        self._rehearsed: dict[str, Loaded] = {}
        self._told = Told(channel=plan.channel, told_by=plan.told_by or plan.name)
        self._because = plan.because

    # -- taking -----------------------------------------------------------------------------------

    def take(self, party: Party) -> None:
        """Take what is said of one customer."""
        counts = self.counts
        counts.rows += len(party.accepted) + len(party.refused)
        counts.accepted += len(party.accepted)
        counts.duplicated += len(party.repeated)
        for row, problem in party.repeated:
            self._out.add("duplicate", [problem], self._builder.header(row), row.cells)
        for row, status, problems in party.refused:
            self._count(status)
            if problems[0].code != "intake.duplicate":
                self._out.add(status, problems, self._builder.header(row), row.cells)
        if party.accepted:
            self._pending.append(party)
            self._waiting += len(party.accepted)
            if len(self._pending) >= PENDING or self._waiting >= WAITING:
                self._look()

    def finish(self) -> None:
        """Deal with what is waiting."""
        self._look()
        self._flush()

    def refuse(self, rows: Sequence[Row], status: Status, problems: Sequence[Problem]) -> None:
        """Rows that were accepted cannot be taken after all; the paths of `problems` name the field, if anything."""
        rows = [row for row in rows if row.ordinal not in self._gone]
        self._gone.update(row.ordinal for row in rows)
        self.counts.accepted -= len(rows)
        for row in rows:
            self._count(status)
            placed = [_placed(each, self._builder.place(row)) for each in problems]
            self._out.add(status, placed, self._builder.header(row), row.cells)

    def _count(self, status: Status) -> None:
        if status == "rejected":
            self.counts.rejected += 1
        else:
            self.counts.quarantined += 1

    # -- looking up -------------------------------------------------------------------------------

    def _look(self) -> None:
        parties, self._pending, self._waiting = self._pending, [], 0
        ids = [self.derived("dossier", party.key) for party in parties]
        rows = self.archive.repository.get_many([Key("requests", memory_id(each)) for each in ids])
        for party, dossier, row in zip(parties, ids, rows, strict=True):
            for step in self._planned(party, dossier, row):
                if self._steps and self._size + step.size > FULL:
                    self._flush()
                self._steps.append(step)
                self._size += step.size

    def derived(self, *names: str) -> str:
        """An id that follows from the archive's salt and these names, in the shape of the random ones."""
        text = "\0".join(("intake", self.plan.name, *names))
        raw = bytearray(hmac.digest(self._salt, text.encode(), hashlib.sha256)[:16])
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        return raw.hex()

    def _mark(self, said: Said) -> str:
        return hmac.digest(self._salt, said.mark, hashlib.sha256)[:8].hex()

    def _planned(self, party: Party, dossier: str, row: Stored | None) -> list[Step]:
        memory = Memory(row.version, dict(decode(row.body)["said"])) if row is not None else Memory(0, {})
        if not memory.version and not party.opens:
            self.refuse(party.accepted, "quarantined", [reason("intake.orphan", "", table="/")])
            return []
        records, unfit = plan_records(self, dossier, party, known=bool(memory.version))
        while unfit:
            # A row is taken whole or not at all: what else it says of its customer goes with its record.
            party = self._without(party, unfit)
            if not party.accepted:
                return []
            records, unfit = plan_records(self, dossier, party, known=bool(memory.version))
        marks = [(said, self._mark(said)) for said in party.said]
        fresh = [said for said, mark in marks if mark not in memory.said.get(said.path, ())]
        if memory.version and any(said.only_blank for said in fresh):
            fresh = self._blank(dossier, fresh)
        remembered = dict(memory.said)
        for path in dict.fromkeys(said.path for said in party.said):
            remembered[path] = sorted(mark for said, mark in marks if said.path == path)
        layers = _layers(fresh)
        problems: tuple[Problem, ...] = ()
        try:
            prepared = [self.writing.prepare(self._changes(layer), self.plan.kind, self._told) for layer in layers]
        except InputError as error:
            problems = error.problems
        if problems:
            self.refuse(party.accepted, "rejected", problems)
            return []
        return self._steps_of(party, dossier, memory, remembered, prepared, records)

    def _without(self, party: Party, unfit: Sequence[Unfit]) -> Party:
        """What the other rows of a customer say; those that can no longer be placed without them are refused too."""
        for each in unfit:
            self.refuse(each.rows, each.status, each.problems)
        left = self._builder.party(Group(party.key, [row for row in party.accepted if row.ordinal not in self._gone]))
        for row, status, problems in left.refused:
            self.refuse([row], status, problems)
        return left

    def _blank(self, dossier: str, fresh: list[Said]) -> list[Said]:
        core, special = self.archive.repository.get_many([Key("dossiers", dossier), Key("special", dossier)])
        states = [State.decode(row.body) for row in (core, special) if row is not None]

        def blank(path: str) -> bool:
            section, _, name = path.partition("/")
            return not any(state.look(section).get(name) or path in state.absent for state in states)

        return [said for said in fresh if not said.only_blank or blank(said.path)]

    def _changes(self, layer: Sequence[Said]) -> list[Change]:
        values: dict[tuple[str, str], dict[str, Any]] = {}
        for said in layer:
            fields = values.setdefault((section_of(said.path), said.observed), {})
            name = said.path.partition("/")[2]
            if said.many:
                fields.setdefault(name, []).append(said.value)
            else:
                fields[name] = said.value
        found = []
        for (section, observed), fields in values.items():
            told = Told(**self._told, observed=observed) if observed else self._told
            found.append(Change(section, fields, told=told))
        return found

    # -- steps ------------------------------------------------------------------------------------

    def _steps_of(
        self,
        party: Party,
        dossier: str,
        memory: Memory,
        remembered: dict[str, list[str]],
        prepared: list[list[Any]],
        records: list[Entering],
    ) -> list[Step]:
        registers = not memory.version
        if not registers and not any(prepared) and not records:
            self.counts.unchanged += 1
            return []
        steps: list[Step] = []
        chunks = [records[at : at + RECORDS] for at in range(0, len(records), RECORDS)] or [[]]
        layers = prepared or [[]]
        for number in range(max(len(layers), len(chunks))):
            changes = layers[number] if number < len(layers) else []
            entering = chunks[number] if number < len(chunks) else []
            first = number == 0
            steps.append(
                self._step(
                    dossier, changes, entering, party, registers=registers and first,
                    memory=(memory.version, remembered) if first and (registers or any(prepared)) else None,
                )
            )  # fmt: skip
            for name, amount in (
                ("created", registers and first),
                ("updated", not registers and first),
                ("records", sum(1 for each in entering if not each.replaces)),
                ("corrected", sum(1 for each in entering if each.replaces)),
            ):
                steps[-1].counts[name] = int(amount)
        later = {row.ordinal for step in steps[1:] for row in step.rows}
        steps[0].rows = [row for row in party.accepted if row.ordinal not in later]
        return steps

    def _step(
        self,
        dossier: str,
        changes: list[Any],
        entering: list[Entering],
        party: Party,
        *,
        registers: bool,
        memory: tuple[int, dict[str, list[str]]] | None,
    ) -> Step:
        now = self.archive.moment()
        marks = [memory[0] if memory else "", *(p.fields for p in changes), *(each.record for each in entering)]
        act = self.derived("act", dossier, str(registers), repr(marks), *(self._mark_of(p) for p in changes))
        verb = "register" if registers else "update" if changes else "enter"
        kinds = [each.kind for each in entering]
        writing = self.writing

        def intent(work: Work) -> None:
            at = now
            if registers or changes:
                if registers:
                    head = Head(
                        kind=self.plan.kind, number=self._serials.pop(0), stage=self.plan.stage,
                        standing=self.plan.standing, pseudonym=self.derived("pseudonym", dossier)[:16],
                    )  # fmt: skip
                    loaded = work.fresh(dossier, head)
                    loaded.index.update(head_index(head))
                else:
                    loaded = work.load(dossier)
                at = self.archive.not_before(now, after(loaded.head.at))
                context = attrs.evolve(self.archive.context, random=_Stream(act))
                acting = Acting(
                    context, loaded, act=act, at=at, today=day_of(at, self.archive.zone), verb=verb,
                    actor=self.actor.id, because=self._because,
                )  # fmt: skip
                for item in changes:
                    acting.change(item.spec, item.parsed, acting.source(item.told))
                writing.finish(work, acting, verb, self._decision, kinds)
            else:
                subject = (writing.head(work, dossier).pseudonym, 0, written_mask({}, kinds))
                judged = writing.judged(work, self._decision, verb, dossier)
                work.events.append(writing.event(verb, judged, act, at, subject))
            for each in entering:
                work.ops.extend(each.ops(self, act, at))
                work.stale[dossier] = None
            if memory is not None:
                body = encode({"said": [[path, marks] for path, marks in sorted(memory[1].items())]})
                work.ops.append(Put("requests", memory_id(dossier), body, {}, core_scope(dossier), memory[0]))

        size = 10 + sum(each.size for each in entering)
        return Step(intent, size, [row for each in entering for row in each.rows], registers)

    def _mark_of(self, prepared: Any) -> str:
        codec = self.archive.registry.codec(prepared.spec)
        return hashlib.sha256(codec.dump(prepared.spec.cls(**prepared.parsed.values))).hexdigest()

    # -- writing ----------------------------------------------------------------------------------

    def _flush(self) -> None:
        steps, self._steps, self._size = self._steps, [], 0
        if steps:
            self._carried_out(steps)

    def _carried_out(self, steps: list[Step]) -> None:
        """Write steps in one batch; one by one where one of them is refused."""
        refused: Sequence[Problem] = ()
        try:
            self._perform([self._numbering(steps), *(step.intent for step in steps)])
        except _REFUSALS as error:
            refused = getattr(error, "problems", ()) or (reason("intake.refused", "", code=error.code),)
        if not refused:
            for step in steps:
                for name, amount in step.counts.items():
                    setattr(self.counts, name, getattr(self.counts, name) + amount)
        elif len(steps) > 1:
            for step in steps:
                self._carried_out([step])
        else:
            self.refuse(steps[0].rows, "rejected", refused)

    def _numbering(self, steps: Sequence[Step]) -> Intent[None]:
        count = sum(step.registers for step in steps)

        def intent(work: Work) -> None:
            self._serials = self.archive.numbers_within(work, self.plan.kind, count) if count else []

        return intent

    def _perform(self, intents: Sequence[Intent[None]]) -> None:
        if self._write:
            perform(self.archive, intents)
            return
        # A customer whose records fill several batches is known to the next as this one leaves it.
        work = Work(self.archive)
        work.loaded.update(self._rehearsed)
        for intent in intents:
            intent(work)
        last = list(work.loaded)[-1:]
        self._rehearsed = {dossier: work.loaded[dossier] for dossier in last}


class _Stream:
    """Bytes that follow from a seed, for the keys of parts: the same act always gives the same keys."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(f"{self._seed}{self._drawn}".encode()).digest(count)


def _salt(archive: Archive, *, keep: bool) -> bytes:
    """What the ids of this archive's imports follow from. It is kept beside what was imported, so that a copy of the
    archive, whose own secret is new, still knows the same rows."""
    key = Key("requests", "intake")
    (row,) = archive.repository.get_many([key])
    if row is not None:
        return bytes.fromhex(decode(row.body)["salt"])
    salt = hmac.digest(archive.manifest.key, b"intake", hashlib.sha256)
    if keep:
        put = Put(key.collection, key.id, encode({"salt": salt.hex()}), {}, "", 0)
        perform(archive, [lambda work: work.ops.append(put) if work.row(key.collection, key.id) is None else None])
    return salt


def _placed(problem: Problem, place: str) -> Problem:
    """A problem at the row it came from, with the field in its text."""
    field = f"{problem.path}: " if problem.path not in ("", place) else ""
    return attrs.evolve(problem, path=place, zh=field + problem.zh, en=field + problem.en)


def memory_id(dossier: str) -> str:
    """The row that remembers what a source last said of a dossier."""
    return f"intake:{dossier}"


def _layers(fresh: Sequence[Said]) -> list[list[Said]]:
    """Values that compete for one place come one act after the other, the latest observed last."""
    layers: list[list[Said]] = []
    depth: dict[tuple[str, bytes], int] = {}
    for said in sorted(fresh, key=lambda each: each.observed):
        place = (said.path, said.same)
        at = depth.get(place, 0)
        depth[place] = at + 1
        if at == len(layers):
            layers.append([])
        layers[at].append(said)
    return layers
