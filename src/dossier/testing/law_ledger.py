"""K11: a recorder around the repository, and a checker that computes every event anew from the rows of its batch.

Floor: testing. The checker reads rows as JSON; of the library it takes only which bits the leaves of a section have.
"""

# ruff: noqa: N802
from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.codec import SectionRegistry
from dossier.desk.archive import Archive
from dossier.desk.changes import change, record
from dossier.desk.claims import Statement
from dossier.desk.desk import Desk
from dossier.desk.finding import field
from dossier.desk.placing import Note
from dossier.desk.records import RecordView
from dossier.desk.transfer import COPIED
from dossier.errors import DeniedError
from dossier.model.edits import UNSET
from dossier.model.records import Relation
from dossier.policy import standard
from dossier.repository import MAX_BATCH, Batch, Put, Receipt
from dossier.testing.desk_place import DeskPlaces
from dossier.testing.desk_walk import Walk
from dossier.testing.place import Reach, fail, holds, same
from dossier.testing.walk_fields import PEOPLE, run_until

Event = tuple[str, str, str, int, str, str, str]
"""(act, verb, subject's pseudonym, revision, mask, instant, actor's pseudonym)."""
ACTING = {**dict.fromkeys(PEOPLE, ("manager", "manage")), "张强": ("sales", "")}
"""Who acts in the walks: name → (role, purpose)."""
_CONTENT = ("acts", "dossiers", "special", "records", "entries", "relations", "unplaced")


@attrs.define
class Watch:
    """Stands around the repository of an archive and notes every batch that was kept."""

    batches: list[Batch] = attrs.field(factory=list)

    def __call__(self, archive: Archive) -> None:
        """Begin to watch an archive."""
        repository: Any = archive.repository
        commit = repository.commit

        def watched(batch: Batch, *, durable: bool = True) -> Receipt:
            receipt: Receipt = commit(batch, durable=durable)
            if not receipt.repeated:
                self.batches.append(batch)
            return receipt

        repository.commit = watched


@attrs.define
class Checker:
    """Recomputes the events of batches, in the order in which they were kept."""

    registry: SectionRegistry
    pseudonyms: dict[str, str] = attrs.field(factory=dict)
    kinds: dict[str, str] = attrs.field(factory=dict)
    record_kinds: dict[str, str] = attrs.field(factory=dict)
    staff: dict[str, str] = attrs.field(factory=dict)
    """Id of an actor → his pseudonym."""
    acting: dict[str, tuple[str, str]] = attrs.field(factory=dict)
    """Pseudonym of an actor → (role, purpose) that he acts under."""
    policy: str = attrs.field(factory=lambda: standard().digest)

    def check(self, batch: Batch, reach: Reach) -> None:
        """AssertionError unless the events of the batch are those of its acts, and the other way round."""
        puts = [op for op in batch.ops if isinstance(op, Put)]
        holds("a batch has at most a thousand rows", len(puts) <= MAX_BATCH)
        for put in puts:
            if put.collection == "dossiers":
                head = json.loads(put.body)["head"]
                self.pseudonyms[put.id], self.kinds[put.id] = head["pseudonym"], head["kind"]
            elif put.collection == "records":
                self.record_kinds[put.id] = json.loads(put.body)["kind"]
            elif put.collection == "staff":
                pseudonym = self.staff[put.id] = str(put.index["pseudonym"])
                self.acting[pseudonym] = ACTING[json.loads(put.body)["name"]]
        lines = [json.loads(put.body)["event"] for put in puts if put.collection == "events"]
        content = [put for put in puts if put.collection in _CONTENT]
        if not content:
            # Reads, leases, staff: nothing about a dossier was changed.
            return
        got = Counter(
            (line.get("act", ""), line["verb"], *line["subjects"][0], line["at"], line["actor"])
            for line in lines
            if line.get("subjects")
        )
        same("events without a subject", sum(not line.get("subjects") for line in lines), 0)
        wanted = Counter(self._expected(content))
        same("events of a batch", dict(got), dict(wanted))
        reach["batches"] += 1
        for line in lines:
            role, purpose = self.acting[line["actor"]]
            said = line["outcome"], line["roles"], line.get("purpose", ""), line["policy"]
            same("how the event says it was decided", said, ("allowed", [role], purpose, self.policy))
            holds("the event names the rules that decided", bool(line.get("rules")))
            same("dossiers of one event of a change", len(line["subjects"]), 1)
            reach[line["verb"]] += 1
            reach[role] += 1

    def _expected(self, puts: list[Put]) -> list[Event]:
        fields: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        heads: dict[tuple[str, str], dict[str, Any]] = {}
        records: dict[tuple[str, str], set[str]] = defaultdict(set)
        entered: dict[tuple[str, str], tuple[str, str, str]] = {}
        found: list[Event] = []
        for put in puts:
            said = json.loads(put.body)
            dossier = put.id.partition("/")[0]
            if put.collection == "acts":
                key = dossier, said["act"]["id"]
                heads[key] = said["act"]
                fields[key].update(_fields(said))
            elif put.collection == "entries":
                key = dossier, said["act"]
                entered[key] = said["verb"], said["at"], self.staff[said["actor"]]
                records[key].add("record:" + self.record_kinds[put.id.rpartition("/")[0]])
            elif put.collection == "relations":
                for end in (said["a"], said["b"]):
                    subject = self.pseudonyms[end], 0, "relation"
                    found.append((said["act"], "relate", *subject, said["at"], self.staff[said["actor"]]))
            elif put.collection == "unplaced":
                # Nobody knows yet whose it is; its id is the act's.
                found.append((put.id, "collect", "", 0, "", said["at"], self.staff[said["actor"]]))
        for key in dict.fromkeys([*heads, *entered]):
            dossier, act = key
            masks = self._mask(dossier, fields[key])
            mask = ";".join([*masks, *sorted(records[key])])
            if key in heads:
                head = heads[key]
                subject = self.pseudonyms[dossier], head["rev"], mask
                found.append((act, head["verb"], *subject, head["at"], self.staff[head["actor"]]))
            else:
                verb, at, actor = entered[key]
                found.append((act, verb, self.pseudonyms[dossier], 0, mask, at, actor))
        return found

    def _mask(self, dossier: str, fields: set[tuple[str, str]]) -> list[str]:
        masks: dict[str, int] = defaultdict(int)
        for section, name in fields:
            spec = self.registry.find(section, self.kinds[dossier])
            if spec is None:
                fail(f"an act names {section}")
            for bit, leaf in enumerate(spec.leaves):
                if leaf.pattern.partition("[")[0] == name:
                    masks[section] |= 1 << bit
        return [f"{section}:{mask:x}" for section, mask in sorted(masks.items())]


