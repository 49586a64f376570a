"""Pages: which statements answer a query, in which order they are asked, and the cursor of the next page.

After a cursor the rest of the order is at most three *segments* (ties of the last value by id, values beyond it,
absent ones); each walks an index from its place, and one is asked only if those before did not fill the page.
Where one In stands among the equality fields of a composite index that then orders, each of its values is walked
in order and the best rows of all are taken, instead of sorting every row that has one of them. Bodies are fetched
for the rows of the page only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from dossier.repository import Composite, IndexScalar, Order, Page, Query, Row
from dossier.repository.asking import check_query, make_cursor, open_cursor
from dossier_sqlite.searching import has_text, shortcut
from dossier_sqlite.tables import Table
from dossier_sqlite.ways import WALK, kept_to, way
from dossier_sqlite.where import Form, numbered, read


def find(conn: sqlite3.Connection, tables: Mapping[str, Table], query: Query) -> Page:
    """One page, read from one state."""
    table, limit = _table(tables, query), query.limit
    after = open_cursor(table.shape, query)
    params: list[Any] = []
    form = read(query.where, params)
    segments = _segments(query.order, after)
    searching = query.order is None and has_text(form)
    alone = (searching or len(segments) > 1) and not conn.in_transaction
    if alone:
        conn.execute("begin")
    columns = _columns(table, query)
    records = None
    if searching:
        beyond = "" if after is None else after[1]
        records = shortcut(conn, table, form, params, limit + 1, beyond=beyond, columns=columns)
    if records is None:
        records = []
        route = way(conn, table, form, params, query.order, limit + 1)
        if after is not None:
            params += after
        params.append(limit + 1)
        for segment in segments:
            sql = _statement(table, form, query.order, segment, columns, after is not None, route)
            params[-1] = limit + 1 - len(records)
            records += conn.execute(sql, params).fetchall()
            if len(records) > limit:
                break
    if alone:
        conn.execute("commit")
    if query.index:
        rows = tuple(map(table.row, records[:limit]))
    else:
        rows = tuple(
            [Row(table.name, id, version, body, {}, scope) for id, version, scope, body, *_ in records[:limit]]
        )
    if len(records) <= limit:
        return Page(rows)
    value = None if query.order is None else records[limit - 1][-1]
    if value is not None and query.order is not None and table.shape.every[query.order.field] == "bool":
        value = bool(value)
    return Page(rows, make_cursor(query, value, rows[-1].id))


def _columns(table: Table, query: Query) -> str:
    """What is selected of the rows of a page."""
    if query.index:
        return table.select if query.bodies else table.select_bare
    return "t.id, t.version, t.scope, " + ("t.body" if query.bodies else "x''")


def _table(tables: Mapping[str, Table], query: Query) -> Table:
    check_query({query.collection: tables[query.collection].shape} if query.collection in tables else {}, query)
    return tables[query.collection]


def _segments(order: Order | None, after: tuple[IndexScalar, str] | None) -> tuple[str, ...]:
    if after is None:
        return ("all",)
    if order is None:
        return ("ids",)
    if after[0] is None:
        return ("absent ties",) if order.descending else ("absent ties", "present")
    return ("ties", "below", "absent") if order.descending else ("ties", "above")


def _statement(
    table: Table, form: Form, order: Order | None, segment: str, columns: str, cursor: bool, route: int | None
) -> str:
    key = (form, order, segment, columns, route)
    sql = table.plans.get(key)
    if sql is None:
        sql = table.plans[key] = _build(table, form, order, segment, columns, cursor, route)
    return sql


def _build(
    table: Table, form: Form, order: Order | None, segment: str, columns: str, cursor: bool, route: int | None
) -> str:
    """The statement of one segment: these columns and the value of the order field. Parameters: those of the form,
    value and id of the cursor, how many rows."""
    terms, starts, conditions, used = numbered(table, form)
    value, id, many = used + 1, used + 2, used + (3 if cursor else 1)
    column = "t.id" if order is None else f"t.{table.columns[order.field]}"
    id_column = "t.id"
    if route is not None:
        kept_to(table, terms, starts, conditions, route)
        if route != WALK:
            # A plus keeps SQLite from walking the order.
            column, id_column = f"+{column}", "+t.id"
    rest = {
        "all": "",
        "ids": f"{id_column} > ?{id}",
        "ties": f"{column} = ?{value} and {id_column} > ?{id}",
        "above": f"{column} > ?{value}",
        "below": f"{column} < ?{value}",
        "absent": f"{column} is null",
        "absent ties": f"{column} is null and {id_column} > ?{id}",
        "present": f"{column} is not null",
    }[segment]
    if segment == "ties" and route is None:
        # A range on the same field must not tempt SQLite away from the equality (it takes the range otherwise).
        conditions = [condition.replace(column, f"+{column}") for condition in conditions]
    descending = " desc" if order is not None and order.descending else ""
    # Where the segment fixes the order field, saying only the id lets SQLite walk the index for both.
    fixed = order is None or segment in ("ties", "absent ties", "absent")
    arranged = id_column if fixed else f"{column}{descending}, {id_column}"
    merged = _merged(table, terms, order) if route is None else None
    parts = []
    for place in range(1 if merged is None else terms[merged][2]):
        chosen = list(conditions)
        if merged is not None:
            chosen[merged] = f"t.{table.columns[terms[merged][1]]} = ?{starts[merged] + place}"
        asked = [condition for condition in (*chosen, rest) if condition]
        # What a walk can tell by the index and the side tables is asked first: most rows are never looked at.
        later = [
            condition for condition in asked[: len(terms)] if route == WALK and not condition.startswith("exists ")
        ]
        part = (
            f"select t.rid as rid, t.id as id, {column} as o from {table.sql} t"
            f" where {' and '.join(each for each in asked if each not in later) or '1'} order by {arranged}"
        )
        if later:
            part = (
                f"select k.rid as rid, k.id as id, k.o as o from ({part} limit -1) k cross join {table.sql} t"
                f" on t.rid = k.rid where {' and '.join(later)}"
            )
        parts.append(f"{part} limit ?{many}")
    if len(parts) == 1:
        keys = parts[0]
    else:
        union = " union all ".join(f"select * from ({part})" for part in parts)
        keys = f"select * from ({union}) order by o{descending}, id limit ?{many}"
    # k is filled in this order and CROSS JOIN keeps it outermost, so the rows come in it; sorting once more would
    # carry the bodies through the sorter (measured: half the time of a page).
    return f"with k as materialized ({keys}) select {columns}, k.o from k cross join {table.sql} t on t.rid = k.rid"


def _merged(table: Table, terms: tuple[Form, ...], order: Order | None) -> int | None:
    """The place of the In whose values are walked one by one along an index, if there is one worth it."""
    listed = [place for place, term in enumerate(terms) if term[0] == "in" and term[2] > 1]
    if len(listed) != 1:
        return None
    many = terms[listed[0]][1]
    fixed = {term[1] for term in terms if term[0] == "="} | {many}
    if order is None:
        return listed[0] if many not in table.collection.unindexed else None
    for composite in table.collection.composites:
        leading = _before(composite, order.field)
        if leading is not None and many in leading and leading <= fixed:
            return listed[0]
    return None


def _before(composite: Composite, field: str) -> set[str] | None:
    if field not in composite.fields:
        return None
    return set(composite.fields[: composite.fields.index(field)])
