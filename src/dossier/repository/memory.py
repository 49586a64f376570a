"""The repository that is always there: everything in memory, one lock, obviously right rather than quick.

Floor: repository. `memory:` is a fresh private store; `memory:NAME` is a store that this process finds again by its
name until it ends. Options: `on_step`, called with a step name of `STEPS` (crash tests).
"""

from __future__ import annotations

import os
import threading
from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, NoReturn

import attrs

from dossier.errors import (
    ClosedError,
    ConflictError,
    ExistsError,
    ForkedError,
    LockedError,
    MissingArchiveError,
    NotPicklableError,
    ReadOnlyError,
)
from dossier.repository.checking import (
    Shape,
    check_batch,
    check_lane,
    check_lines,
    check_options,
    mistyped_option,
    present,
    shape_of,
    widen,
)
from dossier.repository.evaluate import Rows, Stored, View
from dossier.repository.query import Expr, Group, Query
from dossier.repository.registry import split
from dossier.repository.rows import (
    Batch,
    Capabilities,
    Collection,
    Delete,
    Index,
    Key,
    Op,
    Page,
    Put,
    Receipt,
    Row,
    Shred,
)

STEPS = ("commit.begin", "commit.op", "commit.before", "commit.after")
"""Names that `on_step` is called with; raising from any but the last leaves nothing behind."""

Step = Callable[[str], None]


@attrs.define
class _Lane:
    lines: list[bytes] = attrs.Factory(list)
    held: bool = False


