"""Keeping an archive: digest, copy, re-index, what a backup must know of itself.

Floor: desk. All of it streams; memory does not grow with the archive.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dossier.codec.linked import combine
from dossier.codec.state import Head, State, head_of
from dossier.codec.upgrade import upgrade
from dossier.desk.manifest import KEY, encode_manifest
from dossier.errors import ConflictError, LockedError
from dossier.model.clock import day_of, instant
from dossier.repository import Batch, Check, Index, Key, Op, Put, Repository, Row, open_repository

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

HELD: Final = ("acts", "dossiers", "entries", "records", "relations", "special", "staff", "unplaced")
"""Collections the digest is taken over, sorted: all but manifest, requests, ledger, leases and derived rows (K8)."""
COPIED: Final = (*HELD, "events", "facts", "leases", "requests")
_CHUNK = 400
_TRIES = 40


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
    """Fill index columns again from the stored states, while others work: a row that is changed meanwhile is taken
    anew. Resumable: doing a dossier twice changes nothing."""
    done = 0
    for collection in ("dossiers", "special"):
        for rows in _chunks(archive.repository.scan(collection), 100):
            ops = [op for row in rows for op in _indexed(archive, row)]
            if not _kept(archive, *ops):
                for row in rows:
                    _reindex_one(archive, row)
            done += len(rows) if collection == "dossiers" else 0
    archive.kept(row.id for row in archive.repository.scan("facts", bodies=False))
    return done


def _reindex_one(archive: Archive, row: Row) -> None:
    for _ in range(_TRIES):
        (now,) = archive.repository.get_many([Key(row.collection, row.id)])
        if now is None or _kept(archive, *_indexed(archive, now)):
            return
    raise LockedError(path=row.collection)


def _indexed(archive: Archive, row: Row) -> list[Op]:
    """Operations that index a row by what it shows, and fail if that changes before they are kept."""
    registry, indexing = archive.registry, archive.indexing
    checks: list[Op] = [Check(row.collection, row.id, row.version)]
    state = State.decode(row.body)
    if row.collection == "special":
        (core,) = archive.repository.get_many([Key("dossiers", row.id)])
        if core is None:
            return []
        head = head_of(core.body)
        upgrade(state, registry, head.kind, head.versions)
        index = indexing.apart(head, state, registry)
    else:
        head = state.head
        if head.linked:
            below = _below(archive, head)
            checks.extend(Check("dossiers", other.id, other.version) for other in below)
            today = day_of(archive.now(), archive.zone)
            state = combine(head, [state, *(State.decode(other.body) for other in below)], registry, today)
            state = State.decode(state.encode())
        else:
            upgrade(state, registry, head.kind, head.versions)
        index = indexing.whole(head, state, registry)
    index.update(indexing.foreign(row.index, registry, head))
    return [*checks, Index(row.collection, row.id, index, 0, True)]


def _below(archive: Archive, head: Head) -> list[Row]:
    """The rows of all files that were merged into a file."""
    found = [row for row in archive.repository.get_many([Key("dossiers", d) for d in head.linked]) if row is not None]
    for row in found:
        below = archive.repository.get_many([Key("dossiers", d) for d in head_of(row.body).linked])
        found.extend(other for other in below if other is not None)
    return found


def copy_archive(archive: Archive, url: str, options: dict[str, Any]) -> None:
    """Write every row, versions kept, to a new store; the copy is a new archive derived from this one (K8)."""
    target = open_repository(url, mode="create", options=options)
    try:
        collections = archive.indexing.collections()
        target.declare(collections)
        declared = {each.name: frozenset(field.name for field in each.fields) for each in collections}
        with archive.repository.snapshot() as state:
            for collection in COPIED:
                for rows in _chunks(state.scan(collection), _CHUNK):
                    ops = tuple(op for row in rows for op in _copied(archive, row, declared[collection]))
                    target.commit(Batch(ops), durable=False)
        # What is not filled here is not filled there: whoever opens the copy fills it.
        wanted = archive.indexing.digest()
        manifest = msgspec.structs.replace(
            archive.manifest,
            id=archive.environment.random(16).hex(),
            derived_from=archive.manifest.id,
            created=instant(archive.environment.now()),
            declared=wanted if archive.manifest.declared == wanted else "",
            secret=base64.b64encode(archive.environment.random(32)).decode(),
        )
        target.commit(Batch((Put(KEY.collection, KEY.id, encode_manifest(manifest), {}, "", 0),)))
    finally:
        target.close()


def mark_restored(archive: Archive) -> Batch:
    """What a backup says of itself: whoever opens it must say where numbers go on (K10)."""
    body = encode_manifest(msgspec.structs.replace(archive.manifest, restored=True))
    return Batch((Put(KEY.collection, KEY.id, body, {}, "", None),))


def _kept(archive: Archive, *ops: Op) -> bool:
    try:
        archive.repository.commit(Batch((archive.guard(), *ops)))
        return True
    except ConflictError:
        pass
    archive.renew()
    return False


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
