"""Making and widening tables, through sqlite-utils.

Imported only when something is made: sqlite-utils may import pandas (0.7 s), and opening an archive that is up to
date needs none of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import sqlite_utils
from sqlite_utils.db import DescIndex

from dossier.repository import Collection, Composite, IndexField, encode
from dossier_sqlite.search import OPTIONS
from dossier_sqlite.tables import Table

_TYPES = {"text": str, "int": int, "bool": int, "search": str}

Step = Callable[[str], None]


def make_base(conn: sqlite3.Connection) -> None:
    """The tables that every archive has: what was declared, and the keys of committed batches."""
    db = sqlite_utils.Database(conn)
    db.table("declared").create({"name": str, "declaration": bytes}, pk="name", not_null={"declaration"})
    db.execute("create table batches(key text primary key) without rowid")


def widen_table(
    conn: sqlite3.Connection,
    old: Collection | None,
    new: Collection,
    added: tuple[IndexField, ...],
    step: Step | None,
) -> None:
    """Bring the table of a collection from `old` to `new`, inside the caller's transaction."""
    db = sqlite_utils.Database(conn)
    table = Table(new)
    rows = db.table(f"c_{new.name}")
    if old is None:
        columns: dict[str, type] = {"rid": int, "id": str, "version": int, "scope": str, "scope_key": int, "mark": int}
        columns |= {f"f_{field.name}": str if field.many else _TYPES[field.type] for field in added}
        columns["body"] = bytes
        rows.create(columns, pk="rid", not_null={"id", "version", "scope", "mark", "body"}, defaults={"mark": 0})
        rows.create_index(["id"], index_name=f"i_{new.name}", unique=True)
        db.execute(f'create index "i_{new.name}.scope" on {table.sql}(scope_key) where scope_key is not null')
    else:
        for field in added:
            rows.add_column(f"f_{field.name}", str if field.many else _TYPES[field.type])
    if step is not None:
        step("declare.table")
    for field in added:
        _make_sides(db, table, field)
    for field in new.fields:
        single = not field.many and field.type != "search"
        if single and field.name not in new.unindexed:
            rows.create_index([f"f_{field.name}", "id"], index_name=f"i_{new.name}.{field.name}", if_not_exists=True)
    for composite in new.composites:
        _make_composite(rows, new, composite)
    db.execute(
        "insert into declared(name, declaration) values (?, ?)"
        " on conflict(name) do update set declaration = excluded.declaration",
        (new.name, _pack(new)),
    )


def _make_sides(db: sqlite_utils.Database, table: Table, field: IndexField) -> None:
    if field.many:
        db.execute(
            f"create table {table.sets[field.name]}(value {'integer' if field.type == 'int' else 'text'} not null,"
            " rid integer not null, primary key (value, rid)) without rowid"
        )
    if field.type == "search":
        index = table.texts[field.name]
        db.execute(f"create virtual table {index.fts} using fts5(text, {OPTIONS})")
        db.execute(f"create table {index.queue}(rid integer primary key, old text, new text)")


def _make_composite(rows: sqlite_utils.db.Table, new: Collection, composite: Composite) -> None:
    """(equality fields …, order field descending, id). A set is found through its side table, so a composite index
    with a set is made of its single fields."""
    many = {field.name for field in new.fields if field.many}
    fields = [f"f_{name}" for name in composite.fields if name not in many]
    if len(fields) < 2:
        return
    columns = [*fields[:-1], DescIndex(fields[-1]), "id"]
    rows.create_index(columns, index_name=f"i_{new.name}.{'+'.join(composite.fields)}", if_not_exists=True)


def _pack(collection: Collection) -> bytes:
    return encode(
        {
            "name": collection.name,
            "fields": [[f.name, f.type, f.many, f.derived] for f in collection.fields],
            "composites": [list(c.fields) for c in collection.composites],
            "unindexed": list(collection.unindexed),
        }
    )