def _fields(said: dict[str, Any]) -> set[tuple[str, str]]:
    """(section, field) of everything that an act row says."""
    paths = [path for path, _, _ in said.get("asserts", [])]
    paths += said.get("withdraws", [])
    paths += [entry[0] for name in ("retracts", "marks", "answers") for entry in said.get(name, [])]
    if said.get("whole"):
        state = said["state"]
        claims = state["claims"]
        paths += [f"{section}/{name}" for section, held in state.get("sections", {}).items() for name in held]
        paths += [entry[0] for name in ("absent", "rivals") for entry in claims.get(name, [])]
    found = set()
    for path in paths:
        section, _, rest = path.partition("/")
        for end in "[{/":
            rest = rest.partition(end)[0]
        found.add((section, rest))
    return found


_VISITED = (
    "register", "update", "enter", "follow_up", "collect", "withdraw", "dispute", "verify", "settle", "merge",
    "unmerge", "relate", "place", "sales",
)  # fmt: skip


def check_K11_events(
    places: DeskPlaces, *, examples: int = 40, steps: int = 10, profile: settings | None = None
) -> None:
    """Each act has its event in its batch, with the fields it touched, and each event its act."""
    reach = Reach()

    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        watch = Watch()
        walk = Walk(places().seeded(), data.draw, reach, opened=watch)
        try:
            walk.register()
            for _ in range(steps):
                walk.step()
                if data.draw(st.booleans()):
                    _deal(walk, data)
            checker = Checker(walk.archive.registry)
            for batch in watch.batches:
                checker.check(batch, reach)
            walk.desk.ledger.verify()
        finally:
            walk.archive.close()

    run_until(law, reach, _VISITED, examples=examples, profile=profile)


def _deal(walk: Walk, data: st.DataObject) -> None:
    """Records, notes, ties: what a walk itself does not do. Nothing of it changes what the walk compares."""
    files = list(walk.files)
    file = data.draw(st.sampled_from(files))
    order = record("order", at="2026-02-01", amount=5)
    what = data.draw(st.sampled_from(["enter", "unit", "follow", "follow", "collect", "place", "relate"]))
    if what == "enter":
        walk.desk.enter(file, order, record("visit", at="2026-02-02", text="谈"))
    elif what == "unit":
        with walk.desk.unit(because="批") as unit:
            for one in files:
                unit.enter(one, order)
    elif what == "follow":
        rows = [row for row in walk.desk.consult(file).records("order") if row.state == "open"]
        if rows:
            walk.desk.follow_up(rows[0], state="delivered", note="到货")
    elif what in ("collect", "place"):
        sales = walk.archive.acting_as("张强", role="sales")
        seen = record("observation", at="2026-02-02", text="两个枕头")
        sales.collect(file if what == "collect" else "KH-1999-00001", seen)
        for note in walk.desk.unplaced.list():
            walk.desk.unplaced.place(note, file)
    elif len(files) > 1:
        tie = walk.desk.relations.add(files[0], files[1], kind="introduced")
        walk.desk.relations.end(tie, until="2030-01-01")


