"""Making an archive of a backup (M133).

Floor: desk. `dossier.restore`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from dossier.codec import SectionRegistry
from dossier.desk.archive import registry, serial_problems
from dossier.desk.layout import Indexing
from dossier.desk.manifest import read_manifest
from dossier.desk.numbers import settling
from dossier.desk.recording import Recorder
from dossier.desk.transfer import Progress, Transfer
from dossier.errors import InputError
from dossier.model.clock import Environment
from dossier.repository import open_repository


def restore(
    backup: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    numbers_from: int | None = None,
    sections: SectionRegistry | None = None,
    indexes: Sequence[Sequence[str]] = (),
    environment: Environment | None = None,
    options: Mapping[str, object] | None = None,
    source_options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> str:
    """Make an archive in use at `url`, on any backend, from a backup (M133); the archive's id. On record, in the
    archive it makes. `options` are for `url`, `source_options` for the backup.

    It is the archive that was backed up, as old as the backup: it has its id and its digest, and registers nobody
    until it is told the serial with which numbers go on, here or by `open(numbers_from=)` (K10). Interrupted, it is
    run again and goes on; until it is done nobody can open it (UnfinishedCopyError). `progress` is called with rows
    done and in all. ExistsError where anything else is there; InputError, MissingArchiveError, NotAnArchiveError,
    NewerFormatError; what was in part written stays for the next run.
    """
    if problems := serial_problems(numbers_from):
        raise InputError(problems)
    environment = environment or Environment()
    indexing = Indexing(sections or registry(), indexes)
    source = open_repository(os.fspath(backup), mode="r", options=source_options)
    try:
        with source.snapshot() as state:
            here, _ = read_manifest(state, writing=True)
            transfer = Transfer(os.fspath(url), indexing, source=here.id, why="restore", options=options)
            with transfer:
                transfer.fill(state, progress)
                wanted = indexing.digest()
                declared = wanted if here.declared == wanted else ""
                manifest = msgspec.structs.replace(here, restored=numbers_from is None, declared=declared)
                settled = settling(transfer.target, numbers_from) if numbers_from is not None else []
                recorder = Recorder(transfer.target, environment, level="committed", reads=None, policy=here.policy)
                with recorder.writing([recorder.plain("restore")]) as events:
                    transfer.finish(manifest, [*settled, *events])
    finally:
        source.close()
    return here.id
