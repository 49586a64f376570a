"""One table a collection: names, columns and statements made from a declaration once.

Columns: rid, id, version, scope, scope_key, mark, f_<field>…, body (last, so that the short columns are read without
the pages of a long body). A set stands twice: as text in its column, which gives it back, and in a side table
(value, rid), which finds it. `scope_key` is a 32-bit check sum of the scope: an index on it is a third of one on
the scope, and shredding compares the scope itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dossier.errors import CanonicalError, DamagedError
from dossier.repository import Collection, IndexValue, Put, Row, decode, encode
from dossier.repository.checking import Shape, shape_of
from dossier_sqlite.search import TextIndex


def quote(name: str) -> str:
    """A name as an SQL identifier (names are [a-z0-9_.:-] only)."""
    return f'"{name}"'


def scope_key(scope: str) -> int | None:
    """What stands in the column `scope_key`."""
    return zlib.crc32(scope.encode()) if scope else None


def pack_set(values: IndexValue) -> str | None:
    """A set as it stands in its column."""
    return encode(values).decode() if values else None


def unpack_set(text: str) -> tuple[Any, ...]:
    """The set of a column. DamagedError where it holds none."""
    if type(text) is str:
        if text.startswith('["') and text.endswith('"]') and "\\" not in text:
            return tuple(text[2:-2].split('","'))  # texts without escapes hold no quotes
        values: object = None
        try:
            values = decode(text.encode())
        except (CanonicalError, UnicodeEncodeError):
            pass
        if type(values) is list:
            return tuple(values)
    raise DamagedError(what="set")


KEPT = 1000
"""Statements kept a table; an application has a few dozen."""


class _Plans(dict[object, str]):
    """Statements by form. When there are too many, all are forgotten."""

    def __setitem__(self, key: object, sql: str) -> None:
        if len(self) >= KEPT:
            self.clear()
        super().__setitem__(key, sql)


class Table:
    """Everything about the table of one collection that does not change until the next declaration."""

    def __init__(self, collection: Collection) -> None:
        self.collection, self.name = collection, collection.name
        self.shape: Shape = shape_of(collection)
        self.sql = quote(f"c_{self.name}")
        every = self.shape.every
        self.names = tuple(every)
        self.columns = {name: quote(f"f_{name}") for name in self.names}
        self.put_names = tuple(self.shape.put)
        self.sets = {name: quote(f"s_{self.name}.{name}") for name, kind in every.items() if kind.endswith("*")}
        self.texts = {
            name: TextIndex(
                self.sql, self.columns[name], quote(f"t_{self.name}.{name}"), quote(f"q_{self.name}.{name}")
            )
            for name, kind in every.items()
            if kind == "search"
        }
        self.plain = not self.sets and not self.texts
        self._special: tuple[tuple[str, Callable[[Any], Any]], ...] = tuple(
            (name, bool if kind == "bool" else unpack_set)
            for name, kind in every.items()
            if kind == "bool" or kind.endswith("*")
        )
        fields = "".join(f", t.{column}" for column in self.columns.values())
        self.select = f"t.id, t.version, t.scope, t.body{fields}"
        self.select_bare = f"t.id, t.version, t.scope, x''{fields}"
        self.get = f"select {self.select} from {self.sql} t where t.id = ?"
        self.find_version = f"select version from {self.sql} where id = ?"
        self.find_rid = f"select max(rid) from {self.sql}"
        everything = "".join(f", {column}" for column in self.columns.values())
        self.find_old = f"select rid, version, mark, scope{everything} from {self.sql} where id = ?"
        self.find_scope = f"select id from {self.sql} where scope_key = ? and scope = ?"
        self.delete = f"delete from {self.sql} where id = ?"
        columns = [self.columns[name] for name in self.put_names]
        rid = [] if self.plain else ["rid"]
        names = [*rid, "id", "version", "scope", "scope_key", *columns, "body"]
        self.insert = f"insert into {self.sql}({', '.join(names)}) values ({', '.join('?' * len(names))})"
        self._put_sets = tuple((place, name) for place, name in enumerate(self.put_names) if name in self.sets)
        self.side_insert = {name: f"insert into {side}(value, rid) values (?, ?)" for name, side in self.sets.items()}
        self.side_delete = {name: f"delete from {side} where value = ? and rid = ?" for name, side in self.sets.items()}
        self.plans: dict[object, str] = _Plans()

    def row(self, record: tuple[Any, ...]) -> Row:
        """A Row from a record of `select` or `select_bare`."""
        id, version, scope, body, *values = record
        index = {name: value for name, value in zip(self.names, values, strict=False) if value is not None}
        for name, convert in self._special:
            if name in index:
                index[name] = convert(index[name])
        return Row(self.name, id, version, body, index, scope)

    def record(self, put: Put, version: int) -> tuple[Any, ...]:
        """(id, version, scope, scope_key, fields …, body) of a Put."""
        get = put.index.get
        values: list[Any] = [*map(get, self.put_names)]
        for place, name in self._put_sets:
            values[place] = pack_set(get(name))
        scope = put.scope
        return (put.id, version, scope, zlib.crc32(scope.encode()) if scope else None, *values, put.body)

    def column_value(self, name: str, value: IndexValue) -> Any:
        """An index value as it stands in its column."""
        return pack_set(value) if name in self.sets else value

    def change(self, always: str, names: Iterable[str]) -> str:
        """The statement that sets some columns of one row; parameters: those of `always`, values …, rid."""
        changed = tuple(names)
        sql = self.plans.get((always, changed))
        if sql is None:
            columns = "".join(f", {self.columns[name]} = ?" for name in changed)
            sql = self.plans[always, changed] = f"update {self.sql} set {always}{columns} where rid = ?"
        return sql


def tables_of(collections: Mapping[str, Collection]) -> dict[str, Table]:
    """Tables by collection name."""
    return {name: Table(collection) for name, collection in collections.items()}
