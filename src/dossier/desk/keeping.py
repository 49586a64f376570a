"""Keeping an archive: digest, copy, re-index, what a backup must know of itself.

Floor: desk. All of it streams; memory does not grow with the archive.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dossier.desk.manifest import KEY, encode_manifest, read_manifest
from dossier.model.clock import instant
from dossier.repository import Batch, Index, Op, Put, Repository, Row, open_repository

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

HELD: Final = ("acts", "dossiers", "entries", "records", "relations", "special", "staff", "unplaced")
"""Collections the digest is taken over, sorted: all but manifest, requests, ledger, leases and derived rows (K8)."""
COPIED: Final = (*HELD, "events", "facts", "leases", "requests")
_CHUNK = 400


def digest_of(repository: Repository) -> str:
    """SHA-256 over the sorted (collection, id, version, SHA-256(body)), in hex (K8)."""
    total = hashlib.sha256()
    with repository.snapshot() as state:
        for collection in HELD:
            for row in state.scan(collection):
                body = hashlib.sha256(row.body).hexdigest()
                total.update(f"{collection}\0{row.id}\0{row.version}\0{body}\n".encode())
    return total.hexdigest()


def copy_archive(archive: Archive, url: str, options: dict[str, Any]) -> None:
    """Write every row, versions kept, to a new store; the copy is a new archive derived from this one (K8)."""
    target = open_repository(url, mode="create", options=options)
    try:
        collections = archive.indexing.collections()
        target.declare(collections)
        declared = {each.name: frozenset(field.name for field in each.fields) for each in collections}
        with archive.repository.snapshot() as state:
            here, _ = read_manifest(state, writing=False)
            for collection in COPIED:
                for rows in _chunks(state.scan(collection), _CHUNK):
                    ops = tuple(op for row in rows for op in _copied(archive, row, declared[collection]))
                    target.commit(Batch(ops), durable=False)
        # What is not filled here is not filled there: whoever opens the copy fills it.
        wanted = archive.indexing.digest()
        manifest = msgspec.structs.replace(
            here,
            id=archive.environment.random(16).hex(),
            derived_from=here.id,
            created=instant(archive.environment.now()),
            declared=wanted if here.declared == wanted else "",
            secret=base64.b64encode(archive.environment.random(32)).decode(),
        )
        target.commit(Batch((Put(KEY.collection, KEY.id, encode_manifest(manifest), {}, "", 0),)))
    finally:
        target.close()


def mark_restored(archive: Archive) -> Batch:
    """What a backup says of itself: whoever opens it must say where numbers go on (K10). It applies to a copy that has
    the manifest as it stands now (ConflictError)."""
    manifest, version = read_manifest(archive.repository, writing=False)
    body = encode_manifest(msgspec.structs.replace(manifest, restored=True))
    return Batch((Put(KEY.collection, KEY.id, body, {}, "", version),))


def _copied(archive: Archive, row: Row, declared: frozenset[str]) -> Iterator[Op]:
    # Columns of another program's sections are not declared in the copy; that program fills them when it opens it.
    known = {name: value for name, value in row.index.items() if name in declared}
    derived = archive.indexing.derived if row.collection == "dossiers" else frozenset()
    index = {name: value for name, value in known.items() if name not in derived}
    yield Put(row.collection, row.id, row.body, index, row.scope, 0, row.version)
    if len(index) < len(known):
        yield Index(row.collection, row.id, {n: v for n, v in known.items() if n in derived}, 0)


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
