"""The reference repository: plain dicts and lists, written from the docstrings of the contract alone.

Floor: testing. It shares no code with any repository, so that an error in one is not an error in the other; it keeps
a full copy of the state per commit and evaluates every query row by row. Slow on purpose. The deliberately broken
repositories of `dossier.testing.broken` are subclasses that replace one small method each.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Literal, NoReturn

import attrs

from dossier.errors import (
    ClosedError,
    ConflictError,
    CursorError,
    ExistsError,
    ForkedError,
    InputError,
    LimitError,
    MissingArchiveError,
    NotPicklableError,
    Problem,
    QueryError,
    ReadOnlyError,
)
from dossier.repository import (
    MAX_BATCH,
    MAX_BODY,
    And,
    Batch,
    Capabilities,
    Check,
    Collection,
    Contains,
    Delete,
    Eq,
    Expr,
    Ge,
    Group,
    Has,
    In,
    Index,
    IndexField,
    IndexValue,
    Key,
    Lt,
    Not,
    Op,
    Or,
    Order,
    Page,
    Prefix,
    Put,
    Query,
    Receipt,
    Repository,
    Row,
    Shred,
)

MAX_PAGE = 1000


@attrs.frozen(kw_only=True)
class Cell:
    """One stored row: what `Put` wrote, and apart from it what `Index` wrote and with which mark."""

    version: int
    body: bytes
    scope: str
    plain: Mapping[str, IndexValue]
    derived: Mapping[str, IndexValue]
    mark: int | None = None

    @cached_property
    def index(self) -> dict[str, IndexValue]:
        """All fields that are present: neither None nor an empty set."""
        return {k: v for k, v in sorted({**self.plain, **self.derived}.items()) if v is not None and v != ()}


State = Mapping[tuple[str, str], Cell]


@attrs.define
class Store:
    """What outlives one opening of an oracle: declarations, the newest state, batch keys, every state before."""

    declared: dict[str, Collection] = attrs.field(factory=dict)
    cells: State = attrs.field(factory=dict)
    keys: frozenset[str] = frozenset()
    states: list[State] = attrs.field(factory=lambda: [{}])
    lock: Any = attrs.field(factory=threading.RLock)


def fields_of(collection: Collection) -> dict[str, IndexField]:
    """The declared fields of a collection by name."""
    return {field.name: field for field in collection.fields}


def absent_first(value: Any) -> tuple[Any, ...]:
    """The sort key of a value: absent before all others."""
    return (0,) if value is None else (1, value)


class OracleReader:
    """Reads of one oracle: of its newest state, or of the state it was given (a snapshot)."""

    def __init__(self, store: Store, state: State | None = None) -> None:
        self._store = store
        self._state = state

    def get_many(self, keys: Sequence[Key]) -> list[Row | None]:
        """See `Reader.get_many`."""
        cells = self._cells()
        for key in keys:
            self._collection(key.collection)
        return [self._row(key.collection, key.id, cells.get((key.collection, key.id))) for key in keys]

    def find(self, query: Query) -> Page:
        """See `Reader.find`."""
        cells = self._cells()
        if not 1 <= query.limit <= MAX_PAGE:
            raise QueryError(what="limit")
        rows = self._ordered(self._matching(cells, query.collection, query.where), query)
        if query.after is not None:
            last = self._opened(query)
            rows = [row for row in rows if self._behind(row, last, query.order)]
        page = self._cut(rows, query.limit)
        more = len(rows) > len(page)
        cursor = self._cursor(page[-1], query) if more and page else None
        return Page(tuple(row if query.bodies else attrs.evolve(row, body=b"") for row in page), cursor)

    def count(self, collection: str, where: Expr) -> int:
        """See `Reader.count`."""
        return len(self._matching(self._cells(), collection, where))

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
        cells = self._cells()
        self._collection(collection)
        ids = sorted(id for name, id in cells if name == collection and id >= start and (stop is None or id < stop))
        if descending:
            ids.reverse()
        rows = [row for id in ids[:limit] if (row := self._row(collection, id, cells[collection, id])) is not None]
        return iter([row if bodies else attrs.evolve(row, body=b"") for row in rows])

    def aggregate(
        self, collection: str, where: Expr, *, by: Sequence[str] = (), sums: Sequence[str] = ()
    ) -> list[Group]:
        """See `Aggregates.aggregate`."""
        fields = fields_of(self._collection(collection))
        for name in (*by, *sums):
            if name not in fields or fields[name].many or fields[name].type == "search":
                raise QueryError(what=f"field {name}")
        if any(fields[name].type != "int" for name in sums):
            raise QueryError(what="sum of a field that is no int")
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in self._matching(self._cells(), collection, where):
            groups.setdefault(tuple(row.index.get(name) for name in by), []).append(row)
        return [
            Group(key=key, count=len(rows), sums=tuple(sum(int(_int(row.index.get(s))) for row in rows) for s in sums))
            for key, rows in sorted(groups.items(), key=lambda item: tuple(absent_first(v) for v in item[0]))
        ]

    # -- the parts that a broken variant replaces ---------------------------------------------------

    def _row(self, collection: str, id: str, cell: Cell | None) -> Row | None:
        if cell is None:
            return None
        return Row(collection, id, cell.version, cell.body, cell.index, cell.scope)

    def _holds(self, expr: Expr, index: Mapping[str, IndexValue]) -> bool:
        match expr:
            case And(terms):
                return all(self._holds(term, index) for term in terms)
            case Or(terms):
                return any(self._holds(term, index) for term in terms)
            case Not(term):
                return not self._holds(term, index)
            case _:
                return self._compares(expr, index.get(expr.field))

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Eq) and expr.value is None:
            return value is None
        if value is None:
            return False
        match expr:
            case Eq(_, wanted):
                return bool(value == wanted)
            case Lt(_, bound):
                return bool(value < bound)
            case Ge(_, bound):
                return bool(value >= bound)
            case In(_, values):
                return any(value == one for one in values)
            case Prefix(_, start):
                return bool(value.startswith(start))
            case Has(_, member):
                return any(member == one for one in value)
            case Contains(_, needle):
                return needle in value
        raise QueryError(what="operator")

    def _ordered(self, rows: list[Row], query: Query) -> list[Row]:
        order = query.order
        rows = sorted(rows, key=lambda row: row.id)
        if order is None:
            return rows
        field = fields_of(self._collection(query.collection)).get(order.field)
        if field is None or field.many or field.type == "search":
            raise QueryError(what=f"order by {order.field}")
        return sorted(rows, key=lambda row: absent_first(row.index.get(order.field)), reverse=order.descending)

    def _cut(self, rows: list[Row], limit: int) -> list[Row]:
        return rows[:limit]

    def _behind(self, row: Row, last: tuple[Any, str], order: Order | None) -> bool:
        value, id = last
        if order is None:
            return row.id > id
        mine, its = absent_first(row.index.get(order.field)), absent_first(value)
        if mine == its:
            return row.id > id
        return bool(mine < its if order.descending else mine > its)

    # -- plumbing -----------------------------------------------------------------------------------

    def _cells(self) -> State:
        return self._store.cells if self._state is None else self._state

    def _collection(self, name: str) -> Collection:
        try:
            return self._store.declared[name]
        except KeyError:
            pass
        raise QueryError(what=f"collection {name}")

    def _matching(self, cells: State, collection: str, where: Expr) -> list[Row]:
        _admit(where, fields_of(self._collection(collection)))
        rows = (self._row(name, id, cell) for (name, id), cell in cells.items() if name == collection)
        return [row for row in rows if row is not None and self._holds(where, row.index)]

    def _cursor(self, row: Row, query: Query) -> str:
        value = None if query.order is None else row.index.get(query.order.field)
        return json.dumps([_asked(query), value, row.id])

    def _opened(self, query: Query) -> tuple[Any, str]:
        try:
            asked, value, id = json.loads(query.after or "")
        except ValueError:
            asked = None
        if asked != _asked(query):
            raise CursorError
        return value, id


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
        newest = op.mark if cell.mark is None else max(cell.mark, op.mark)
        if op.all:
            derived = {name for name, field in fields_of(self._collection(op.collection)).items() if field.derived}
            cells[op.collection, op.id] = attrs.evolve(
                cell,
                plain={k: v for k, v in op.fields.items() if k not in derived},
                derived={k: v for k, v in op.fields.items() if k in derived},
                mark=newest,
            )
        elif self._newer(op, cell):
            cells[op.collection, op.id] = attrs.evolve(cell, derived={**cell.derived, **op.fields}, mark=newest)

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


def _asked(query: Query) -> str:
    return repr((query.collection, query.where, query.order))


def _int(value: Any) -> int:
    return 0 if value is None else int(value)


_OPERATORS: dict[str, tuple[type, ...]] = {
    "text": (Eq, Lt, Ge, In, Prefix),
    "int": (Eq, Lt, Ge, In),
    "bool": (Eq,),
    "search": (Contains,),
}
_OPERANDS: dict[str, type] = {"text": str, "int": int, "bool": bool, "search": str}


def _admit(expr: Expr, fields: Mapping[str, IndexField]) -> None:
    """QueryError for what the closed language or the declaration does not have."""
    if isinstance(expr, And | Or):
        for term in expr.terms:
            _admit(term, fields)
    elif isinstance(expr, Not):
        _admit(expr.term, fields)
    else:
        field = fields.get(expr.field)
        if field is None:
            raise QueryError(what=f"field {expr.field}")
        operands: tuple[object, ...] = attrs.astuple(expr, recurse=False)[1:]
        if isinstance(expr, In):
            operands = expr.values
        absent = isinstance(expr, Eq) and expr.value is None
        allowed = (Has,) if field.many else _OPERATORS[field.type]
        if absent and field.type != "search":
            return
        wanted = _OPERANDS[field.type]
        if not isinstance(expr, allowed) or any(type(operand) is not wanted for operand in operands):
            raise QueryError(what=f"operator or operand on {expr.field}")
        if isinstance(expr, Contains) and not expr.needle:
            raise QueryError(what="an empty needle")
