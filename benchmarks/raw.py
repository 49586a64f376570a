"""The limit: plain sqlite3 that writes the same durable rows as an archive, already serialised, and no more.

Body, version and declared columns, the same single and composite indexes, side tables of sets, the same bigrams in the
same FTS5 index; a history row a compartment and an event row. What the archive has beyond that (erasure scopes and
their index, marks of derived columns, leases, the check on the manifest) is not written here. Bytes, columns and
tokens are taken from the rows of an archive before the clock starts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from dossier.repository import Collection
from dossier_sqlite.search import OPTIONS, tokens

PAGE = 8192
CACHE_KIB = 16_384
KEPT = ("dossiers", "special", "acts", "events")
"""The collections whose rows a change of a dossier writes."""


@attrs.frozen
class Bundle:
    """Rows of some dossiers as they are stored: statement values by table, pairs of sets, texts with their bigrams."""

    rows: dict[str, list[tuple[Any, ...]]]
    sets: dict[str, list[tuple[Any, Any, str]]]
    texts: dict[str, list[tuple[str, str]]]


@attrs.frozen
class Update:
    """One update: the new version, body and changed columns of a row, and the rows added beside it."""

    id: str
    sql: str
    values: tuple[Any, ...]
    added: Bundle


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the settings of the archive's own."""
    conn = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    conn.execute(f"pragma page_size={PAGE}")
    conn.execute("pragma journal_mode=wal")
    conn.execute("pragma synchronous=full")
    conn.execute(f"pragma cache_size=-{CACHE_KIB}")
    conn.execute("pragma temp_store=memory")
    return conn


