"""The reads of the contract over whatever lends a connection: the repository or a snapshot of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from dossier.repository import Expr, Group, Key, Page, Query, Row
from dossier_sqlite import finding, reading
from dossier_sqlite.faults import fault
from dossier_sqlite.tables import Table

_T = TypeVar("_T")


class SqliteReader:
    """Reads over one connection at a time, taken from `_borrow`; see `Reader`."""

    _tables: dict[str, Table]

    def _borrow(self) -> sqlite3.Connection:
        raise NotImplementedError

    def _return(self, conn: sqlite3.Connection) -> None:
        raise NotImplementedError

    def _read(self, verb: Callable[..., _T], *args: Any) -> _T:
        conn = self._borrow()
        try:
            return verb(conn, self._tables, *args)
        except sqlite3.Error as error:
            failure = fault(error)
        finally:
            self._return(conn)
        raise failure

    def get_many(self, keys: Sequence[Key], *, index: bool = True) -> list[Row | None]:
        """See `Reader.get_many`."""
        return self._read(reading.get_many if index else reading.get_bare, keys)

    def find(self, query: Query) -> Page:
        """See `Reader.find`."""
        return self._read(finding.find, query)

    def count(self, collection: str, where: Expr) -> int:
        """See `Reader.count`."""
        return self._read(reading.count, collection, where)

    def aggregate(
        self, collection: str, where: Expr, *, by: Sequence[str] = (), sums: Sequence[str] = ()
    ) -> list[Group]:
        """See `Aggregates.aggregate`; exactly one group where `by` is empty."""
        return self._read(reading.aggregate, collection, where, by, sums)

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
        """See `Reader.scan`. Rows are fetched in chunks of about 4 MiB, each a read of its own."""
        self._return(self._borrow())
        table = reading.table_named(self._tables, collection)
        return self._scan(table, start, stop, descending, limit, bodies)

    def _scan(
        self, table: Table, start: str, stop: str | None, descending: bool, limit: int | None, bodies: bool
    ) -> Iterator[Row]:
        beyond: str | None = None
        many = 16
        while limit is None or limit > 0:
            wanted = many if limit is None else min(many, limit)

            def fetch(
                conn: sqlite3.Connection, _: object, wanted: int = wanted, after: str | None = beyond
            ) -> list[Row]:
                return reading.chunk(
                    conn,
                    table,
                    start=start,
                    stop=stop,
                    beyond=after,
                    descending=descending,
                    limit=wanted,
                    bodies=bodies,
                )

            rows = self._read(fetch)
            yield from rows
            if len(rows) < wanted:
                return
            beyond, many = rows[-1].id, reading.next_limit(rows)
            limit = None if limit is None else limit - len(rows)
