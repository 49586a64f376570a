"""Keeping an archive: digest, copy, what a backup must know of itself.

Floor: desk. All of it streams; memory does not grow with the archive.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from dossier.desk.manifest import KEY, encode_manifest, read_manifest
from dossier.desk.transfer import HELD, Progress, Transfer
from dossier.model.clock import instant
from dossier.repository import Batch, Put, Repository

if TYPE_CHECKING:
    from dossier.desk.archive import Archive


def digest_of(repository: Repository) -> str:
    """SHA-256 over the sorted (collection, id, version, SHA-256(body)), in hex (K8)."""
    total = hashlib.sha256()
    with repository.snapshot() as state:
        for collection in HELD:
            for row in state.scan(collection):
                body = hashlib.sha256(row.body).hexdigest()
                total.update(f"{collection}\0{row.id}\0{row.version}\0{body}\n".encode())
    return total.hexdigest()


def copy_archive(
    archive: Archive, url: str, *, options: Mapping[str, object] | None, progress: Progress | None
) -> None:
    """Write every row, versions kept, to a new store; the copy is a new archive derived from this one (K8)."""
    source = archive.manifest.id
    with Transfer(url, archive.indexing, source=source, why="copy", options=options) as transfer:
        with archive.repository.snapshot() as state:
            here, _ = read_manifest(state, writing=False)
            transfer.fill(state, progress)
        wanted = archive.indexing.digest()
        manifest = msgspec.structs.replace(
            here,
            id=archive.environment.random(16).hex(),
            derived_from=here.id,
            created=instant(archive.environment.now()),
            # What is not filled here is not filled there: whoever opens the copy fills it.
            declared=wanted if here.declared == wanted else "",
            secret=base64.b64encode(archive.environment.random(32)).decode(),
        )
        transfer.finish(manifest)


def mark_restored(archive: Archive) -> Batch:
    """What a backup says of itself: whoever opens it must say where numbers go on (K10). It applies to a copy that has
    the manifest as it stands now (ConflictError)."""
    manifest, version = read_manifest(archive.repository, writing=False)
    body = encode_manifest(msgspec.structs.replace(manifest, restored=True))
    return Batch((Put(KEY.collection, KEY.id, body, {}, "", version),))
