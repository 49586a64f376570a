"""K8 at the repository: what a digest reads. A scan gives every row of a collection once, in id order.

Floor: testing.
"""

# The names of checks carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.repository import Batch, Collection, Delete, Put, Reader, Repository, Row, encode
from dossier.testing.place import Places, holds, run, same
from dossier.testing.strategies import ids

COLLECTION = Collection(name="scanned")
MANY = 2_300
"""Rows of the large scan: more than any sensible chunk, and no multiple of one."""


def check_K8_digest_inputs(places: Places, *, examples: int = 25, profile: settings | None = None) -> None:
    """Scans by range, direction and limit give each row once, sorted; any change of one row changes the digest."""
    borders = st.none() | ids | st.sampled_from(("", "a0", "b\x01", "\U0010ffff"))

    @given(st.lists(ids, unique=True, max_size=18), borders, borders, st.none() | st.integers(1, 20))
    def law(chosen: list[str], start: str | None, stop: str | None, limit: int | None) -> None:
        with closing(places().create()) as repository:
            _fill(repository, chosen)
            _scan(repository, chosen, start or "", stop, limit)

    run(law, examples=examples, profile=profile)
    _borders(places)
    _large(places)
    _digests(places)


def digest(reader: Reader, collection: str) -> str:
    """SHA-256 over (id, version, SHA-256 of the body) in scan order."""
    whole = sha256()
    for row in reader.scan(collection):
        whole.update(encode([row.id, row.version, sha256(row.body).hexdigest()]) + b"\n")
    return whole.hexdigest()


def _fill(repository: Repository, chosen: list[str]) -> None:
    repository.declare([COLLECTION, Collection(name="beside")])
    puts = [Put(COLLECTION.name, id, _body(id), {}, "s") for id in chosen]
    for start in range(0, len(puts), 1000):
        repository.commit(Batch(tuple(puts[start : start + 1000])), durable=False)
    repository.commit(Batch((Put("beside", "a", b"1", {}, "s"), Put("beside", "zz", b"1", {}, "s"))), durable=False)


def _scan(repository: Repository, chosen: list[str], start: str, stop: str | None, limit: int | None) -> None:
    within = sorted(id for id in chosen if id >= start and (stop is None or id < stop))
    for descending in (False, True):
        wanted = within[::-1][:limit] if descending else within[:limit]
        for bodies in (True, False):
            rows = repository.scan(
                COLLECTION.name, start=start, stop=stop, descending=descending, limit=limit, bodies=bodies
            )
            same("scan", [_seen(row) for row in rows], [_put(id, bodies=bodies) for id in wanted])


def _borders(places: Places) -> None:
    """Every pair of borders on and between rows, with every limit up to their number."""
    chosen = ["b", "B", "A", "\uffff", "a1", "\U00010000"]
    borders = ["", "A", "B", "a", "a1", "b", "\uffff", "\uffff0", "\U00010000", "\U0010ffff"]
    with closing(places().create()) as repository:
        _fill(repository, chosen)
        for start in borders:
            for stop in (None, *borders):
                for limit in (None, 1, 2, 5):
                    _scan(repository, chosen, start, stop, limit)


def _large(places: Places) -> None:
    chosen = [f"{n * 7919 % MANY:05}" for n in range(MANY)]
    with closing(places().create()) as repository:
        _fill(repository, chosen)
        with repository.snapshot() as snapshot:
            readers: tuple[Reader, ...] = (repository, snapshot)
            for reader in readers:
                up = [row.id for row in reader.scan(COLLECTION.name)]
                same("a long scan", up, sorted(chosen))
                down = [row.id for row in reader.scan(COLLECTION.name, descending=True, bodies=False)]
                same("a long scan downwards", down, sorted(chosen, reverse=True))
        seen: list[str] = []
        for row in repository.scan(COLLECTION.name):
            seen.append(row.id)
            if len(seen) % 700 == 0:
                # A row that was seen is removed and comes again while the scan goes on: none is seen twice.
                for op in (Delete(COLLECTION.name, seen[-1]), Put(COLLECTION.name, seen[-1], b"2", {}, "s")):
                    repository.commit(Batch((op,)), durable=False)
        same("a scan during writes", seen, sorted(chosen))


def _digests(places: Places) -> None:
    changes: dict[str, Callable[[str], Batch]] = {
        "changed": lambda id: Batch((Put(COLLECTION.name, id, b"0", {}, "s", 1, 1),)),
        "rewritten": lambda id: Batch((Put(COLLECTION.name, id, _body(id), {}, "s", 1),)),
        "dropped": lambda id: Batch((Delete(COLLECTION.name, id, 1),)),
        "doubled": lambda id: Batch((Put(COLLECTION.name, id + "'", _body(id), {}, "s"),)),
    }
    chosen = [f"{n:02}" for n in range(20)]
    with closing(places().create()) as repository:
        _fill(repository, chosen)
        start = digest(repository, COLLECTION.name)
        seen = {start}
        for n, (name, change) in enumerate(changes.items()):
            repository.commit(change(chosen[n * 6]), durable=False)
            seen.add(now := digest(repository, COLLECTION.name))
            same(f"digests after a row was {name}", len(seen), n + 2)
            with repository.snapshot() as reader:
                same("digest of a snapshot", digest(reader, COLLECTION.name), now)
    with closing(places().create()) as repository:
        _fill(repository, chosen[::-1])
        holds("the digest depends on the order of arrival", digest(repository, COLLECTION.name) == start)


def _seen(row: Row) -> tuple[str, int, bytes, str]:
    return row.id, row.version, row.body, row.scope


def _put(id: str, *, bodies: bool) -> tuple[str, int, bytes, str]:
    return id, 1, _body(id) if bodies else b"", "s"


def _body(id: str) -> bytes:
    # A number: other bytes for the same value are K1's to find.
    return encode(sum(map(ord, id)))