class _Store:
    """What the handles of one store share."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self.shapes: dict[str, Shape] = {}
        self.rows: dict[str, Rows] = {}
        self.keys: set[str] = set()
        self.lanes: dict[tuple[str, str], _Lane] = {}


_named: dict[str, _Store] = {}
_named_lock = threading.Lock()


def open_memory(url: str, *, mode: Literal["create", "rw", "r"], options: Mapping[str, object]) -> MemoryRepository:
    """The driver of the scheme `memory`; see `Driver` for the errors."""
    check_options(options, ("on_step",))
    step = options.get("on_step")
    if step is not None and not callable(step):
        raise mistyped_option("on_step", zh="可调用对象", en="callable")
    name = split(url)[1]
    with _named_lock:
        if not name and mode != "create":
            raise MissingArchiveError
        store = _named.get(name) if name else None
        if store is not None and store.pid != os.getpid():
            raise ForkedError
        if mode == "create":
            if store is not None:
                raise ExistsError
            store = _Store()
            if name:
                _named[name] = store
        elif store is None:
            raise MissingArchiveError
    return MemoryRepository(store, read_only=mode == "r", on_step=step)


class MemoryRepository:
    """See `Repository`, `Aggregates`, `Lanes`."""

    def __init__(self, store: _Store, *, read_only: bool = False, on_step: Step | None = None) -> None:
        self._store, self._read_only, self._step = store, read_only, on_step
        self._closed = False
        self._held: list[MemoryLane] = []

    @property
    def capabilities(self) -> Capabilities:
        """Lanes and exact aggregation; nothing survives the process."""
        return Capabilities(lanes=True, aggregate=True)

    # -- reads

    def get_many(self, keys: Sequence[Key], *, index: bool = True) -> list[Row | None]:
        """See `Reader.get_many`."""
        with self._reading() as view:
            return view.get_many(keys, index=index)

    def find(self, query: Query) -> Page:
        """See `Reader.find`."""
        with self._reading() as view:
            return view.find(query)

    def count(self, collection: str, where: Expr) -> int:
        """See `Reader.count`."""
        with self._reading() as view:
            return view.count(collection, where)

    def aggregate(
        self, collection: str, where: Expr, *, by: Sequence[str] = (), sums: Sequence[str] = ()
    ) -> list[Group]:
        """See `Aggregates.aggregate`."""
        with self._reading() as view:
            return view.aggregate(collection, where, by=by, sums=sums)

    def scan(
        self,
        collection: str,
        *,
        start: str = "",
        stop: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        bodies: bool = True,
    ) -> Iterator[Row]:
        """See `Reader.scan`."""
        with self._reading() as view:
            return view.scan(collection, start=start, stop=stop, descending=descending, limit=limit, bodies=bodies)

    @contextmanager
    def snapshot(self) -> Iterator[View]:
        """See `Repository.snapshot`."""
        with self._reading():
            rows = dict(self._store.rows)
            frozen = View(dict(self._store.shapes), rows)
        yield frozen

    @contextmanager
    def _reading(self) -> Iterator[View]:
        store = self._awake()
        with store.lock:
            yield View(store.shapes, store.rows)

    # -- writes

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """See `Repository.commit`. Nothing waits for a disk, `durable` or not."""
        store = self._awake(writing=True)
        with store.lock:
            check_batch(store.shapes, batch)
            if batch.key is not None and batch.key in store.keys:
                return Receipt(repeated=True)
            self._at("commit.begin")
            touched: dict[str, Rows] = {}
            for op in batch.ops:
                self._at("commit.op")
                self._apply(op, touched)
            self._at("commit.before")
            store.rows = {**store.rows, **touched}
            if batch.key is not None:
                store.keys.add(batch.key)
        self._at("commit.after")
        return Receipt()

    def _apply(self, op: Op, touched: dict[str, Rows]) -> None:
        """Apply one operation to copies; `touched` holds the copied collections."""
        if isinstance(op, Shred):
            for name in self._store.rows:
                rows = self._writable(name, touched)
                for id in [id for id, stored in rows.items() if stored.row.scope == op.scope]:
                    del rows[id]
            return
        rows = self._writable(op.collection, touched)
        stored = rows.get(op.id)
        version = 0 if stored is None else stored.row.version
        if not isinstance(op, Index) and op.expect is not None and op.expect != version:
            raise ConflictError(path=op.collection)
        if isinstance(op, Put):
            shape = self._store.shapes[op.collection]
            index = present(op.index)
            if stored is not None:
                index |= {name: value for name, value in stored.row.index.items() if name in shape.derived}
            row = Row(op.collection, op.id, op.version or version + 1, op.body, index, op.scope)
            rows[op.id] = Stored(row, 0 if stored is None else stored.mark)
        elif isinstance(op, Delete):
            rows.pop(op.id, None)
        elif isinstance(op, Index) and stored is not None and (op.all or op.mark >= stored.mark):
            index = dict(stored.row.index)
            if op.all:
                derived = self._store.shapes[op.collection].derived
                index = {name: value for name, value in index.items() if name in derived}
            row = attrs.evolve(stored.row, index=present({**index, **op.fields}))
            rows[op.id] = Stored(row, stored.mark if op.all else op.mark)

    def _writable(self, name: str, touched: dict[str, Rows]) -> Rows:
        rows = touched.get(name)
        if rows is None:
            rows = touched[name] = dict(self._store.rows[name])
        return rows

    def declare(self, collections: Sequence[Collection]) -> tuple[str, ...]:
        """See `Repository.declare`."""
        store = self._awake()
        lacking: list[str] = []
        with store.lock:
            made: dict[str, Shape] = {}
            for new in collections:
                old = made.get(new.name) or store.shapes.get(new.name)
                merged, added = widen(None if old is None else old.collection, new)
                if old is not None and merged == old.collection:
                    continue
                if self._read_only:
                    raise ReadOnlyError
                made[new.name] = shape_of(merged)
                if added and store.rows.get(new.name) and new.name not in lacking:
                    lacking.append(new.name)
            store.shapes = {**store.shapes, **made}
            store.rows = {**{name: {} for name in made}, **store.rows}
        return tuple(lacking)

    # -- lanes

    def lane(self, name: str, *, at: str | None = None) -> MemoryLane:
        """See `Lanes.lane`."""
        check_lane(name)
        store = self._awake()
        with store.lock:
            lane = store.lanes.setdefault((at or "", name), _Lane())
            if lane.held:
                raise LockedError
            lane.held = True
            opened = MemoryLane(self, lane)
            self._held.append(opened)
            return opened

    def idle_lanes(self, *, at: str | None = None) -> list[str]:
        """See `Lanes.idle_lanes`."""
        store = self._awake()
        with store.lock:
            names: list[str] = []
            for (place, name), lane in store.lanes.items():
                if place == (at or "") and not lane.held:
                    insort(names, name)
            return names

    def read_lane(self, name: str, *, at: str | None = None) -> Iterator[bytes]:
        """See `Lanes.read_lane`. MissingArchiveError if there is no such lane."""
        check_lane(name)
        store = self._awake()
        with store.lock:
            lane = store.lanes.get((at or "", name))
            if lane is None:
                raise MissingArchiveError
            return iter(list(lane.lines))

    def drop_lane(self, name: str, *, at: str | None = None) -> None:
        """See `Lanes.drop_lane`. A lane that is not there is passed over."""
        check_lane(name)
        store = self._awake()
        with store.lock:
            lane = store.lanes.get((at or "", name))
            if lane is not None and lane.held:
                raise LockedError
            store.lanes.pop((at or "", name), None)

    # -- life

    def close(self) -> None:
        """See `Repository.close`. A named store stays for the next open."""
        for lane in self._held:
            lane.close()
        self._closed = True

    def _awake(self, *, writing: bool = False) -> _Store:
        if self._store.pid != os.getpid():
            raise ForkedError
        if self._closed:
            raise ClosedError
        if writing and self._read_only:
            raise ReadOnlyError
        return self._store

    def _at(self, step: str) -> None:
        if self._step is not None:
            self._step(step)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NotPicklableError(what="MemoryRepository")


class MemoryLane:
    """See `Lane`."""

    def __init__(self, repository: MemoryRepository, lane: _Lane) -> None:
        self._repository, self._lane, self._closed = repository, lane, False

    def append(self, lines: Sequence[bytes], *, durable: bool) -> None:
        """See `Lane.append`."""
        check_lines(lines)
        store = self._repository._awake()
        if self._closed:
            raise ClosedError
        with store.lock:
            self._lane.lines.extend(lines)

    def close(self) -> None:
        """See `Lane.close`."""
        if not self._closed:
            self._closed, self._lane.held = True, False

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NotPicklableError(what="MemoryLane")
