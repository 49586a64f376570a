"""K5 and the reading half of K4: many threads on one repository.

Floor: testing. Nothing here asserts a time; threads wait for each other at barriers.
"""

# The names of checks carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from dossier.errors import ConflictError
from dossier.repository import (
    Batch,
    Check,
    Collection,
    Delete,
    Eq,
    IndexField,
    Key,
    Op,
    Order,
    Put,
    Query,
    Reader,
    Repository,
    encode,
)
from dossier.testing.place import Places, fail, holds, raises, same

COLLECTION = Collection(name="raced", fields=(IndexField(name="turn", type="int"),))
OTHER = Collection(name="other", fields=(IndexField(name="turn", type="int"),))
THREADS = 6
TURNS_MOST = 50_000


def check_K5_one_winner(places: Places, *, rounds: int = 4) -> None:
    """Of N threads that expect the same version exactly one wins, by Put, Delete, creation and Check with Put;
    disjoint rows all succeed; a batch key has one effect; a stale expectation always loses."""
    with closing(places().create()) as repository:
        repository.declare([COLLECTION, OTHER])
        _in_turn(repository)
        for turn in range(rounds):
            _creation(repository, f"new{turn}")
            _update(repository, turn)
            _removal(repository, f"new{turn}")
            _checked(repository, turn)
            _key(repository, f"key{turn}")
            done = together(repository, [_put(f"own{n}", None, turn) for n in range(THREADS)])
            same("writers of disjoint rows", done, ["done"] * THREADS)


def together(repository: Repository, ops: Sequence[Sequence[Op]], *, key: str | None = None) -> list[str]:
    """Commit one batch a thread at the same moment; what became of each, in order: done, repeated, conflict."""
    barrier = threading.Barrier(len(ops))
    results = [""] * len(ops)

    def write(n: int) -> None:
        barrier.wait()
        try:
            receipt = repository.commit(Batch(tuple(ops[n]), key), durable=False)
            results[n] = "repeated" if receipt.repeated else "done"
        except ConflictError:
            results[n] = "conflict"
        except Exception as error:
            results[n] = type(error).__name__

    threads = [threading.Thread(target=write, args=(n,)) for n in range(len(ops))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def check_K4_seen_whole(places: Places, *, rows: int = 12, states: int = 8) -> None:
    """A writer turns all rows of two collections in one batch; no read and no snapshot ever sees two turns."""
    half = rows // 2
    keys = [Key(COLLECTION.name, f"{n}") for n in range(half)] + [Key(OTHER.name, f"{n}") for n in range(half)]

    def turned(turn: int) -> Batch:
        return Batch(tuple(_turn(key.collection, key.id, turn) for key in keys))

    def by_keys(reader: Reader) -> list[int]:
        return [row.version for row in reader.get_many(keys) if row is not None]

    def by_find(reader: Reader) -> list[int]:
        page = reader.find(Query(collection=COLLECTION.name, order=Order("turn"), limit=rows))
        return [row.version for row in page.rows] + [int(str(row.index["turn"])) for row in page.rows]

    def by_count(reader: Reader) -> list[int]:
        # The turn that the first row has is that of all, or a later one took all of it.
        turn = by_keys(reader)[0]
        return [0 if reader.count(COLLECTION.name, Eq("turn", turn)) in (0, half) else 1, 0]

    def by_snapshot(repository: Repository) -> Callable[[Reader], list[int]]:
        def read(_: Reader) -> list[int]:
            with repository.snapshot() as reader:
                first = by_keys(reader) + by_find(reader)
                scanned = [row.version for row in reader.scan(OTHER.name)]
                return first + scanned + by_keys(reader)

        return read

    with closing(places().create()) as repository:
        repository.declare([COLLECTION, OTHER])
        repository.commit(turned(1), durable=False)
        torn: list[str] = []
        stop = threading.Event()
        reads = {"get_many": by_keys, "find": by_find, "count": by_count, "snapshot": by_snapshot(repository)}
        seen: dict[str, set[int]] = {name: set() for name in reads}

        def watch(name: str, read: Callable[[Reader], list[int]]) -> None:
            turns = seen[name]
            try:
                while not stop.is_set():
                    got = read(repository)
                    turns.update(got)
                    if len(set(got)) != 1:
                        torn.append(f"{name}: {got}")
                        stop.set()
            except Exception as error:
                torn.append(f"{name}: {type(error).__name__}")
                stop.set()

        threads = [threading.Thread(target=watch, args=item) for item in reads.items()]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-4)  # threads take turns often
        for thread in threads:
            thread.start()
        try:
            for turn in range(2, TURNS_MOST):
                repository.commit(turned(turn), durable=False)
                enough = all(len(turns) >= states for name, turns in seen.items() if name != "count")
                if stop.is_set() or (enough and turn > 4 * states):
                    break
                time.sleep(0.0002)  # lets the readers in
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            sys.setswitchinterval(interval)
    same("reads that saw a batch in part", torn, [])
    for name, turns in seen.items():
        holds(f"{name} saw only {len(turns)} states", name == "count" or len(turns) >= states)


