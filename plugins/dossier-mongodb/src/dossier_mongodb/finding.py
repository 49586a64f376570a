"""Pages: which segments answer a query, in which order they are asked, and the cursor of the next page.

After a cursor the rest of the order is at most three *segments* (ties of the last value by id, values beyond it, absent
ones); one is asked only if those before did not fill the page. Indexes run upwards, `(…, field, id)`. Read backwards
they give falling values, but falling ids among equal ones; so a falling order is read that way, and where the page ends
within a group of equal values, that group is asked for once more by id.
"""

from __future__ import annotations

from bson.int64 import Int64
from pymongo.client_session import ClientSession

from dossier.repository import IndexScalar, Order, Page, Query, Row
from dossier.repository.asking import check_query, make_cursor, open_cursor
from dossier_mongodb.address import Base
from dossier_mongodb.documents import Table
from dossier_mongodb.reading import Tables, shown, table_named
from dossier_mongodb.where import Filter, to_filter

Segment = tuple[Filter, bool]
"""A condition beside that of the query, and whether it fixes the order field (so that the id alone orders)."""


Found = tuple[IndexScalar, Row]
"""A row and the value that orders it."""


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
    found: list[Found] = []
    for beside, fixed in _segments(table, query.order, after):
        found += asking.rows({"$and": [where, beside]} if beside and where else beside or where, fixed, len(found))
        if len(found) > query.limit:
            break
    rows = tuple(row for _, row in found[: query.limit])
    if len(found) <= query.limit:
        return Page(rows)
    return Page(rows, make_cursor(query, found[query.limit - 1][0], rows[-1].id))


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

    def rows(self, where: Filter, fixed: bool, have: int) -> list[Found]:
        """The first rows of a segment, one more than the page still takes."""
        order, limit = self._query.order, self._query.limit + 1 - have
        if order is None or fixed:
            return self._ask(where, [("_id", 1)], limit)
        if not order.descending:
            return self._ask(where, [(self._path, 1), ("_id", 1)], limit)
        found = self._ask(where, [(self._path, -1), ("_id", -1)], limit)
        groups: dict[IndexScalar, list[Found]] = {}
        for one in found:
            groups.setdefault(one[0], []).append(one)
        if len(found) == limit:
            cut = found[-1][0]
            room = len(groups[cut])
            if room > 1:
                whole = {"$and": [where, {self._path: cut}]} if where else {self._path: cut}
                groups[cut] = self._ask(whole, [("_id", 1)], room)[::-1]
        return [one for group in groups.values() for one in group[::-1]]

    def _ask(self, where: Filter, order: list[tuple[str, int]], limit: int) -> list[Found]:
        query, table, path = self._query, self._table, self._path
        # Without the index of the rows the field that orders must come all the same: it goes into the cursor.
        sent = shown(bodies=query.bodies, index=query.index or bool(path))
        documents = self._rows.find(where, sent, session=self._session).sort(order).limit(limit)
        if not path:
            return [(None, table.row(document, bodies=query.bodies)) for document in documents]
        part, _, name = path.partition(".")
        found: list[Found] = []
        for document in documents:
            value: IndexScalar = document.get(part, {}).get(name)
            if not query.index:
                document.update(index={}, derived={})
            plain = int(value) if type(value) is Int64 else value
            found.append((plain, table.row(document, bodies=query.bodies)))
        return found
