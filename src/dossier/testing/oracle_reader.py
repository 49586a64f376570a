"""The reading half of the reference repository: rows, and the naive evaluation of the closed query language.

Floor: testing. See `oracle`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs

from dossier.errors import (
    CursorError,
    QueryError,
)
from dossier.repository import (
    And,
    Collection,
    Contains,
    Eq,
    Expr,
    Ge,
    Group,
    Has,
    In,
    IndexField,
    IndexValue,
    Key,
    Lt,
    Not,
    Or,
    Order,
    Page,
    Prefix,
    Query,
    Row,
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


def _given(row: Row, *, bodies: bool = True, index: bool = True) -> Row:
    """The row with what was asked for."""
    return attrs.evolve(row, body=row.body if bodies else b"", index=row.index if index else {})


class OracleReader:
    """Reads of one oracle: of its newest state, or of the state it was given (a snapshot)."""

    def __init__(self, store: Store, state: State | None = None) -> None:
        self._store = store
        self._state = state

    def get_many(self, keys: Sequence[Key], *, index: bool = True) -> list[Row | None]:
        """See `Reader.get_many`."""
        cells = self._cells()
        for key in keys:
            self._collection(key.collection)
        rows = [self._row(key.collection, key.id, cells.get((key.collection, key.id))) for key in keys]
        return [row and _given(row, index=index) for row in rows]

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
        return Page(tuple(_given(row, bodies=query.bodies, index=query.index) for row in page), cursor)

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
        return iter([_given(row, bodies=bodies) for row in rows])

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
