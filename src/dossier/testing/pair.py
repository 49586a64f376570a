"""A repository beside the oracle: every step is done on both, and what they answer is compared.

Floor: testing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import attrs

from dossier.errors import ConflictError, CursorError, RepositoryError
from dossier.repository import (
    Aggregates,
    Batch,
    Collection,
    Key,
    Query,
    Reader,
    Repository,
    Row,
)
from dossier.testing.oracle import Oracle
from dossier.testing.oracle_reader import OracleReader
from dossier.testing.place import Places, Reach, fail, holds, raises, same
from dossier.testing.strategies import IDS

MANY = 1000


@attrs.define
class Pair:
    """`repository` is on trial, `oracle` is the reference, `declared` the collections of both.

    With `bodies` the bytes of the bodies count in queries too; without, only whether there are any.
    """

    repository: Repository
    oracle: Oracle
    declared: tuple[Collection, ...] = ()
    reach: Reach = attrs.field(factory=Reach)
    bodies: bool = False

    def declare(self, *collections: Collection) -> None:
        """Declare on both; they must name the same collections as lacking a field."""
        got = self.repository.declare(collections)
        same("declare: collections that lack a field", sorted(got), sorted(self.oracle.declare(collections)))
        names = {one.name for one in collections}
        self.declared = (*(one for one in self.declared if one.name not in names), *collections)

    def commit(self, batch: Batch) -> str:
        """Commit on both; "done", "repeated" or "conflict", which both must agree on."""
        got, wanted = outcome(self.repository, batch), outcome(self.oracle, batch)
        same(f"outcome of {batch!r}", got, wanted)
        self.reach[wanted] += 1
        return wanted

    def rows(self, name: str) -> list[Row]:
        """All rows of a collection, as the oracle has them."""
        return list(self.oracle.scan(name))

    def state(self) -> None:
        """The whole state is equal: by scan, by get_many (missing rows too) and by an unfiltered find."""
        for one in self.declared:
            wanted = self.rows(one.name)
            same(f"scan of {one.name}", list(self.repository.scan(one.name)), wanted)
            keys = [Key(one.name, id) for id in (*IDS[::-1], "nobody", IDS[0])]
            for index in (True, False):
                found = self.oracle.get_many(keys, index=index)
                same("get_many", self.repository.get_many(keys, index=index), found)
            self.ask(Query(collection=one.name, limit=MANY))

    def ask(self, query: Query, *, on: tuple[Reader, OracleReader] | None = None) -> list[Row]:
        """`query` gives the same rows in the same order, paged and unpaged, and the same count."""
        reader, reference = on or (self.repository, self.oracle)
        wanted = self._seen(reference.find(attrs.evolve(query, limit=MANY)).rows)
        same(f"count where {query.where!r}", reader.count(query.collection, query.where), len(wanted))
        whole = reader.find(attrs.evolve(query, limit=MANY))
        same(f"{query!r} in one page", self._seen(whole.rows), wanted)
        same("cursor of the last page", whole.cursor, None)
        if query.limit < MANY:
            same(f"{query!r} in joined pages", self._joined(reader, query, len(wanted)), wanted)
        return wanted

    def _seen(self, rows: Sequence[Row]) -> list[Row]:
        return list(rows) if self.bodies else [attrs.evolve(row, body=b"1" if row.body else b"") for row in rows]

    def _joined(self, reader: Reader, query: Query, total: int) -> list[Row]:
        rows: list[Row] = []
        after: str | None = None
        for _ in range(total // query.limit + 2):
            page = reader.find(attrs.evolve(query, after=after))
            rows += self._seen(page.rows)
            if len(page.rows) != min(query.limit, total - len(rows) + len(page.rows)):
                fail(f"{query!r}: a page of {len(page.rows)} rows with {total} in all")
            after = page.cursor
            if after is None:
                break
            self.reach["cursor"] += 1
        holds(f"{query!r}: the last page has a cursor", after is None)
        return rows

    def other_cursor(self, query: Query, other: Query) -> None:
        """A cursor of `query` is refused by another query, and so is one that was altered."""
        after = self.repository.find(attrs.evolve(query, limit=1)).cursor
        if after is None:
            return
        if (query.where, query.order) != (other.where, other.order):
            foreign = attrs.evolve(other, after=after)
            raises(CursorError, lambda: self.repository.find(foreign), "a cursor of another query")
            self.reach["foreign cursor"] += 1
        altered = attrs.evolve(query, after=after[1:] + "x")
        raises(CursorError, lambda: self.repository.find(altered), "an altered cursor")

    def aggregate(self, query: Query, by: Sequence[str], sums: Sequence[str]) -> None:
        """Groups and sums are equal, where the repository offers them."""
        if isinstance(self.repository, Aggregates):
            got = self.repository.aggregate(query.collection, query.where, by=by, sums=sums)
            wanted = self.oracle.aggregate(query.collection, query.where, by=by, sums=sums)
            # Without groups and without rows both "no group" and "one group of none" are sums of nothing.
            same(f"aggregate by {by!r}", [g for g in got if g.count], wanted)
            self.reach["groups"] += len(wanted)


def outcome(repository: Repository, batch: Batch) -> str:
    """What a commit did, as a word: done, repeated, conflict, or the name of another error."""
    try:
        return "repeated" if repository.commit(batch, durable=False).repeated else "done"
    except ConflictError:
        return "conflict"
    except RepositoryError as error:
        return type(error).__name__


@contextmanager
def paired(places: Places, reach: Reach) -> Iterator[Pair]:
    """A fresh repository beside a fresh oracle; the repository is closed at the end."""
    with closing(places().create()) as repository:
        yield Pair(repository, Oracle(), reach=reach)
