"""Keeping an archive: digest, copy, re-index, what a backup must know of itself.

Floor: desk. All of it streams; memory does not grow with the archive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dossier.codec.state import State, head_of
from dossier.desk.manifest import KEY, encode_manifest, read_manifest
from dossier.errors import ConflictError
from dossier.model.clock import instant
from dossier.repository import Batch, Index, Key, Op, Put, Repository, Row, open_repository

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


def reindex(archive: Archive) -> int:
    """Fill index columns again from the stored states. Resumable: doing a dossier twice changes nothing."""
    done = 0
    for rows in _chunks(archive.repository.scan("dossiers"), 100):
        ops: list[Op] = []
        for row in rows:
            state = State.decode(row.body)
            index = archive.indexing.whole(state.head, state, archive.registry)
            index.update({n: v for n, v in row.index.items() if n in archive.indexing.derived})
            if not state.head.linked:
                ops.append(Index("dossiers", row.id, index, 0, True))
            done += 1
        archive.repository.commit(Batch(tuple(ops)), durable=False)
    for rows in _chunks(archive.repository.scan("special"), 100):
        cores = archive.repository.get_many([Key("dossiers", row.id) for row in rows])
        ops = []
        for row, core in zip(rows, cores, strict=True):
            if core is not None:
                index = archive.indexing.apart(head_of(core.body), State.decode(row.body), archive.registry)
                ops.append(Index("special", row.id, index, 0, True))
        archive.repository.commit(Batch(tuple(ops)), durable=False)
    archive.kept(row.id for row in archive.repository.scan("facts", bodies=False))
    return done


def copy_archive(archive: Archive, url: str, options: dict[str, Any]) -> None:
    """Write every row, versions kept, to a new store; the copy is a new archive derived from this one (K8)."""
    target = open_repository(url, mode="create", options=options)
    try:
        target.declare(archive.indexing.collections())
        with archive.repository.snapshot() as state:
            for collection in COPIED:
                for rows in _chunks(state.scan(collection), _CHUNK):
                    ops = tuple(op for row in rows for op in _copied(archive, row))
                    target.commit(Batch(ops), durable=False)
        manifest = msgspec.structs.replace(
            archive.manifest,
            id=archive.environment.random(16).hex(),
            derived_from=archive.manifest.id,
            created=instant(archive.environment.now()),
            declared=archive.indexing.digest(),
        )
        target.commit(Batch((Put(KEY.collection, KEY.id, encode_manifest(manifest), {}, "", 0),)))
    finally:
        target.close()


def mark_restored(archive: Archive, target: str) -> None:
    """Note in a backup that it is one: whoever opens it must say where numbers go on (K10)."""
    repository = open_repository(target, mode="rw")
    try:
        for _ in range(5):
            manifest, version = read_manifest(repository, writing=True)
            body = encode_manifest(msgspec.structs.replace(manifest, restored=True))
            if _kept(repository, Put(KEY.collection, KEY.id, body, {}, "", version)):
                return
    finally:
        repository.close()
    raise ConflictError(path="manifest")


def _kept(repository: Repository, put: Put) -> bool:
    try:
        repository.commit(Batch((put,)))
        return True
    except ConflictError:
        return False


def _copied(archive: Archive, row: Row) -> Iterator[Op]:
    index = {n: v for n, v in row.index.items() if row.collection != "dossiers" or n not in archive.indexing.derived}
    yield Put(row.collection, row.id, row.body, index, row.scope, 0, row.version)
    derived = {n: v for n, v in row.index.items() if n not in index}
    if derived:
        yield Index(row.collection, row.id, derived, 0)


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
