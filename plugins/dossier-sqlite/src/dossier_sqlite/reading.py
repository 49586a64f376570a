"""The other reads: by key, counts, groups and chunks of a scan. All take a connection and see one state."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from dossier.errors import QueryError
from dossier.repository import Expr, Group, Key, Row, encode
from dossier.repository.asking import check_aggregate, check_where
from dossier_sqlite.tables import Table
from dossier_sqlite.where import Sql, read

CHUNK_BYTES = 4 * 1024 * 1024
"""About how many bytes of bodies a scan holds at once."""


def table_named(tables: Mapping[str, Table], collection: str) -> Table:
    """The table of a collection. QueryError if it is not declared."""
    table = tables.get(collection)
    if table is None:
        raise QueryError(what="the collection is not declared", path=str(collection)[:100])
    return table


def get_many(conn: sqlite3.Connection, tables: Mapping[str, Table], keys: Sequence[Key]) -> list[Row | None]:
    """Rows in the order of `keys`, None for missing; several are read in one transaction."""
    if len(keys) == 1:
        key = keys[0]
        table = table_named(tables, key.collection)
        for record in conn.execute(table.get, (key.id,)).fetchall():
            return [table.row(record)]
        return [None]
    asked = [(table_named(tables, key.collection), key.id) for key in keys]
    alone = not conn.in_transaction
    if alone:
        conn.execute("begin")
    found: list[Row | None] = []
    for table, id in asked:
        records = conn.execute(table.get, (id,)).fetchall()
        found.append(table.row(records[0]) if records else None)
    if alone:
        conn.execute("commit")
    return found


def get_bare(conn: sqlite3.Connection, tables: Mapping[str, Table], keys: Sequence[Key]) -> list[Row | None]:
    """Like `get_many`, rows without index values: all of them by one statement."""
    asked: dict[str, list[str]] = {}
    for key in keys:
        asked.setdefault(table_named(tables, key.collection).name, []).append(key.id)
    if not asked:
        return []
    names = tuple(asked)
    form = tuple((name, len(ids) == 1) for name, ids in asked.items())
    plans = tables[names[0]].plans
    sql = plans.get(("bare", form))
    if sql is None:
        sql = plans["bare", form] = " union all ".join(
            f"select {place}, t.id, t.version, t.scope, t.body from {tables[name].sql} t where t.id"
            f" {'= ?' if single else 'in (select value from json_each(?))'}"
            for place, (name, single) in enumerate(form)
        )
    params = [ids[0] if len(ids) == 1 else encode(ids).decode() for ids in asked.values()]
    found = {
        (names[place], id): Row(names[place], id, version, body, {}, scope)
        for place, id, version, scope, body in conn.execute(sql, params).fetchall()
    }
    return [found.get((key.collection, key.id)) for key in keys]


def count(conn: sqlite3.Connection, tables: Mapping[str, Table], collection: str, where: Expr) -> int:
    """How many rows satisfy `where`."""
    table = table_named(tables, collection)
    check_where(table.shape, where)
    params: list[Any] = []
    form = read(where, params)
    key = ("count", form)
    sql = table.plans.get(key)
    if sql is None:
        sql = table.plans[key] = f"select count(*) from {table.sql} t where {Sql(table).of(form)}"
    found: int = conn.execute(sql, params).fetchone()[0]
    return found


def aggregate(
    conn: sqlite3.Connection,
    tables: Mapping[str, Table],
    collection: str,
    where: Expr,
    by: Sequence[str],
    sums: Sequence[str],
) -> list[Group]:
    """Groups sorted absent first. SQLite's sum stops at int64; then high and low halves are summed apart."""
    table = table_named(tables, collection)
    check_aggregate(table.shape, where, by, sums)
    params: list[Any] = []
    condition = Sql(table).of(read(where, params))
    columns = [f"t.{table.columns[name]}" for name in sums]
    whole = [f"coalesce(sum({column}), 0)" for column in columns]
    halves = [f"coalesce(sum({column} {part}), 0)" for column in columns for part in (">> 32", "& 4294967295")]
    overflown = False
    try:
        records = conn.execute(_grouping(table, condition, by, whole), params).fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        overflown = True
    if overflown:
        records = [
            (*record[: len(by) + 1], *((high << 32) + low for high, low in _pairs(record[len(by) + 1 :])))
            for record in conn.execute(_grouping(table, condition, by, halves), params).fetchall()
        ]
    kinds = [table.shape.every[name] for name in by]
    return [
        Group(
            key=tuple(
                bool(value) if kind == "bool" and value is not None else value
                for kind, value in zip(kinds, record, strict=False)
            ),
            count=record[len(by)],
            sums=tuple(record[len(by) + 1 :]),
        )
        for record in records
    ]


def _grouping(table: Table, condition: str, by: Sequence[str], sums: Sequence[str]) -> str:
    keys = [f"t.{table.columns[name]}" for name in by]
    grouped = f" group by {', '.join(keys)} order by {', '.join(keys)}" if keys else ""
    return f"select {', '.join([*keys, 'count(*)', *sums])} from {table.sql} t where {condition}{grouped}"


def _pairs(values: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(values[::2], values[1::2], strict=True))


def chunk(
    conn: sqlite3.Connection,
    table: Table,
    *,
    start: str,
    stop: str | None,
    beyond: str | None,
    descending: bool,
    limit: int,
    bodies: bool,
) -> list[Row]:
    """Up to `limit` rows of a scan: start <= id < stop, and past `beyond`, the last id of the chunk before."""
    bounds, params = ["t.id >= ?"], [start]
    if stop is not None:
        bounds.append("t.id < ?")
        params.append(stop)
    if beyond is not None:
        bounds.append("t.id < ?" if descending else "t.id > ?")
        params.append(beyond)
    sql = (
        f"select {table.select if bodies else table.select_bare} from {table.sql} t where {' and '.join(bounds)}"
        f" order by t.id{' desc' if descending else ''} limit ?"
    )
    return list(map(table.row, conn.execute(sql, (*params, limit)).fetchall()))


def next_limit(rows: Sequence[Row]) -> int:
    """How many rows the next chunk of a scan takes, judged by the bodies of this one."""
    return max(1, min(1000, CHUNK_BYTES * len(rows) // (sum(len(row.body) for row in rows) + 1)))
