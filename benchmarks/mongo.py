"""MongoDB: a batch of the repository beside three ways to write the same documents: `python -m benchmarks.mongo`.

The same three documents a change (dossier, act, event) with the same indexes, already made:

* `transaction`, plain pymongo: what the repository does, without its checks;
* `three writes`, each in the journal of a majority: may stop in between;
* `outbox`: act and event ride in the dossier, one write, and a drainer in a process of its own moves them to their
  collections. A block of changes counts until the drainer has moved them all, for until then the history is not where
  it is read.

Every side writes a block of 25 changes in turn, by one writer and by four threads.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pymongo
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

import dossier as ds
from benchmarks.corpus import INDEXES, changes, customer, sections
from benchmarks.measure import Side, settle
from dossier.repository import Batch, Collection, Key, Put, Row, encode
from dossier_mongodb import open_mongodb
from dossier_mongodb.documents import Document, Table, table_of
from dossier_mongodb.opening import indexes
from dossier_mongodb.testing import Server, running

BLOCK = 25
NAMES = ("dossiers", "acts", "events")
KEPT = WriteConcern("majority", j=True)


@attrs.frozen
class Change:
    """What one change writes: the dossier as it becomes, an act, an event."""

    dossier: Row
    act: Row
    event: Row

    def again(self, turn: int) -> Change:
        """The same change of the next version."""
        body = json.loads(self.dossier.body)
        body["turn"] = turn
        return Change(
            attrs.evolve(self.dossier, version=turn, body=encode(body)),
            attrs.evolve(self.act, id=f"{self.dossier.id}/{turn:08x}"),
            attrs.evolve(self.event, id=f"{self.dossier.id}/{turn:012d}"),
        )


def corpus(n: int) -> tuple[list[Change], list[Collection]]:
    """What an archive writes for `n` customers, taken from one in memory."""
    registry = sections()
    with ds.create("memory:", sections=registry, indexes=INDEXES) as archive:
        desk = archive.acting_as("王芳", role="manager", purpose="manage")
        for i in range(n):
            one = customer(i)
            desk.register(None, *changes(one.first, registry, archive.door, typed=False), kind="organization")
        rows = {name: list(archive.repository.scan(name)) for name in NAMES}
        acts = {row.id.partition("/")[0]: row for row in rows["acts"]}
        events = rows["events"][-n:]
        declared = [one for one in archive.indexing.collections() if one.name in NAMES]
        return [Change(row, acts[row.id], event) for row, event in zip(rows["dossiers"], events, strict=True)], declared


def _put(row: Row, expect: int) -> Put:
    return Put(row.collection, row.id, row.body, row.index, row.scope, expect, row.version)


class Ours:
    """The repository."""

    name = "repository"

    def __init__(self, server: Server, declared: Sequence[Collection]) -> None:
        self.repository = open_mongodb(server.url("ours"), mode="create", options={})
        self.repository.declare(declared)

    def insert(self, given: Sequence[Change]) -> None:
        """New dossiers, one batch."""
        self.repository.commit(Batch(tuple(_put(r, 0) for c in given for r in (c.dossier, c.act, c.event))))

    def change(self, one: Change) -> None:
        """One change, one batch."""
        puts = _put(one.dossier, one.dossier.version - 1), _put(one.act, 0), _put(one.event, 0)
        self.repository.commit(Batch(puts))

    def get(self, id: str) -> object:
        """A dossier by its id."""
        return self.repository.get_many([Key("dossiers", id)])

    def settle(self) -> float:
        """Nothing is left to do."""
        return 0.0

    def close(self) -> None:
        """Let go."""
        self.repository.close()


class Raw:
    """Plain pymongo over the same documents; `prepare` makes them before the clock runs."""

    name = "transaction"

    def __init__(self, server: Server, declared: Sequence[Collection]) -> None:
        self.client = pymongo.MongoClient[dict[str, Any]](server.url(f"raw_{type(self).__name__.lower()}"))
        self.base = self.client.get_default_database(write_concern=KEPT)
        self.tables = {one.name: table_of(one) for one in declared}
        for table in self.tables.values():
            self.base[table.name].create_indexes(indexes(table))
        self.made: dict[tuple[str, int], list[Document]] = {}

    def prepare(self, given: Sequence[Change]) -> None:
        """Make the documents."""
        for one in given:
            documents = [self._document(self.tables[row.collection], row) for row in (one.dossier, one.act, one.event)]
            self.made[one.dossier.id, one.dossier.version] = documents

    @staticmethod
    def _document(table: Table, row: Row) -> Document:
        return table.document(_put(row, 0), row.version)

    def taken(self, one: Change) -> list[Document]:
        """The documents of a change."""
        return self.made.pop((one.dossier.id, one.dossier.version))

    def insert(self, given: Sequence[Change]) -> None:
        """New dossiers, one transaction."""
        many = list(zip(*map(self.taken, given), strict=True))

        def write(session: Any) -> None:
            for name, documents in zip(NAMES, many, strict=True):
                self.base[name].insert_many(documents, session=session)

        self._transact(write)

    def change(self, one: Change) -> None:
        """One change, one transaction."""
        documents = self.taken(one)
        self._transact(lambda session: self._write(documents, session))

    def _write(self, documents: Sequence[Document], session: Any) -> None:
        dossier, act, event = documents
        known = {"_id": dossier["_id"], "version": dossier["version"] - 1}
        found = self.base["dossiers"].update_one(known, {"$set": dossier}, session=session)
        assert found.matched_count == 1
        self.base["acts"].insert_one(act, session=session)
        self.base["events"].insert_one(event, session=session)

    def _transact(self, work: Callable[[Any], None]) -> None:
        with self.client.start_session() as session, session.start_transaction(ReadConcern("snapshot"), KEPT):
            work(session)

    def get(self, id: str) -> object:
        """A dossier by its id, as bytes of JSON."""
        found = self.base["dossiers"].find_one({"_id": id}, {"grams": 0})
        assert found is not None
        return json.dumps(found["body"], ensure_ascii=False)

    def settle(self) -> float:
        """Nothing is left to do."""
        return 0.0

    def close(self) -> None:
        """Let go."""
        self.client.close()


class Three(Raw):
    """Three writes, each for itself."""

    name = "three writes"

    def insert(self, given: Sequence[Change]) -> None:
        """New dossiers, three commands."""
        for name, documents in zip(NAMES, zip(*map(self.taken, given), strict=True), strict=True):
            self.base[name].insert_many(documents, ordered=False)

    def change(self, one: Change) -> None:
        """One change, three commands."""
        self._write(self.taken(one), None)


class Outbox(Raw):
    """One write; act and event ride in the dossier until the drainer moves them."""

    name = "outbox, drained"

    def __init__(self, server: Server, declared: Sequence[Collection]) -> None:
        super().__init__(server, declared)
        self.base["dossiers"].create_index("out.act._id", sparse=True)
        self.url = server.url("raw_outbox")
        self.client.close()
        self.pid = os.fork()
        if self.pid == 0:
            drain(self.url)
        self.client = pymongo.MongoClient[dict[str, Any]](self.url)
        self.base = self.client.get_default_database(write_concern=KEPT)
        self.spent = 0.0

    def insert(self, given: Sequence[Change]) -> None:
        """New dossiers with what rides in them."""
        documents = []
        for one in given:
            dossier, act, event = self.taken(one)
            documents.append({**dossier, "out": [{"act": act, "event": event}]})
        self.base["dossiers"].insert_many(documents, ordered=False)

    def change(self, one: Change) -> None:
        """One change, one write."""
        dossier, act, event = self.taken(one)
        known = {"_id": dossier["_id"], "version": dossier["version"] - 1}
        change = {"$set": dossier, "$push": {"out": {"act": act, "event": event}}}
        assert self.base["dossiers"].update_one(known, change).matched_count == 1

    def settle(self) -> float:
        """Wait until all was moved; CPU seconds that the drainer used since the last time."""
        while self.base["dossiers"].find_one({"out.act._id": {"$gt": ""}}, {"_id": 1}) is not None:
            time.sleep(0.001)
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        used, self.spent = spent - self.spent, spent
        return used

    def close(self) -> None:
        """Let go and end the drainer."""
        super().close()
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


def drain(url: str) -> None:
    """Move what rides in dossiers to where it is read, for ever; every step may be repeated."""
    base = pymongo.MongoClient[dict[str, Any]](url).get_default_database(write_concern=KEPT)
    while True:
        found = list(base["dossiers"].find({"out.act._id": {"$gt": ""}}, {"out": 1}).limit(200))
        riding = [one for document in found for one in document["out"]]
        if not riding:
            time.sleep(0.002)
            continue
        for name, part in (("acts", "act"), ("events", "event")):
            try:
                base[name].insert_many([one[part] for one in riding], ordered=False)
            except BulkWriteError as error:
                if {one["code"] for one in error.details["writeErrors"]} != {11000}:
                    raise
        base["dossiers"].bulk_write(
            [
                pymongo.UpdateOne(
                    {"_id": document["_id"]},
                    {"$pull": {"out": {"act._id": {"$in": [one["act"]["_id"] for one in document["out"]]}}}},
                )
                for document in found
            ],
            ordered=False,
        )


def measure(sides: Sequence[Any], blocks: Sequence[Sequence[Change]], work: Callable[[Any, Any], None]) -> list[Side]:
    """Each block by each side in turn; a block ends when nothing of it is left to do."""
    results = [Side() for _ in sides]
    settle()
    for block in blocks:
        for side, result in zip(sides, results, strict=True):
            if isinstance(side, Raw):
                side.prepare(block)
            used: list[float] = []

            def run(side: Any = side, block: Sequence[Change] = block, used: list[float] = used) -> None:
                work(side, block)
                used.append(side.settle())

            result.time_one(run, len(block))
            result.cpu += sum(used)
    return results


def row(name: str, results: Sequence[Side], *, base: int = 1) -> str:
    """A line of the table: the clock and CPU of each side over those of the side `base`."""
    by = [f"{one.p10 / results[base].p10:.2f} ({one.mean / results[base].mean:.2f})" for one in results]
    return f"| {name} | {' | '.join(by)} |"


def writing(server: Server, n: int, rounds: int) -> None:
    """W1 and W2 of the four sides, then reads of the repository and of plain pymongo."""
    given, declared = corpus(n)
    made = [cls(server, declared) for cls in (Ours, Raw, Three, Outbox)]
    sides: list[Any] = list(made)
    print("| clock (CPU) over a plain transaction |", " | ".join(side.name for side in sides), "|")
    print("|---|" + "---|" * len(sides))
    try:
        chunks = [given[start : start + 100] for start in range(0, n, 100)]
        print(row("W1, 300 rows a batch", measure(sides, chunks, lambda side, block: side.insert(block))))
        turn = 1
        for writers in (1, 4):
            blocks = []
            for _ in range(rounds):
                turn += 1
                again = [one.again(turn) for one in given]
                blocks += [again[start : start + BLOCK] for start in range(0, n, BLOCK)]
            with ThreadPoolExecutor(writers) as pool:

                def work(side: Any, block: Sequence[Change], pool: ThreadPoolExecutor = pool) -> None:
                    list(pool.map(side.change, block))

                print(row(f"W2, {writers} writer{'s' * (writers > 1)}", measure(sides, blocks, work)))
        ids = [one.dossier.id for one in given]
        reads = [Side(), Side()]
        for start in range(0, n, BLOCK):
            for side, result in zip(sides, reads, strict=False):
                result.time([partial(side.get, id) for id in ids[start : start + BLOCK]])
        print(f"\nget by id over find_one and json: {reads[0].p10 / reads[1].p10:.2f}", end=" ")
        print(f"({reads[0].mean / reads[1].mean:.2f})")
    finally:
        for side in sides:
            side.close()


def desk(server: Server, n: int) -> None:
    """W2 and W3 through the desk, beside what they stand on."""
    registry = sections()
    plain = pymongo.MongoClient[dict[str, Any]](server.url("desk"))
    raw = plain.get_default_database(write_concern=KEPT)
    with ds.create(server.url("desk"), sections=registry, indexes=INDEXES, level="session") as archive:
        writer = archive.acting_as("王芳", role="manager", purpose="manage")
        ids = []
        for i in range(n):
            said = changes(customer(i).first, registry, archive.door, typed=False)
            ids.append(writer.register(None, *said, kind="organization").id)
        reader = archive.acting_as("小赵", role="service", purpose="serve")
        consult, find_one, update, commit = Side(), Side(), Side(), Side()

        def typed(id: str) -> None:
            view = reader.consult(id)
            for key in ("basic", "characteristics", "business_status", "transaction_status", "preferences"):
                view.section(key)

        def plainly(id: str) -> None:
            for name in ("dossiers", "facts"):
                found = raw[name].find_one({"_id": id})
                json.dumps(found and found["body"], ensure_ascii=False)

        batches: list[Batch] = []
        kept = archive.repository.commit

        def keeping(batch: Batch, *, durable: bool = True) -> Any:
            batches.append(batch)
            return kept(batch, durable=durable)

        settle()
        for start in range(0, n, BLOCK):
            some = ids[start : start + BLOCK]
            consult.time([partial(typed, id) for id in some])
            find_one.time([partial(plainly, id) for id in some])
        archive.repository.commit = keeping  # type: ignore[method-assign]
        for start in range(0, n, BLOCK):
            batches.clear()
            some = ids[start : start + BLOCK]
            update.time(
                [
                    partial(writer.update, id, ds.change("bench:trade", state=f"停滞{start}"), channel="visit")
                    for id in some
                ]
            )
            # The same writes once more, as rows of other ids.
            again = [Batch(tuple(_moved(op) for op in batch.ops if isinstance(op, Put))) for batch in batches]
            commit.time([partial(kept, batch) for batch in again])
    plain.close()
    print(f"consult, typed, over find_one of its rows and json: {consult.p10 / find_one.p10:.2f}", end=" ")
    print(f"({consult.mean / find_one.mean:.2f})")
    print(f"desk update over the commit of its rows: {update.p10 / commit.p10:.2f} ({update.mean / commit.mean:.2f})")


def _moved(put: Put) -> Put:
    return attrs.evolve(put, id=f"~{put.id}", expect=None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "m") as server:
        writing(server, given.n, given.rounds)
        desk(server, given.n)


if __name__ == "__main__":
    main()
