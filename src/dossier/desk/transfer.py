"""Filling a store with the rows of another, so that an interrupted run goes on where it stopped (K8).

Floor: desk. A target is marked before the first row and is no archive until the last: the batch that takes the mark
away writes the manifest. Rows go in by collection and id; what is there already is compared with what is to be there,
row by row, so it does not matter what the source became between two runs, nor how many runs it took.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final, Literal

import msgspec

from dossier.desk.layout import Indexing
from dossier.desk.manifest import KEY, UNFINISHED, Manifest, encode_manifest
from dossier.errors import (
    ConflictError,
    DamagedError,
    ExistsError,
    LockedError,
    MissingArchiveError,
    NewerFormatError,
    NotAnArchiveError,
    QueryError,
)
from dossier.repository import (
    TRUE,
    Batch,
    Check,
    Delete,
    Index,
    Key,
    Op,
    Put,
    Reader,
    Repository,
    Row,
    encode,
    open_repository,
)

HELD: Final = ("acts", "dossiers", "entries", "policies", "records", "relations", "special", "staff", "unplaced")
"""Collections the digest is taken over, sorted: all but manifest, requests, ledger, leases and derived rows (K8)."""
COPIED: Final = (*HELD, "events", "facts", "leases", "requests")
"""Collections that a copy has: all but the manifest."""
_ROWS: Final = 300
"""Rows in a batch; a row takes at most three operations."""
_BYTES: Final = 4 * 1024 * 1024
"""Bytes of bodies after which a batch is written."""

Progress = Callable[[int, int], None]
"""Called now and then with how much was done and how much there is to do."""


class _Mark(msgspec.Struct, kw_only=True):
    """What is filling a store: `source` the archive its rows come from, `why` copy or restore, `run` one run of it."""

    run: str
    source: str
    why: str


class Transfer:
    """One run that fills the store at `url` from the archive `source`; `fill`, then `finish`.

    ExistsError where anything is there but what an earlier run for the same reason left. A second run beside this one
    takes over, and this one stops with LockedError.
    """

    def __init__(
        self,
        url: str,
        indexing: Indexing,
        *,
        source: str,
        why: Literal["copy", "restore"],
        options: Mapping[str, object] | None,
    ) -> None:
        self._collections = indexing.collections()
        self._derived = indexing.derived
        self.target = _open(url, options)
        done = False
        try:
            self._mark = self._begin(_Mark(run=os.urandom(8).hex(), source=source, why=why))
            done = True
        finally:
            if not done:
                self.target.close()

    def __enter__(self) -> Transfer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.target.close()

    def fill(self, state: Reader, progress: Progress | None) -> None:
        """Bring every collection of the target to what `state` has: rows, versions, index values."""
        total = sum(state.count(name, TRUE) for name in COPIED) if progress is not None else 0
        declared = {each.name: frozenset(field.name for field in each.fields) for each in self._collections}
        done = 0
        for collection in COPIED:
            for ops, rows in _batches(self._changes(state, collection, declared[collection])):
                if ops:
                    self._commit(ops, durable=False)
                done += rows
                if progress is not None:
                    progress(min(done, total), total)

    def finish(self, manifest: Manifest, events: Sequence[Op] = ()) -> None:
        """Make an archive of it, in one batch: the manifest, what `events` say of it, and no mark."""
        put = Put(KEY.collection, KEY.id, encode_manifest(manifest), {}, "", 0)
        self._commit([Delete(UNFINISHED.collection, UNFINISHED.id, self._mark), put, *events], durable=True)

    # -- inner steps ------------------------------------------------------------------------------

    def _begin(self, mark: _Mark) -> int:
        """Take the target over; the version of its mark."""
        manifest, known = _rows(self.target, [KEY, UNFINISHED])
        if manifest is not None or (known is not None and not _same_work(known.body, mark)):
            raise ExistsError()
        if known is None and any(_holds(self.target, name) for name in COPIED):
            raise ExistsError()
        self.target.declare(self._collections)
        version = known.version if known is not None else 0
        body = encode(msgspec.to_builtins(mark))
        self._write(Batch((Put(UNFINISHED.collection, UNFINISHED.id, body, {}, "", version),)), durable=True)
        return version + 1

    def _commit(self, ops: Sequence[Op], *, durable: bool) -> None:
        self._write(Batch((Check(UNFINISHED.collection, UNFINISHED.id, self._mark), *ops)), durable=durable)

    def _write(self, batch: Batch, *, durable: bool) -> None:
        lost = False
        try:
            self.target.commit(batch, durable=durable)
        except ConflictError:
            lost = True
        if lost:
            raise LockedError(path="manifest")

    def _changes(self, state: Reader, collection: str, declared: frozenset[str]) -> Iterator[tuple[list[Op], int]]:
        """For each row of the source, and each that only the target has, what makes them alike; and its size."""
        there = _known(self.target, collection)
        known = next(there, None)
        for row in state.scan(collection):
            while known is not None and known.id < row.id:
                yield [Delete(collection, known.id)], 0
                known = next(there, None)
            # Columns of another program's sections are not declared here; that program fills them when it opens it.
            index = {name: value for name, value in row.index.items() if name in declared}
            wanted = Row(collection, row.id, row.version, row.body, index, row.scope)
            ops: list[Op] = []
            if known is not None and known.id == row.id:
                if known != wanted:
                    ops = [Delete(collection, row.id), *self._put(wanted)]
                known = next(there, None)
            else:
                ops = self._put(wanted)
            yield ops, len(row.body)
        while known is not None:
            yield [Delete(collection, known.id)], 0
            known = next(there, None)

    def _put(self, row: Row) -> list[Op]:
        apart = self._derived if row.collection == "dossiers" else frozenset()
        index = {name: value for name, value in row.index.items() if name not in apart}
        ops: list[Op] = [Put(row.collection, row.id, row.body, index, row.scope, 0, row.version)]
        if len(index) < len(row.index):
            ops.append(Index(row.collection, row.id, {n: v for n, v in row.index.items() if n in apart}, 0))
        return ops


def _open(url: str, options: Mapping[str, object] | None) -> Repository:
    try:
        return open_repository(url, mode="create", options=options)
    except ExistsError:
        pass
    try:
        return open_repository(url, mode="rw", options=options)
    except (MissingArchiveError, NotAnArchiveError, NewerFormatError):
        pass
    raise ExistsError()


def _rows(target: Repository, keys: Sequence[Key]) -> list[Row | None]:
    """Rows of a store that may not have declared anything yet."""
    try:
        return target.get_many(keys)
    except QueryError:
        return [None] * len(keys)


def _holds(target: Repository, collection: str) -> bool:
    try:
        return any(True for _ in target.scan(collection, limit=1, bodies=False))
    except QueryError:
        return False


def _same_work(body: bytes, mark: _Mark) -> bool:
    known: _Mark | None = None
    try:
        known = msgspec.json.decode(body, type=_Mark)
    except msgspec.DecodeError:
        pass
    if known is None:
        raise DamagedError(what="manifest")
    return (known.source, known.why) == (mark.source, mark.why)


def _known(target: Repository, collection: str) -> Iterator[Row]:
    """The rows that an earlier run left; none that this one writes behind them."""
    last = list(target.scan(collection, descending=True, limit=1, bodies=False))
    if not last:
        return iter(())
    return itertools.takewhile(lambda row: row.id <= last[0].id, target.scan(collection))


def _batches(changes: Iterator[tuple[list[Op], int]]) -> Iterator[tuple[list[Op], int]]:
    """Operations of one batch, and how many rows they stand for."""
    ops: list[Op] = []
    rows = size = 0
    for each, bytes_ in changes:
        rows += 1
        if each:
            ops.extend(each)
            size += bytes_
        if rows == _ROWS or size > _BYTES:
            yield ops, rows
            ops, rows, size = [], 0, 0
    if rows:
        yield ops, rows
