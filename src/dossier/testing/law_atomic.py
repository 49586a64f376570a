"""K4 without crashes: a refused batch leaves nothing, an accepted one all; the batch key makes it idempotent.

Floor: testing. Crashes are in `law_crash`, half-visible batches in `law_threads`.
"""

# The names of checks carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

from contextlib import closing

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.errors import ConflictError, LimitError
from dossier.repository import (
    MAX_BATCH,
    Batch,
    Check,
    Collection,
    Contains,
    Delete,
    Index,
    Key,
    Put,
    Query,
    Repository,
    Row,
    Shred,
)
from dossier.testing.oracle import Oracle
from dossier.testing.pair import Pair, paired
from dossier.testing.place import Places, Reach, raises, run, same
from dossier.testing.strategies import FLAWS, aged, collections, guided_batches

OPS = (Put, Index, Delete, Check, Shred)


def check_K4_all_or_nothing(places: Places, *, examples: int = 40, profile: settings | None = None) -> None:
    """Batches with a flaw at any place are refused and leave the state, index and search terms as they were;
    batches without are taken whole, later operations seeing earlier ones."""
    reach = Reach()

    @given(st.data())
    def law(data: st.DataObject) -> None:
        declared = (data.draw(collections(name="order")), data.draw(collections(name="rows")))
        with paired(places, reach) as pair:
            pair.declare(*declared)
            pair.commit(data.draw(aged(declared)))
            for flaw in ("", *FLAWS[:2], "", *FLAWS[2:4], "", *FLAWS[4:], ""):
                drawn = data.draw(guided_batches(declared, pair.oracle.states[-1], flaw=flaw))
                before = _everything(pair.repository, pair), _found(pair, drawn.batch)
                got = pair.commit(drawn.batch)
                after = _everything(pair.repository, pair), _found(pair, drawn.batch)
                if got == "conflict":
                    same(f"state after a refused batch ({drawn.flaw})", after, before)
                    reach[drawn.flaw] += 1
                    reach["rolled back"] += drawn.at > 0
                else:
                    same("state after an accepted batch", _cells(after[0]), _cells(_everything(pair.oracle, pair)))
                    reach.update(type(op).__name__ for op in drawn.batch.ops)

    run(law, examples=examples, profile=profile)
    reach.require(examples, *FLAWS, *(kind.__name__ for kind in OPS), least=3)
    reach.require(examples, "rolled back", "done", least=examples)
    _limit(places)


def check_K4_batch_key(places: Places, *, examples: int = 25, profile: settings | None = None) -> None:
    """A key that was committed makes the batch a no-op that says `repeated`, whatever it holds, also after a
    re-open; a refused batch leaves its key free."""
    reach = Reach()

    @given(st.data())
    def law(data: st.DataObject) -> None:
        place = places()
        declared = (data.draw(collections(name="order")),)
        oracle = Oracle()
        with closing(place.create()) as repository:
            pair = Pair(repository, oracle, reach=reach)
            pair.declare(*declared)
            pair.commit(data.draw(aged(declared)))
            for _ in range(8):
                drawn = data.draw(guided_batches(declared, oracle.states[-1], keys=("k1", "k2", "k3")))
                used = drawn.batch.key in oracle.keys
                got = pair.commit(drawn.batch)
                same("versions", _versions(repository, pair), _versions(oracle, pair))
                if got == "conflict" and drawn.batch.key is not None:
                    reach["refused with a key"] += 1
                    again = Batch(drawn.batch.ops[: drawn.at], drawn.batch.key)
                    same("the same key after a refusal", pair.commit(again), "done")
                    same("repeated at once", pair.commit(drawn.batch), "repeated")
                    same("versions", _versions(repository, pair), _versions(oracle, pair))
                elif used and drawn.flaw:
                    reach["repeated with a flaw"] += 1
        with closing(place.open()) as repository:
            pair = Pair(repository, oracle, declared, reach)
            for key in sorted(oracle.keys):
                shred = Batch((Shred("s:core"), Shred("t:core")), key)
                same("a key after a re-open", pair.commit(shred), "repeated")
                reach["reopened"] += 1
            same("versions", _versions(repository, pair), _versions(oracle, pair))

    run(law, examples=examples, profile=profile)
    reach.require(examples, "refused with a key", "repeated with a flaw", "reopened", "repeated", least=2)


def _everything(repository: Repository, pair: Pair) -> list[Row]:
    return [row for one in pair.declared for row in repository.scan(one.name)]


def _found(pair: Pair, batch: Batch) -> list[list[str]]:
    """The ids that the repository finds by each search text of the batch."""
    texts = {
        (op.collection, name, value)
        for op in batch.ops
        if isinstance(op, Put)
        for name, value in op.index.items()
        if name == "words" and isinstance(value, str) and value
    }
    pages = (
        pair.repository.find(Query(collection=collection, where=Contains(name, value), limit=1000, bodies=False))
        for collection, name, value in sorted(texts)
    )
    return [[row.id for row in page.rows] for page in pages]


def _cells(rows: list[Row]) -> list[tuple[object, ...]]:
    return [attrs.astuple(attrs.evolve(row, index={}, body=b"")) for row in rows]


def _versions(repository: Repository, pair: Pair) -> list[tuple[str, int]]:
    return sorted((row.id, row.version) for row in _everything(repository, pair))


def _limit(places: Places) -> None:
    """A batch of 1,000 operations is taken, one of 1,001 leaves nothing; a refusal at the last of many neither."""
    with paired(places, Reach()) as pair:
        pair.declare(collection := Collection(name="plain"))
        puts = tuple(Put(collection.name, f"{n:04}", b"1", {}, "s") for n in range(MAX_BATCH + 1))
        raises(LimitError, lambda: pair.repository.commit(Batch(puts)), "a batch over the limit")
        refused = Batch((*puts[: MAX_BATCH - 1], Check(collection.name, "nobody", 1)))
        raises(ConflictError, lambda: pair.repository.commit(refused), "a Check that fails at the end")
        same("rows after refusals", pair.repository.get_many([Key(collection.name, "0000")]), [None])
        pair.repository.commit(Batch(puts[:MAX_BATCH]), durable=False)
        got = [row for row in pair.repository.get_many([Key(collection.name, put.id) for put in puts]) if row]
        same("rows after a full batch", len(got), MAX_BATCH)
