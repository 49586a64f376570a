"""From what SQLite and the system say to the errors of the library, without any value of a row.

Callers raise the result outside their except block, so that no error carries the statement's context (law K3).
"""

from __future__ import annotations

import errno
import sqlite3

from dossier.errors import (
    ClosedError,
    DamagedError,
    LimitError,
    LockedError,
    MissingArchiveError,
    ReadOnlyError,
    RepositoryError,
    StorageFullError,
)

_CLASSES: dict[int, type[RepositoryError]] = {
    sqlite3.SQLITE_FULL: StorageFullError,
    sqlite3.SQLITE_READONLY: ReadOnlyError,
    sqlite3.SQLITE_PERM: ReadOnlyError,
    sqlite3.SQLITE_BUSY: LockedError,
    sqlite3.SQLITE_LOCKED: LockedError,
    sqlite3.SQLITE_CANTOPEN: MissingArchiveError,
}


def fault(error: sqlite3.Error) -> RepositoryError:
    """The error of the library for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # What the module says of itself: misuse is a closed connection; a text that is no UTF-8, or a statement that
        # does not fit what it finds, is damage, for the texts that are written were checked.
        return ClosedError() if isinstance(error, sqlite3.ProgrammingError) else DamagedError(what="content")
    found = _CLASSES.get(code & 0xFF)
    if found is not None:
        return found()
    if code & 0xFF == sqlite3.SQLITE_TOOBIG:
        return LimitError(what="a row", limit=1_000_000_000)
    return DamagedError(what=error.sqlite_errorname)


def system_fault(error: OSError) -> RepositoryError:
    """The error of the library for an error of the operating system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageFullError()
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnlyError()
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MissingArchiveError()
    return DamagedError(what=errno.errorcode.get(error.errno or 0, "input/output"))
