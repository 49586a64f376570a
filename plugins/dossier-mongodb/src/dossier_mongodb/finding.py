"""Pages: which segments answer a query, in which order they are asked, and the cursor of the next page.

After a cursor the rest of the order is at most three *segments* (ties of the last value by id, values beyond it, absent
ones); one is asked only if those before did not fill the page. Indexes run upwards, `(…, field, id)`. Read backwards
they give falling values, but falling ids among equal ones; so a falling order is read that way, and where the page ends
within a group of equal values, that group is asked for once more by id.
"""

from __future__ import annotations

from typing import Any

from pymongo.client_session import ClientSession

from dossier.repository import IndexScalar, Order, Page, Query, Row
from dossier.repository.asking import check_query, make_cursor, open_cursor
from dossier_mongodb.address import Base
from dossier_mongodb.documents import Document, Table
from dossier_mongodb.reading import BARE, SEEN, Tables, table_named
from dossier_mongodb.where import Filter, to_filter

Segment = tuple[Filter, bool]
"""A condition beside that of the query, and whether it fixes the order field (so that the id alone orders)."""


def is_single(query: Query) -> bool:
    """Whether one command answers a query."""
    return query.order is None or (query.after is None and not query.order.descending)


def find(base: Base, session: ClientSession, tables: Tables, query: Query) -> Page:
    """One page, read from one state: `session` shows one, or `is_single`."""
    table = table_named(tables, query.collection)
    check_query({query.collection: table.shape}, query)
    after = open_cursor(table.shape, query)
    where = to_filter(table, query.where)
    asking = _Asking(base, session, table, query)
    rows: list[Row] = []
    for beside, fixed in _segments(table, query.order, after):
        rows += asking.rows({"$and": [where, beside]} if beside and where else beside or where, fixed, len(rows))
        if len(rows) > query.limit:
            break
    if len(rows) <= query.limit:
        return Page(tuple(rows))
    last = rows[query.limit - 1]
    return Page(tuple(rows[: query.limit]), make_cursor(query, asking.value(last), last.id))


def _segments(table: Table, order: Order | None, after: tuple[IndexScalar, str] | None) -> list[Segment]:
    if order is None:
        return [({} if after is None else {"_id": {"$gt": after[1]}}, True)]
    if after is None:
        return [({}, False)]
    path = table.paths[order.field]
    value, id = after
    ties: Segment = ({path: value, "_id": {"$gt": id}}, True)
    if value is None:
        return [ties] if order.descending else [ties, ({path: {"$ne": None}}, False)]
    if order.descending:
        return [ties, ({path: {"$lt": value}}, False), ({path: None}, True)]
    return [ties, ({path: {"$gt": value}}, False)]


class _Asking:
    """Asks for the segments of one query."""

    def __init__(self, base: Base, session: ClientSession, table: Table, query: Query) -> None:
        self._rows = base[table.name]
        self._session, self._table, self._query = session, table, query
        self._path = "" if query.order is None else table.paths[query.order.field]

    def value(self, row: Row) -> IndexScalar:
        """The value that orders a row."""
        order = self._query.order
        value = None if order is None else row.index.get(order.field)
        assert not isinstance(value, tuple)
        return value

    def rows(self, where: Filter, fixed: bool, have: int) -> list[Row]:
        """The first rows of a segment, one more than the page still takes."""
        order, limit = self._query.order, self._query.limit + 1 - have
        if order is None or fixed:
            return self._ask(where, [("_id", 1)], limit)
        if not order.descending:
            return self._ask(where, [(self._path, 1), ("_id", 1)], limit)
        rows = self._ask(where, [(self._path, -1), ("_id", -1)], limit)
        groups: dict[Any, list[Row]] = {}
        for row in rows:
            groups.setdefault(self.value(row), []).append(row)
        cut = list(groups)[-1] if len(rows) == limit else None
        if len(rows) == limit and len(groups[cut]) > 1:
            room = len(groups.pop(cut))
            whole = {"$and": [where, {self._path: cut}]} if where else {self._path: cut}
            groups[cut] = self._ask(whole, [("_id", 1)], room)[::-1]
        return [row for group in groups.values() for row in group[::-1]]

    def _ask(self, where: Filter, order: list[tuple[str, int]], limit: int) -> list[Row]:
        bodies = self._query.bodies
        shown: Document = SEEN if bodies else BARE
        found = self._rows.find(where, shown, session=self._session).sort(order).limit(limit)
        return [self._table.row(document, bodies=bodies) for document in found]
