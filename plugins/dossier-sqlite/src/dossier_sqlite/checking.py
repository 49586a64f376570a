"""What a file can tell of its own soundness: SQLite's check of pages and indexes, and whether sets and texts are found
by what stands in their rows. Sums over both sides are compared, so memory does not grow with the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from dossier.errors import DamagedError
from dossier_sqlite.search import TextIndex, tokens
from dossier_sqlite.tables import Table, unpack_set

_FETCH = 10_000


def check(conn: sqlite3.Connection, tables: Mapping[str, Table]) -> Iterator[str]:
    """Codes of what is damaged: `file`, `set.COLLECTION.FIELD`, `search.COLLECTION.FIELD`. The connection is the
    caller's own: tables of its temporary database are made. sqlite3.Error as it comes."""
    texts = [(table, name, index) for table in tables.values() for name, index in table.texts.items()]
    for number, (_, _, index) in enumerate(texts):
        fts = index.fts.replace('"', "")
        conn.execute(f"create virtual table temp.v{number} using fts5vocab(main, '{fts}', instance)")
    conn.execute("begin")
    if conn.execute("pragma integrity_check(1)").fetchone() != ("ok",):
        yield "file"
        return
    for table in tables.values():
        for name, side in table.sets.items():
            column = table.columns[name]
            held = conn.execute(f"select rid, {column} from {table.sql} where {column} is not null")
            shown = None
            try:
                shown = _sum((rid, value) for rid, packed in _rows(held) for value in unpack_set(packed))
            except DamagedError:
                pass
            found = _sum(_rows(conn.execute(f"select rid, value from {side}")))
            if shown != found:
                yield f"set.{table.name}.{name}"
    for number, (table, name, index) in enumerate(texts):
        if not _agrees(conn, table, index, f"temp.v{number}"):
            yield f"search.{table.name}.{name}"


def _agrees(conn: sqlite3.Connection, table: Table, index: TextIndex, vocabulary: str) -> bool:
    """Whether the index holds the tokens of each text, of those in the queue the text before, and the queue holds the
    text now."""
    behind = conn.execute(
        f"select 1 from {index.queue} q left join {table.sql} t on t.rid = q.rid"
        f" where q.new is not t.{index.column} limit 1"
    ).fetchone()
    if behind is not None:
        return False
    held = conn.execute(
        f"select t.rid, t.{index.column} from {table.sql} t where t.{index.column} is not null"
        f" and t.rid not in (select rid from {index.queue})"
        f" union all select rid, old from {index.queue} where old is not null"
    )
    wanted = _sum((rid, token) for rid, text in _rows(held) for token in set(tokens(text).split(" ")) - {""})
    return wanted == _sum(_rows(conn.execute(f"select doc, term from {vocabulary}")))


def _sum(pairs: Iterable[tuple[object, object]]) -> tuple[int, int]:
    """How many pairs there are, and the sum of their hashes, whatever their order."""
    count = total = 0
    for rid, value in pairs:
        count += 1
        total += hash((rid, value))
    return count, total


def _rows(cursor: sqlite3.Cursor) -> Iterator[tuple[int, str]]:
    while rows := cursor.fetchmany(_FETCH):
        yield from rows