class Raw:
    """The raw database beside an archive of the same declarations."""

    def __init__(self, path: Path, collections: Iterable[Collection], *, kept: Sequence[str] = KEPT) -> None:
        self.path = path
        self.conn = connect(path)
        self.declared = {c.name: c for c in collections if c.name in kept}
        self._insert: dict[str, str] = {}
        for declared in self.declared.values():
            self._make(declared)

    def _make(self, declared: Collection) -> None:
        run, name = self.conn.execute, declared.name
        columns = ["rid integer primary key", "id text not null", "version integer not null"]
        for field in declared.fields:
            columns.append(f'"{field.name}" {"integer" if field.type == "int" and not field.many else "text"}')
        run(f"create table {name}({', '.join(columns)}, body blob not null)")
        run(f"create unique index {name}_id on {name}(id)")
        many = {f.name for f in declared.fields if f.many}
        for field in declared.fields:
            if field.type == "search":
                run(f'create virtual table "{name}.{field.name}" using fts5(text, {OPTIONS})')
            elif field.many:
                run(f'create table "{name}.{field.name}"(value, rid integer, primary key(value, rid)) without rowid')
            elif field.name not in declared.unindexed:
                run(f'create index "{name}_{field.name}" on {name}("{field.name}", id)')
        for composite in declared.composites:
            fields = [f'"{f}"' for f in composite.fields if f not in many]
            run(f'create index "{name}_{"_".join(composite.fields)}" on {name}({", ".join(fields)} desc, id)')
        names = ["rid", "id", "version", *(f'"{f.name}"' for f in declared.fields), "body"]
        self._insert[name] = f"insert into {name}({', '.join(names)}) values ({', '.join('?' * len(names))})"

    # -- taking rows from an archive --------------------------------------------------------------

    def bundle(
        self, source: sqlite3.Connection, since: dict[str, int], *, limits: Mapping[str, int] | None = None
    ) -> Bundle:
        """The rows of an archive's file beyond the rids `since`, which is brought up to date; of each collection as
        many as `limits` says."""
        found = Bundle({}, {}, {})
        for name, declared in self.declared.items():
            fields = [f'"f_{f.name}"' for f in declared.fields]
            columns = ", ".join(["rid", "id", "version", *fields, "body"])
            sql = f'select {columns} from "c_{name}" where rid > ? order by rid limit ?'
            rows = source.execute(sql, (since.get(name, 0), limits[name] if limits else -1)).fetchall()
            if not rows:
                continue
            since[name] = rows[-1][0]
            found.rows[name] = rows
            for place, field in enumerate(declared.fields, start=3):
                key = f"{name}.{field.name}"
                if field.many:
                    pairs = [(value, row[0]) for row in rows if row[place] for value in json.loads(row[place])]
                    found.sets[key] = sorted(pairs)
                elif field.type == "search":
                    found.texts[key] = [(row[0], tokens(row[place])) for row in rows if row[place]]
        return found

    def update(self, before: sqlite3.Row, after: sqlite3.Row, added: Bundle) -> Update:
        """The update that leads from one row of `c_dossiers` to the next; only what differs is set."""
        names = [n for n in after.keys() if n.startswith("f_") and before[n] != after[n]]  # noqa: SIM118
        columns = "".join(f', "{n[2:]}" = ?' for n in names)
        sql = f"update dossiers set version = ?, body = ?{columns} where rid = ?"
        values = (after["version"], after["body"], *(after[n] for n in names), after["rid"])
        return Update(after["id"], sql, values, added)

    # -- the same writes --------------------------------------------------------------------------

    def write(self, bundle: Bundle) -> None:
        """One durable transaction."""
        self.conn.execute("begin immediate")
        self._add(bundle)
        self.conn.execute("commit")

    def change(self, update: Update) -> None:
        """One durable update: read the row, write the new one, its history and its event."""
        run = self.conn.execute
        run("begin immediate")
        run("select version, body from dossiers where id = ?", (update.id,)).fetchone()
        run(update.sql, update.values)
        self._add(update.added)
        run("commit")

    def _add(self, bundle: Bundle) -> None:
        conn = self.conn
        for name, rows in bundle.rows.items():
            conn.executemany(self._insert[name], rows)
        for name, pairs in bundle.sets.items():
            conn.executemany(f'insert into "{name}"(value, rid) values (?, ?)', pairs)
        for name, texts in bundle.texts.items():
            conn.executemany(f'insert into "{name}"(rowid, text) values (?, ?)', texts)

    # -- the same reads ---------------------------------------------------------------------------

    def get(self, id: str) -> list[Any]:
        """The bodies of a dossier, parsed: core, and special where there is one."""
        run = self.conn.execute
        found = [json.loads(body) for (body,) in run("select body from dossiers where id = ?", (id,))]
        found += [json.loads(body) for (body,) in run("select body from special where id = ?", (id,))]
        return found

    def act(self, id: str) -> Any:
        """One history row, parsed."""
        ((body,),) = self.conn.execute("select body from acts where id = ?", (id,)).fetchall()
        return json.loads(body)

    def page(self, region: str, grades: Sequence[str], least: int, after: tuple[int, str] | None) -> list[Any]:
        """Equality, IN and range, ordered by sales: fifty bodies after a place in the order."""
        sql = (
            'select id, "bench_trade_annual_sales", body from dossiers'
            ' where "bench_trade_region" = ? and "bench_trade_credit" in (?, ?) and "bench_trade_annual_sales" >= ?'
        )
        values: list[Any] = [region, *grades, least]
        if after is not None:
            sql += ' and ("bench_trade_annual_sales" < ? or ("bench_trade_annual_sales" = ? and id > ?))'
            values += [after[0], after[0], after[1]]
        sql += ' order by "bench_trade_annual_sales" desc, id limit 50'
        return [(id, annual, json.loads(body)) for id, annual, body in self.conn.execute(sql, values)]

    def like(self, column: str, text: str) -> list[Any]:
        """Ids of fifty rows whose text holds another, by LIKE."""
        sql = f'select id from dossiers where "{column}" like ? limit 50'
        return self.conn.execute(sql, (f"%{text}%",)).fetchall()

    def match(self, column: str, text: str, *, bodies: bool) -> list[Any]:
        """The same by the bigrams, in the order of ids; parsed bodies or ids."""
        phrase = " AND ".join(f'"{token}"' for token in tokens(text).split(" ")[: max(len(text) - 1, 1)])
        exact = f' and instr(d."{column}", ?2) > 0' if len(text) > 2 else ""
        sql = (
            f'select d.id{", d.body" if bodies else ""} from "dossiers.{column}" f join dossiers d on d.rid = f.rowid'
            f' where f."dossiers.{column}" match ?1{exact} order by d.id limit 50'
        )
        values = (phrase, text) if exact else (phrase,)
        found = self.conn.execute(sql, values).fetchall()
        return [json.loads(row[1]) for row in found] if bodies else found

    def groups(self) -> list[Any]:
        """Counts and sums by region and grade over everything."""
        sql = (
            'select "bench_trade_region", "bench_trade_credit", count(*), sum("bench_trade_annual_sales")'
            " from dossiers group by 1, 2 order by 1, 2"
        )
        return self.conn.execute(sql).fetchall()
