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
from dossier.errors import DossierError
from dossier.model.edits import UNSET
from dossier.repository import MAX_BATCH, Batch, Put, Receipt
from dossier.testing.desk_place import DeskPlaces
from dossier.testing.desk_walk import Walk
from dossier.testing.place import Reach, fail, holds, run, same

Event = tuple[str, str, str, int, str, str]
"""(act, verb, subject's pseudonym, revision, mask, instant)."""
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
        lines = [json.loads(put.body)["event"] for put in puts if put.collection == "events"]
        content = [put for put in puts if put.collection in _CONTENT]
        if not content:
            # Reads, leases, staff: nothing about a dossier was changed.
            return
        got = Counter(
            (line.get("act", ""), line["verb"], *line["subjects"][0], line["at"])
            for line in lines
            if line.get("subjects")
        )
        same("events without a subject", sum(not line.get("subjects") for line in lines), 0)
        wanted = Counter(self._expected(content))
        same("events of a batch", dict(got), dict(wanted))
        reach["batches"] += 1
        for line in lines:
            reach[line["verb"]] += 1

    def _expected(self, puts: list[Put]) -> list[Event]:
        fields: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        heads: dict[tuple[str, str], dict[str, Any]] = {}
        records: dict[tuple[str, str], set[str]] = defaultdict(set)
        entered: dict[tuple[str, str], tuple[str, str]] = {}
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
                entered[key] = said["verb"], said["at"]
                records[key].add("record:" + self.record_kinds[put.id.rpartition("/")[0]])
            elif put.collection == "relations":
                for end in (said["a"], said["b"]):
                    found.append((said["act"], "relate", self.pseudonyms[end], 0, "relation", said["at"]))
            elif put.collection == "unplaced":
                found.append((said["act"], "collect", "", 0, "", ""))
        for key in dict.fromkeys([*heads, *entered]):
            dossier, act = key
            masks = self._mask(dossier, fields[key])
            mask = ";".join([*masks, *sorted(records[key])])
            if key in heads:
                head = heads[key]
                found.append((act, head["verb"], self.pseudonyms[dossier], head["rev"], mask, head["at"]))
            else:
                verb, at = entered[key]
                found.append((act, verb, self.pseudonyms[dossier], 0, mask, at))
        return found

    def _mask(self, dossier: str, fields: set[tuple[str, str]]) -> list[str]:
        masks: dict[str, int] = defaultdict(int)
        for section, field in fields:
            spec = self.registry.find(section, self.kinds[dossier])
            if spec is None:
                fail(f"an act names {section}")
            for bit, leaf in enumerate(spec.leaves):
                if leaf.pattern.partition("[")[0] == field:
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

    run(law, examples=examples, profile=profile)
    reach.require(examples, "register", "update", "enter", "follow_up", "collect", "withdraw", "dispute", "verify",
                  "settle", "merge", "unmerge", "relate")  # fmt: skip


def _deal(walk: Walk, data: st.DataObject) -> None:
    """Records, notes, ties: what a walk itself does not do. Nothing of it changes what the walk compares."""
    files = list(walk.files)
    file = data.draw(st.sampled_from(files))
    order = record("order", at="2026-02-01", amount=5)
    what = data.draw(st.sampled_from(["enter", "unit", "follow", "collect", "relate"]))
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
    elif what == "collect":
        walk.desk.collect(file, record("observation", at="2026-02-02", text="两个枕头"))
    elif len(files) > 1:
        walk.desk.relations.add(files[0], files[1], kind="introduced")


def check_K11_refusals(places: DeskPlaces) -> None:
    """A refused verb leaves one event and nothing else."""
    place = places()
    with place.create() as archive:
        number = archive.acting_as("陈静", role="manager", purpose="manage").register("甲", kind="organization").number
        sales = archive.acting_as("张强", role="sales")
        outsider = archive.acting_as("外人", role="outsider")
        said = change("basic", industry="茶")
        calls: dict[str, Callable[[], object]] = {
            "consult": lambda: sales.consult(number),
            "find": lambda: sales.find(name="甲"),
            "count": sales.count,
            "history": lambda: sales.history(number),
            "claims": lambda: sales.claims.of(number, "basic/name"),
            "merge": lambda: sales.merges.merge(number, number),
            "relations": lambda: sales.relations.of(number),
            "ledger.verify": sales.ledger.verify,
            "update": lambda: sales.update(number, change("basic", industry=UNSET)),
            "register": lambda: outsider.register("乙", kind="organization"),
            "collect": lambda: outsider.collect(number, said),
            "enter": lambda: outsider.enter(number, said),
            "relate": lambda: outsider.relations.add(number, number, kind="x"),
        }  # fmt: skip
        for verb, call in calls.items():
            before, events = archive.digest(), list(archive.recorder.events())
            refused = False
            try:
                call()
            except DossierError as error:
                refused = error.code == "policy.denied"
            holds(f"{verb} is refused", refused)
            same(f"rows after {verb}", archive.digest(), before)
            after = list(archive.recorder.events())
            new = [event for event in after if (event.lane, event.seq) not in {(e.lane, e.seq) for e in events}]
            new = [event for event in new if event.verb != "open"]
            same(f"events of a refused {verb}", [(e.verb, e.outcome != "allowed") for e in new], [(verb, True)])