def check_K11_refusals(places: DeskPlaces) -> None:
    """A refused verb leaves one event, of him who asked, and nothing else, whether what he names exists or not."""
    place = places()
    with place.create() as archive:
        manager = archive.acting_as("陈静", role="manager", purpose="manage")
        persons = [{"name": "李敏"}]
        number, other = (
            manager.register(name, change("basic", key_persons=persons), kind="organization").number for name in "甲乙"
        )
        manager.update(number, change("basic", key_persons=persons), channel="form")
        tie = manager.relations.add(number, other, kind="introduced")
        manager.enter(number, record("order", at="2026-02-01", amount=5))
        (row,) = manager.consult(number).records()
        statement = manager.claims.of(number, "basic/name")[0]
        archive.acting_as("张强", role="sales").collect("KH-1999-00001", record("observation", text="谁"))
        (note,) = manager.unplaced.list()
        (question, *_) = manager.consult(number).questions()
        outsider = archive.acting_as("外人", role="outsider")
        served = archive.acting_as("王芳", role="service")
        seen = record("visit", at="2026-02-02", text="谈")
        taboo = field("preferences/taboos") == "花生"
        for file in (number, "KH-1999-00002"):
            calls = _calls(outsider, file, other, row, statement, tie, note, question.new)
            for called, verb, call in calls:
                _refused(archive, f"{called} of {file}", verb, call, "外人")
        for called, verb, call in (
            ("enter", "enter", lambda: outsider.enter(number, seen)),
            ("find by a withheld field", "find", lambda: served.find(where=taboo)),
            ("count by a withheld field", "count", lambda: served.count(taboo)),
            ("claims of a withheld field", "claims", lambda: served.claims.of(number, "preferences/taboos")),
        ):
            _refused(archive, called, verb, call, "王芳" if "withheld" in called else "外人")


Call = tuple[str, str, Callable[[], object]]
"""(public name, verb of its event, the call)."""


def _calls(
    desk: Desk, file: str, other: str, row: RecordView, statement: Statement, tie: Relation, note: Note, part: str
) -> list[Call]:
    """Every verb of a desk and its counters, asked by somebody who may none of them."""
    said = change("basic", industry="茶")
    claims, merges, relations = desk.claims, desk.merges, desk.relations
    return [
        ("register", "register", lambda: desk.register("丙", kind="organization")),
        ("update", "update", lambda: desk.update(file, said)),
        ("withdrawing update", "update", lambda: desk.update(file, change("basic", industry=UNSET))),
        ("collect", "collect", lambda: desk.collect(file, said)),
        ("enter", "enter", lambda: desk.enter(file, said)),
        ("follow_up", "follow_up", lambda: desk.follow_up(row, state="delivered")),
        ("consult", "consult", lambda: desk.consult(file)),
        ("find", "find", lambda: desk.find(name="甲")),
        ("count", "count", desk.count),
        ("history", "history", lambda: desk.history(file)),
        ("card", "consult", lambda: desk.card(file)),
        ("brief", "consult", lambda: desk.brief(file)),
        ("entries", "entries", lambda: desk.entries(row)),
        ("claims.of", "claims", lambda: claims.of(file, "basic/name")),
        ("claims.verify", "verify", lambda: claims.verify(statement)),
        ("claims.dispute", "dispute", lambda: claims.dispute(statement)),
        ("claims.withdraw", "withdraw", lambda: claims.withdraw(statement)),
        ("claims.settle", "settle", lambda: claims.settle(file, part, same=True)),
        ("merges.merge", "merge", lambda: merges.merge(file, other)),
        ("merges.unmerge", "unmerge", lambda: merges.unmerge(file, other)),
        ("relations.add", "relate", lambda: relations.add(file, other, kind="friend")),
        ("relations.end", "relate", lambda: relations.end(tie, until="2030-01-01")),
        ("relations.of", "relations", lambda: relations.of(file)),
        ("ledger.tail", "ledger.tail", desk.ledger.tail),
        ("ledger.verify", "ledger.verify", desk.ledger.verify),
        ("unplaced.list", "unplaced", desk.unplaced.list),
        ("unplaced.place", "place", lambda: desk.unplaced.place(note, file)),
    ]


def _refused(archive: Archive, called: str, verb: str, call: Callable[[], object], name: str) -> None:
    """AssertionError unless the call is refused, with one event of who asked and no other trace."""
    (actor,) = [actor.pseudonym for actor in archive.staff.all() if actor.name == name]
    before, events = _held(archive), {(event.lane, event.seq) for event in archive.recorder.events()}
    refused = ""
    try:
        call()
    except DeniedError as error:
        refused = error.code
    holds(f"{called} is refused", refused in ("policy.denied", "policy.field"))
    same(f"rows after {called}", _held(archive), before)
    new = [event for event in archive.recorder.events() if (event.lane, event.seq) not in events]
    told = [(e.verb, e.outcome != "allowed", e.actor, tuple(e.subjects)) for e in new if e.verb != "open"]
    same(f"events of a refused {called}", told, [(verb, True, actor, ())])


def _held(archive: Archive) -> list[tuple[str, str, int, bytes]]:
    """Every row but those of the ledger."""
    kept = [name for name in (*COPIED, "manifest") if name != "events"]
    return [(name, row.id, row.version, row.body) for name in kept for row in archive.repository.scan(name)]