def _turn(collection: str, id: str, turn: int) -> Put:
    return Put(collection, id, encode({"turn": turn}), {"turn": turn}, "s", None)


def _put(id: str, expect: int | None, writer: int) -> list[Op]:
    return [Put(COLLECTION.name, id, encode(writer), {"turn": writer}, "s", expect)]


def _one(results: Sequence[str], what: str) -> int:
    if sorted(results) != ["conflict"] * (len(results) - 1) + ["done"]:
        fail(f"{what}: {sorted(results)}")
    return list(results).index("done")


def _version(repository: Repository, id: str) -> tuple[int, bytes]:
    row = repository.get_many([Key(COLLECTION.name, id)])[0]
    return (0, b"") if row is None else (row.version, row.body)


def _in_turn(repository: Repository) -> None:
    """One after the other: every stale expectation is a conflict, versions count by one."""
    start = (_put("turn", 0, 0), _put("turn", 1, 1), _put("turn", 2, 2))
    for n, ops in enumerate(start):
        repository.commit(Batch(tuple(ops)), durable=False)
        same("version after a put", _version(repository, "turn")[0], n + 1)
    stale: list[Sequence[Op]] = [_put("turn", n, 9) for n in (0, 1, 2, 4)]
    stale += [[Delete(COLLECTION.name, "turn", 2)], [Check(COLLECTION.name, "turn", 2)]]
    stale += [[Check(COLLECTION.name, "turn", 0)], [Delete(COLLECTION.name, "nobody", 1)], _put("nobody", 1, 0)]
    for stale_ops in stale:
        raises(ConflictError, repository.commit, f"a stale expectation, {stale_ops!r}", Batch(tuple(stale_ops)))
        same("version after a refusal", _version(repository, "turn")[0], 3)


def _creation(repository: Repository, id: str) -> None:
    winner = _one(together(repository, [_put(id, 0, n) for n in range(THREADS)]), "creators of one row")
    same("the row created", _version(repository, id), (1, encode(winner)))


def _update(repository: Repository, turn: int) -> None:
    now = _version(repository, "turn")[0]
    winner = _one(together(repository, [_put("turn", now, n) for n in range(THREADS)]), "writers of one version")
    same("the row written", _version(repository, "turn"), (now + 1, encode(winner)))


def _removal(repository: Repository, id: str) -> None:
    ops: list[Sequence[Op]] = [[Delete(COLLECTION.name, id, 1)] if n % 2 else _put(id, 1, n) for n in range(THREADS)]
    winner = _one(together(repository, ops), "writers and removers of one version")
    same("the version after", _version(repository, id)[0], 0 if winner % 2 else 2)


def _checked(repository: Repository, turn: int) -> None:
    """Two rules that each Check the row that the other writes: never both (write skew)."""
    first, second = f"hold{turn}", f"destroy{turn}"
    hold: list[Op] = [Check(COLLECTION.name, second, 0), *_put(first, 0, 1)]
    destroy: list[Op] = [Check(COLLECTION.name, first, 0), *_put(second, 0, 2)]
    results = together(repository, [hold, destroy] * (THREADS // 2))
    _one(results, "rules that exclude each other")


def _key(repository: Repository, key: str) -> None:
    before = _version(repository, "keyed")[0]
    results = together(repository, [_put("keyed", None, n) for n in range(THREADS)], key=key)
    same("batches of one key", sorted(results), ["done"] + ["repeated"] * (THREADS - 1))
    same("the effect of one key", _version(repository, "keyed")[0], before + 1)
