"""Applying the operations of a batch inside a transaction that the repository has begun."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from dossier.errors import ConflictError
from dossier.repository import Batch, Delete, Index, IndexValue, Op, Put, Shred
from dossier_sqlite.search import QUEUE, TextIndex
from dossier_sqlite.tables import Table, scope_key, unpack_set

DRAIN = 1000
"""Texts that one transaction drains at most."""

Step = Callable[[str], None]


class Writer:
    """Applies one batch; `queued` holds the text indexes whose queue it added to."""

    def __init__(self, conn: sqlite3.Connection, tables: Mapping[str, Table], step: Step | None) -> None:
        self.conn, self.tables, self.step = conn, tables, step
        self.queued: dict[int, TextIndex] = {}

    def apply(self, batch: Batch) -> None:
        """All operations in order. ConflictError where an `expect` is not met."""
        ops = batch.ops
        if len(ops) > 1 and self._any_order(ops):
            fresh: dict[str, list[Put]] = {}
            for op in ops:
                if isinstance(op, Put) and op.expect == 0:
                    fresh.setdefault(op.collection, []).append(op)
                else:
                    self._one(op)
            for name, puts in fresh.items():
                self._insert(self.tables[name], puts)
        else:
            for op in ops:
                self._one(op)
        if self.queued:
            self._drain_full()

    def _any_order(self, ops: tuple[Op, ...]) -> bool:
        """Whether no two operations meet, so that new rows can be written table by table."""
        seen: set[tuple[str, str]] = set()
        for op in ops:
            if isinstance(op, Shred):
                return False
            seen.add((op.collection, op.id))
        return len(seen) == len(ops)

    def _one(self, op: Op) -> None:
        if self.step is not None:
            self.step("commit.op")
        if isinstance(op, Shred):
            self._shred(op.scope)
            return
        table = self.tables[op.collection]
        if isinstance(op, Put):
            if op.expect == 0:
                self._insert(table, [op])
            else:
                self._put(table, op)
        elif isinstance(op, Index):
            self._index(table, op)
        elif isinstance(op, Delete):
            self._delete(table, op.id, op.expect)
        elif self._version(table, op.id) != op.expect:
            raise ConflictError(path=table.name)

    def _version(self, table: Table, id: str) -> int:
        found = self.conn.execute(table.find_version, (id,)).fetchone()
        return 0 if found is None else found[0]

    # -- new rows

    def _insert(self, table: Table, puts: list[Put]) -> None:
        if self.step is not None:
            self.step("commit.op")
        record = table.record
        records: list[tuple[Any, ...]] = [record(put, put.version or 1) for put in puts]
        if table.plain:
            self._insert_records(table, records)
            return
        rid = self._next_rid(table)
        self._insert_records(table, [(rid + place, *values) for place, values in enumerate(records)])
        for name in table.sets:
            pairs = [(value, rid + place) for place, put in enumerate(puts) for value in _members(put.index.get(name))]
            if pairs:
                pairs.sort()
                self.conn.executemany(table.side_insert[name], pairs)
        for name, index in table.texts.items():
            texts = [
                (rid + place, text) for place, put in enumerate(puts) if isinstance(text := put.index.get(name), str)
            ]
            if texts and index.add(self.conn, texts):
                self.queued[id(index)] = index

    def _next_rid(self, table: Table) -> int:
        """One above every rid in the table, and in the queues (which may hold rows that are gone)."""
        found: int = self.conn.execute(table.find_rid).fetchone()[0] or 0
        for index in table.texts.values():
            found = max(found, index.last(self.conn))
        return found + 1

    def _insert_records(self, table: Table, records: list[tuple[Any, ...]]) -> None:
        try:
            if len(records) == 1:
                self.conn.execute(table.insert, records[0])
            else:
                self.conn.executemany(table.insert, records)
            return
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise
        raise ConflictError(path=table.name)

    # -- rows that are there

    def _put(self, table: Table, put: Put) -> None:
        old = self.conn.execute(table.find_old, (put.id,)).fetchone()
        version = 0 if old is None else old[1]
        if put.expect is not None and put.expect != version:
            raise ConflictError(path=table.name)
        if old is None:
            self._insert(table, [put])
            return
        # Only what differs is set: SQLite rewrites each index that has a column in the statement.
        before = dict(zip(table.names, old[4:], strict=True))
        _, now, scope, key, *values, body = table.record(put, put.version or version + 1)
        changed = {name: value for name, value in zip(table.put_names, values, strict=True) if value != before[name]}
        if scope == old[3]:
            sql = table.change("version = ?, body = ?", changed)
            self.conn.execute(sql, (now, body, *changed.values(), old[0]))
        else:
            sql = table.change("version = ?, body = ?, scope = ?, scope_key = ?", changed)
            self.conn.execute(sql, (now, body, scope, key, *changed.values(), old[0]))
        if changed:
            self._track(table, old[0], before, {name: put.index.get(name) for name in changed})

    def _index(self, table: Table, op: Index) -> None:
        old = self.conn.execute(table.find_old, (op.id,)).fetchone()
        if old is None or not (op.all or op.mark >= old[2]):
            return
        fields: Mapping[str, IndexValue] = op.fields
        if op.all:
            fields = {name: op.fields.get(name) for name in table.put_names}
        values = [table.column_value(name, value) for name, value in fields.items()]
        self.conn.execute(table.change("mark = ?", fields), (old[2] if op.all else op.mark, *values, old[0]))
        self._track(table, old[0], dict(zip(table.names, old[4:], strict=True)), fields)

    def _delete(self, table: Table, id: str, expect: int | None) -> None:
        old = self.conn.execute(table.find_old, (id,)).fetchone()
        if expect is not None and expect != (0 if old is None else old[1]):
            raise ConflictError(path=table.name)
        if old is not None:
            self.conn.execute(table.delete, (id,))
            before = dict(zip(table.names, old[4:], strict=True))
            self._track(table, old[0], before, dict.fromkeys(table.names))

    def _track(self, table: Table, rid: int, before: Mapping[str, Any], new: Mapping[str, IndexValue]) -> None:
        """Bring side tables and text indexes after the row; `before` holds columns, `new` index values."""
        if table.plain:
            return
        for name in table.sets:
            if name in new:
                was = set(unpack_set(before[name])) if before[name] is not None else set()
                now = set(_members(new[name]))
                if was != now:
                    self.conn.executemany(table.side_delete[name], [(value, rid) for value in was - now])
                    self.conn.executemany(table.side_insert[name], [(value, rid) for value in now - was])
        for name, index in table.texts.items():
            if name in new:
                text = new[name]
                if index.change(self.conn, rid, before[name], text if isinstance(text, str) else None):
                    self.queued[id(index)] = index

    # -- scopes

    def _shred(self, scope: str) -> None:
        """Delete the rows of a scope and leave none of their texts in a queue."""
        for table in self.tables.values():
            for (id,) in self.conn.execute(table.find_scope, (scope_key(scope), scope)).fetchall():
                self._delete(table, id, None)
        for table in self.tables.values():
            for index in table.texts.values():
                while index.drain(self.conn, DRAIN) == DRAIN:
                    pass

    # -- queues

    def _drain_full(self) -> None:
        for index in self.queued.values():
            if index.waiting(self.conn) >= QUEUE:
                if self.step is not None:
                    self.step("commit.drain")
                index.drain(self.conn, DRAIN)


def _members(value: IndexValue) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()
