"""The reads of the contract over whatever lends a session: the repository or a snapshot of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from dossier.repository import Expr, Group, Key, Page, Query, Row
from dossier_mongodb import finding, reading
from dossier_mongodb.documents import Table

_T = TypeVar("_T")


class MongoReader:
    """Reads, each over a session from `_read`; see `Reader`."""

    _tables: dict[str, Table]

    def _read(self, verb: Callable[..., _T], *args: Any, many: bool = False) -> _T:
        """`verb(database, session, tables, *args)`; `many`: it sends several commands, which must see one state."""
        raise NotImplementedError

    def get_many(self, keys: Sequence[Key], *, index: bool = True) -> list[Row | None]:
        """See `Reader.get_many`."""
        return self._read(reading.get_many, keys, index)

    def find(self, query: Query) -> Page:
        """See `Reader.find`."""
        return self._read(finding.find, query, many=not finding.is_single(query))

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
        self._awake()
        reading.table_named(self._tables, collection)
        return self._scan(collection, start, stop, descending, limit, bodies)

    def _scan(
        self, collection: str, start: str, stop: str | None, descending: bool, limit: int | None, bodies: bool
    ) -> Iterator[Row]:
        beyond: str | None = None
        many = 16
        while limit is None or limit > 0:
            wanted = many if limit is None else min(many, limit)
            rows = self._read(reading.chunk, collection, start, stop, beyond, descending, wanted, bodies)
            yield from rows
            if len(rows) < wanted:
                return
            beyond, many = rows[-1].id, reading.next_limit(rows)
            limit = None if limit is None else limit - len(rows)

    def _awake(self) -> None:
        raise NotImplementedError
