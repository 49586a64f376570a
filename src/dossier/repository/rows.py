"""Rows, batches and what a collection declares: the nouns of the repository contract.

Floor: repository. A plugin sees rows, never customers: `scope` is all it knows of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

IndexScalar: TypeAlias = str | int | bool | None
IndexValue: TypeAlias = IndexScalar | tuple[str, ...] | tuple[int, ...]
"""None is absent. A set is a tuple, sorted, without repetition; an empty set counts as absent."""

FieldType: TypeAlias = Literal["text", "int", "bool", "search"]

MAX_BATCH = 1000
"""Operations in one batch."""
MAX_BODY = 4 * 1024 * 1024
"""Bytes of one body."""
MAX_DEPTH = 64
MAX_TERM = 1024
"""Characters of one index term (`search` texts: 65,536)."""
MAX_SEARCH = 65_536
INT64 = 2**63


@attrs.frozen(kw_only=True)
class IndexField:
    """One declared index field. `many`: a set (text or int). `derived`: written by `Index` only, never by `Put`.

    `type="search"` holds folded text and answers `Contains` alone.
    """

    name: str
    type: FieldType = "text"
    many: bool = False
    derived: bool = False


@attrs.frozen(kw_only=True)
class Composite:
    """A composite index: equality fields first, then the field that orders; at most one set among them."""

    fields: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Collection:
    """A declared collection: its index fields and composite indexes. Every single field is indexed as well,
    unless it stands in `unindexed` (returned and filterable, but without an index of its own)."""

    name: str
    fields: tuple[IndexField, ...] = ()
    composites: tuple[Composite, ...] = ()
    unindexed: tuple[str, ...] = ()


@attrs.frozen
class Key:
    """Names a row."""

    collection: str
    id: str


@attrs.frozen
class Row:
    """A stored row. `version` counts from 1; `body` is canonical JSON, given back byte for byte (K1).

    `body` is b"" where rows were asked for without bodies. `index` holds the declared fields that are present, none
    where rows were asked for without them.
    """

    collection: str
    id: str
    version: int
    body: bytes
    index: Mapping[str, IndexValue]
    scope: str


@attrs.frozen
class Put:
    """Write a row. `expect`: the version it has now (0: it must not exist; None: whatever it is).

    The new version is `expect + 1` (None: stored version + 1), or `version` where a copy keeps versions.
    Derived index fields of an existing row stay as they are.
    """

    collection: str
    id: str
    body: bytes
    index: Mapping[str, IndexValue]
    scope: str
    expect: int | None = 0
    version: int | None = None


@attrs.frozen
class Index:
    """Set the derived index fields it names (None clears one): no version, no body. Kept only if `mark` is at least
    the mark of the last `Index` on that row (a late writer never puts back older facts). A missing row is passed over.

    With `all=True` it replaces the fields that `Put` writes (re-indexing after a new release): those it does not name
    become absent. Derived fields and the row's mark stay as they are, and its own mark says nothing.
    """

    collection: str
    id: str
    fields: Mapping[str, IndexValue]
    mark: int = 0
    all: bool = False


@attrs.frozen
class Delete:
    """Remove a row that has version `expect` (None: whatever it has, also if it is absent; 0: it must be absent).

    A Put after it makes a fresh row: version 1, no derived fields, no mark.
    """

    collection: str
    id: str
    expect: int | None = None


@attrs.frozen
class Check:
    """Write nothing; the batch fails unless the row has version `expect` (0: it must be absent) at its commit."""

    collection: str
    id: str
    expect: int


@attrs.frozen
class Shred:
    """Make every row of `scope`, in every collection, unreadable: bodies, index terms and search terms."""

    scope: str


Op: TypeAlias = Put | Index | Delete | Check | Shred


@attrs.frozen
class Batch:
    """All or nothing (K4). `key` makes it idempotent: a batch whose key was committed before has no effect."""

    ops: tuple[Op, ...]
    key: str | None = None


@attrs.frozen
class Receipt:
    """What a commit did: `repeated` is True where the batch key was known and nothing was written."""

    repeated: bool = False


@attrs.frozen
class Page:
    """Rows in the order of the query, and the cursor of the next page (None: this was the last)."""

    rows: tuple[Row, ...]
    cursor: str | None = None


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a repository has beyond the contract. Capabilities only add; batches and versions are not optional."""

    durable: bool = False
    """A durable commit survives loss of power."""
    processes: bool = False
    """Several processes may use it at once."""
    lanes: bool = False
    backup: bool = False
    aggregate: bool = False
    shred: Literal["rows", "keys"] = "rows"
    """How deep `Shred` reaches: live rows, or keys that backups depend on too."""
