"""What the closed query language means, in Python: the plainest reading of `query`, used by the memory repository.

`View` answers with it the reads of the memory repository.

Floor: repository. Law K6 compares every backend with an evaluator of its own kit, not with this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from dossier.repository.asking import check_aggregate, check_query, check_where, make_cursor, open_cursor, shape_named
from dossier.repository.checking import Shape
from dossier.repository.query import And, Contains, Eq, Expr, Ge, Group, Has, In, Lt, Not, Or, Prefix, Query
from dossier.repository.rows import IndexScalar, IndexValue, Key, Page, Row


def holds(where: Expr, index: Mapping[str, IndexValue]) -> bool:
    """Whether a checked condition holds for a row with these present index fields."""
    if isinstance(where, And):
        return all(holds(term, index) for term in where.terms)
    if isinstance(where, Or):
        return any(holds(term, index) for term in where.terms)
    if isinstance(where, Not):
        return not holds(where.term, index)
    value = index.get(where.field)
    if isinstance(where, Eq):
        return value == where.value
    if value is None:
        return False
    if isinstance(where, In):
        return value in where.values
    if isinstance(where, Lt):
        return value < where.value  # type: ignore[operator]
    if isinstance(where, Ge):
        return value >= where.value  # type: ignore[operator]
    if isinstance(where, Prefix):
        return isinstance(value, str) and value.startswith(where.value)
    if isinstance(where, Has):
        return isinstance(value, tuple) and where.value in value
    assert isinstance(where, Contains)
    return isinstance(value, str) and where.needle in value


@attrs.frozen
class Stored:
    """A row and the mark of the last `Index` on it."""

    row: Row
    mark: int = 0


Rows = dict[str, Stored]


class View:
    """Reads of one state; the state never changes under a snapshot (rows are copied on write)."""

    def __init__(self, shapes: Mapping[str, Shape], rows: Mapping[str, Rows]) -> None:
        self._shapes, self._rows = shapes, rows

    def get_many(self, keys: Sequence[Key], *, index: bool = True) -> list[Row | None]:
        """Rows in the order of `keys`, None for missing."""
        found: list[Row | None] = []
        for key in keys:
            shape_named(self._shapes, key.collection)
            stored = self._rows[key.collection].get(key.id)
            found.append(None if stored is None else _given(stored.row, index=index))
        return found

    def find(self, query: Query) -> Page:
        """One page."""
        shape = check_query(self._shapes, query)
        after = open_cursor(shape, query)
        order = query.order
        rows = [s.row for s in self._rows[query.collection].values() if holds(query.where, s.row.index)]
        rows.sort(key=lambda row: row.id)
        if order is not None:
            rows.sort(key=lambda row: _rank(row.index.get(order.field)), reverse=order.descending)
        if after is not None:
            value, id = after
            rows = [row for row in rows if _follows(query, row, value, id)]
        page, more = rows[: query.limit], len(rows) > query.limit
        cursor = make_cursor(query, _order_value(query, page[-1]), page[-1].id) if more else None
        return Page(tuple(_given(row, query.bodies, query.index) for row in page), cursor)

    def count(self, collection: str, where: Expr) -> int:
        """How many rows satisfy `where`."""
        check_where(shape_named(self._shapes, collection), where)
        return sum(holds(where, stored.row.index) for stored in self._rows[collection].values())

    def aggregate(
        self, collection: str, where: Expr, *, by: Sequence[str] = (), sums: Sequence[str] = ()
    ) -> list[Group]:
        """Groups sorted absent first; exactly one group where `by` is empty."""
        check_aggregate(shape_named(self._shapes, collection), where, by, sums)
        counts: dict[tuple[IndexScalar, ...], list[int]] = {}
        if not by:
            counts[()] = [0] * (1 + len(sums))
        for stored in self._rows[collection].values():
            index = stored.row.index
            if holds(where, index):
                totals = counts.setdefault(tuple(_scalar(index.get(name)) for name in by), [0] * (1 + len(sums)))
                totals[0] += 1
                for place, name in enumerate(sums, 1):
                    value = index.get(name)
                    totals[place] += value if isinstance(value, int) else 0
        ordered = sorted(counts.items(), key=lambda item: tuple(_rank(value) for value in item[0]))
        return [Group(key=key, count=totals[0], sums=tuple(totals[1:])) for key, totals in ordered]

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
        """Rows with start <= id < stop in id order."""
        shape_named(self._shapes, collection)
        rows = self._rows[collection]
        ids = sorted((id for id in rows if start <= id and (stop is None or id < stop)), reverse=descending)
        return iter([_given(rows[id].row, bodies) for id in ids[: limit if limit is None else max(limit, 0)]])


def _given(row: Row, bodies: bool = True, index: bool = True) -> Row:
    body = row.body if bodies else b""
    return Row(row.collection, row.id, row.version, body, dict(row.index) if index else {}, row.scope)


def _scalar(value: IndexValue) -> IndexScalar:
    assert not isinstance(value, tuple)
    return value


def _rank(value: IndexValue) -> tuple[bool, IndexValue]:
    """A sort key with absent first."""
    return (False, 0) if value is None else (True, value)


def _order_value(query: Query, row: Row) -> IndexScalar:
    return None if query.order is None else _scalar(row.index.get(query.order.field))


def _follows(query: Query, row: Row, value: IndexScalar, id: str) -> bool:
    """Whether the row stands after (value, id) in the order of the query."""
    here = _rank(_order_value(query, row))
    there = _rank(value)
    if here == there:
        return row.id > id
    before = here < there
    return before if query.order is not None and query.order.descending else not before
