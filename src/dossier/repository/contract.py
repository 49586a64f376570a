"""The contract that a repository keeps, and its optional protocols. Everything a plugin author needs is in this
folder; the page for authors is docs/reference/repository.md and the proof is `dossier.testing`.

Floor: repository.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol, runtime_checkable

from dossier.repository.query import Expr, Group, Query
from dossier.repository.rows import Batch, Capabilities, Collection, Key, Page, Receipt, Row


class Reader(Protocol):
    """Reads of a repository; also what `snapshot()` gives, where all reads see one state."""

    def get_many(self, keys: Sequence[Key], *, index: bool = True) -> list[Row | None]:
        """Rows in the order of `keys`, None for missing; with `index=False` their index is empty. Sees every batch
        whole or not at all. QueryError for a collection that was not declared."""
        ...

    def find(self, query: Query) -> Page:
        """One page of rows. Sees every batch whole or not at all. QueryError for what is not declared;
        CursorError for a cursor of another query."""
        ...

    def count(self, collection: str, where: Expr) -> int:
        """How many rows satisfy `where`."""
        ...

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
        """Rows with start <= id < stop in id order (code points), either direction, in bounded memory.
        Rows written while the iteration goes on may or may not be seen; none is seen twice."""
        ...


class Repository(Reader, Protocol):
    """Rows with versions and declared index fields; atomic batches. Usable from several threads.

    After `fork` the first call in the child raises ForkedError. Pickling raises NotPicklableError.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it has beyond the contract."""
        ...

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """Apply all operations or none, in order (a later operation sees an earlier one of the same batch).

        ConflictError: an `expect` was not met. OutcomeUnknown: the store did not answer. LimitError: over 1,000
        operations or a body too large. `durable=False` may skip waiting for the disk, never atomicity.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Reader]:
        """Several reads of one state."""
        ...

    def declare(self, collections: Sequence[Collection]) -> tuple[str, ...]:
        """Make the collections (or widen their declarations) and give back the names of those whose rows lack
        a newly declared field, so that the archive re-indexes them. Idempotent: a name comes back only from the call
        that added the field, so whoever declares must remember to fill it. Never drops a field."""
        ...

    def close(self) -> None:
        """Let go of files, locks and threads. Calls after it raise ClosedError. Idempotent."""
        ...


@runtime_checkable
class Aggregates(Protocol):
    """Optional: group and sum on the server, exactly."""

    def aggregate(
        self, collection: str, where: Expr, *, by: Sequence[str] = (), sums: Sequence[str] = ()
    ) -> list[Group]:
        """One Group per combination of the `by` fields (absent is None), sorted absent first; sums are exact ints,
        absent counts as 0."""
        ...


@runtime_checkable
class BacksUp(Protocol):
    """Optional: a consistent copy of the whole store while it is in use."""

    def backup(self, target: str, *, then: Batch | None = None) -> None:
        """Write a copy to the path `target`, which must not exist (ExistsError). The batch `then` is applied to the
        copy before it appears under its name, so that a copy never stands without what it must say of itself."""
        ...


@runtime_checkable
class Checks(Protocol):
    """Optional: what the store itself can tell of its soundness, beyond its rows."""

    def check(self) -> Iterator[str]:
        """A code for each thing that is damaged, such as `file` or `search.dossiers.search_name`; none where all is
        well. Codes name parts, collections and fields, never a value. Nothing is changed; memory stays bounded."""
        ...


class Lane(Protocol):
    """Where the read events of one process go: append-only lines of its own."""

    def append(self, lines: Sequence[bytes], *, durable: bool) -> None:
        """Append canonical JSON lines. On return they survive kill -9; with `durable` also loss of power."""
        ...

    def close(self) -> None:
        """Let go of the lane so that it may be folded. Idempotent."""
        ...


@runtime_checkable
class Lanes(Protocol):
    """Optional: read lanes of their own, so that an import cannot stall the front desk."""

    def lane(self, name: str, *, at: str | None = None) -> Lane:
        """Open the lane `name` for this process alone, beside the store or at `at`: a folder, or what the repository
        takes for one. LockedError if held."""
        ...

    def idle_lanes(self, *, at: str | None = None) -> list[str]:
        """Names of lanes that nobody holds."""
        ...

    def read_lane(self, name: str, *, at: str | None = None) -> Iterator[bytes]:
        """The whole lines of a lane, read as they are asked for; a torn last line is left out. MissingArchiveError, at
        the call, if there is no such lane; lines that are being read are read to the end though it is dropped."""
        ...

    def drop_lane(self, name: str, *, at: str | None = None) -> None:
        """Remove an idle lane whose lines were folded into the archive. LockedError if held."""
        ...


class Driver(Protocol):
    """What a plugin registers in the entry-point group `dossier.repositories` under its URL scheme."""

    def __call__(self, url: str, *, mode: Literal["create", "rw", "r"], options: Mapping[str, object]) -> Repository:
        """Open the store at `url`.

        mode "create": ExistsError if anything is there. "rw"/"r": MissingArchiveError if nothing is there,
        NotAnArchiveError if something else is there, ReadOnlyError if "rw" cannot write.
        An unknown option is an InputError.
        """
        ...
