"""An online copy through SQLite's backup interface: under another name first, synced, then named."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from dossier.errors import ExistsError, MissingArchiveError, RepositoryError
from dossier_sqlite.faults import fault, system_fault
from dossier_sqlite.modes import open_private
from dossier_sqlite.opening import no_room_for, publish

Step = Callable[[str], None]


def write_backup(
    conn: sqlite3.Connection, target: Path, step: Step | None, then: Callable[[sqlite3.Connection], None] | None
) -> None:
    """Copy the whole store, as `conn` sees it, to `target`. ExistsError if that is there.

    `then` changes the copy, in one transaction, before it has its name.
    """
    if os.path.lexists(target):
        raise ExistsError
    draft = target.with_name(f"{target.name}.new-{uuid.uuid4().hex[:12]}")
    failure: RepositoryError | None = None
    try:
        os.close(open_private(draft, os.O_RDWR))
        copy = sqlite3.connect(f"file:{quote(str(draft.absolute()))}?mode=rw", uri=True, isolation_level=None)
        try:
            conn.backup(copy)
            if then is not None:
                copy.execute("begin immediate")
                then(copy)
                copy.execute("commit")
                copy.execute("pragma wal_checkpoint(truncate)")
        finally:
            copy.close()
        if step is not None:
            step("backup.copied")
        publish(draft, target)
    except sqlite3.Error as error:
        failure = fault(error)
    except OSError as error:
        failure = system_fault(error)
    finally:
        for left in (draft, *(draft.with_name(draft.name + end) for end in ("-wal", "-shm"))):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    if isinstance(failure, MissingArchiveError):
        failure = no_room_for(target)
    if failure is not None:
        raise failure
    if step is not None:
        step("backup.named")
