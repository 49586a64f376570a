"""The reference repository: plain dicts and lists, written from the docstrings of the contract alone.

Floor: testing. It shares no code with any repository, so that an error in one is not an error in the other; it keeps
a full copy of the state per commit and evaluates every query row by row. Slow on purpose. The deliberately broken
repositories of `dossier.testing.broken` are subclasses that replace one small method each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

import attrs

from dossier.errors import (
    ClosedError,
    ConflictError,
    ExistsError,
    ForkedError,
    InputError,
    LimitError,
    MissingArchiveError,
    NotPicklableError,
    Problem,
    ReadOnlyError,
)
from dossier.repository import (
    MAX_BATCH,
    MAX_BODY,
    Batch,
    Capabilities,
    Check,
    Collection,
    Delete,
    Index,
    Op,
    Put,
    Receipt,
    Repository,
    Shred,
)
from dossier.testing.oracle_reader import Cell, OracleReader, State, Store, fields_of


class Oracle(OracleReader):
    """The reference repository. `Oracle()` is empty and private; `OracleDriver` opens named ones."""

    capabilities = Capabilities(aggregate=True)

    def __init__(self, store: Store | None = None, *, writable: bool = True) -> None:
        super().__init__(store or Store())
        self._writable = writable
        self._pid = os.getpid()
        self._closed = False

    @property
    def states(self) -> list[State]:
        """Every state from the empty one on, one more a commit that had an effect."""
        return self._store.states

    @property
    def keys(self) -> frozenset[str]:
        """The batch keys that were committed."""
        return self._store.keys

    def declare(self, collections: Sequence[Collection]) -> tuple[str, ...]:
        """See `Repository.declare`."""
        self._cells()
        lacking = []
        with self._store.lock:
            for wanted in collections:
                old = self._store.declared.get(wanted.name, Collection(name=wanted.name))
                fields = {**fields_of(old), **fields_of(wanted)}
                if len(fields) > len(old.fields) and any(name == wanted.name for name, _ in self._store.cells):
                    lacking.append(wanted.name)
                self._store.declared[wanted.name] = attrs.evolve(wanted, fields=tuple(fields.values()))
        return tuple(lacking)

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """See `Repository.commit`."""
        self._cells()
        if not self._writable:
            raise ReadOnlyError
        if len(batch.ops) > MAX_BATCH:
            raise LimitError(what="operations in a batch", limit=MAX_BATCH)
        if any(isinstance(op, Put) and len(op.body) > MAX_BODY for op in batch.ops):
            raise LimitError(what="bytes of a body", limit=MAX_BODY)
        for op in batch.ops:
            if not isinstance(op, Shred):
                self._collection(op.collection)
        with self._store.lock:
            return self._commit(batch)

    def snapshot(self) -> Any:
        """See `Repository.snapshot`."""
        return self._snapshot()

    def close(self) -> None:
        """See `Repository.close`."""
        self._closed = True

    # -- the parts that a broken variant replaces ---------------------------------------------------

    def _commit(self, batch: Batch) -> Receipt:
        if batch.key is not None and batch.key in self._store.keys:
            return Receipt(repeated=True)
        cells = dict(self._store.cells)
        self._run(cells, batch.ops)
        self._publish(cells)
        if batch.key is not None:
            self._store.keys |= {batch.key}
        return Receipt()

    def _run(self, cells: dict[tuple[str, str], Cell], ops: Iterable[Op]) -> None:
        for op in ops:
            self._apply(cells, op)

    def _apply(self, cells: dict[tuple[str, str], Cell], op: Op) -> None:
        match op:
            case Put():
                self._put(cells, op)
            case Index():
                self._index(cells, op)
            case Delete():
                self._meets(cells, op)
                cells.pop((op.collection, op.id), None)
            case Check():
                self._meets(cells, op)
            case Shred():
                self._shred(cells, op)

    def _meets(self, cells: State, op: Put | Delete | Check) -> None:
        cell = cells.get((op.collection, op.id))
        if op.expect is not None and op.expect != (0 if cell is None else cell.version):
            raise ConflictError

    def _put(self, cells: dict[tuple[str, str], Cell], op: Put) -> None:
        self._meets(cells, op)
        old = cells.get((op.collection, op.id))
        stored = 0 if old is None else old.version
        cells[op.collection, op.id] = Cell(
            version=stored + 1 if op.version is None else op.version,
            body=op.body,
            scope=op.scope,
            plain=dict(op.index),
            derived={} if old is None else old.derived,
            mark=None if old is None else old.mark,
        )

    def _index(self, cells: dict[tuple[str, str], Cell], op: Index) -> None:
        cell = cells.get((op.collection, op.id))
        if cell is None:
            return
        if op.all:
            cells[op.collection, op.id] = attrs.evolve(cell, plain=dict(op.fields))
        elif self._newer(op, cell):
            mark = op.mark if cell.mark is None else max(cell.mark, op.mark)
            cells[op.collection, op.id] = attrs.evolve(cell, derived={**cell.derived, **op.fields}, mark=mark)

    def _newer(self, op: Index, cell: Cell) -> bool:
        return cell.mark is None or op.mark >= cell.mark

    def _shred(self, cells: dict[tuple[str, str], Cell], op: Shred) -> None:
        for key in [key for key, cell in cells.items() if cell.scope == op.scope]:
            del cells[key]

    def _publish(self, cells: State) -> None:
        self._store.cells = cells
        self._store.states.append(cells)

    # -- plumbing -----------------------------------------------------------------------------------

    @contextmanager
    def _snapshot(self) -> Iterator[OracleReader]:
        state = self._cells()
        # The reader keeps the methods of this class, broken ones too, over the state of now.
        reader = object.__new__(type(self))
        Oracle.__init__(reader, self._store)
        reader._state = state
        yield reader

    def _cells(self) -> State:
        if os.getpid() != self._pid:
            raise ForkedError
        if self._closed:
            raise ClosedError
        return super()._cells()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise NotPicklableError(what="Oracle")


class OracleDriver:
    """A `Driver` of named oracles; a fresh one knows no name. `kind` is the class that it opens."""

    def __init__(self, kind: type[Oracle] = Oracle) -> None:
        self._kind = kind
        self._stores: dict[str, Store] = {}

    def __call__(self, url: str, *, mode: Literal["create", "rw", "r"], options: Mapping[str, object]) -> Repository:
        """See `Driver`."""
        if options:
            raise InputError(
                [_unknown_option(name) for name in options],
            )
        if mode == "create" and url in self._stores:
            raise ExistsError
        if mode != "create" and url not in self._stores:
            raise MissingArchiveError
        return self._kind(self._stores.setdefault(url, Store()), writable=mode != "r")


def _unknown_option(name: str) -> Problem:
    return Problem(
        code="repository.option",
        path=name,
        zh="没有该选项",
        en="there is no such option",
        fix_zh="去掉该选项",
        fix_en="leave it out",
    )
