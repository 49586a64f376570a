"""Files that have their names only when they are whole.

Floor: desk. Written in a folder beside the place they are for, under a lock that ends with the process, so that what a
killed one left is known for what it is and cleared away by the next.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dossier.errors import (
    DossierError,
    ExistsError,
    MissingFolderError,
    OutputError,
    ReadOnlyError,
    StorageFullError,
)

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
"""What a file system without hard links answers."""


@contextmanager
def appearing(path: Path, *, called: str = "path") -> Iterator[Path]:
    """A place for a new file that becomes `path` when the block ends well; nothing is left of it otherwise.

    It is its owner's alone, in a folder of its own beside `path`, which nobody else may enter; folders that killed runs
    for the same `path` left are cleared away. Where there are no hard links it is copied to its name at the end, and
    may be seen there while it grows. ExistsError, MissingFolderError, ReadOnlyError, StorageFullError, OutputError, all
    with the path `called`.
    """
    if os.path.lexists(path):
        raise ExistsError(path=called)
    with output_faults(path, called):
        folder, lock = _folder(path)
    try:
        draft = folder / "draft"
        yield draft
        with output_faults(path, called):
            publish(draft, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextmanager
def output_faults(path: Path, called: str = "path") -> Iterator[None]:
    """Errors of the system, about a file that is to become `path`, as errors of the library, which name no path."""
    code: int | None = None
    try:
        yield
    except OSError as error:
        code = error.errno or 0
    except Exception as error:
        # xlsxwriter wraps what the system said into an error of its own.
        wrapped = error.args[0] if error.args else None
        if isinstance(error, DossierError) or not isinstance(wrapped, OSError):
            raise
        code = wrapped.errno or 0
    if code is None:
        return
    told = _told(code, path, called)
    try:
        raise told
    except DossierError:
        # A with statement is left while the system's error is still being handled: it must not be kept (law K3).
        told.__context__ = None
        raise


def _told(code: int, path: Path, called: str) -> DossierError:
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageFullError(path=called)
    if code == errno.EEXIST:
        return ExistsError(path=called)
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnlyError(path=called)
    if code in (errno.ENOENT, errno.ENOTDIR) and not path.parent.is_dir():
        return MissingFolderError(path=called)
    return OutputError(path=called, what=errno.errorcode.get(code, "EIO"))


def publish(draft: Path, path: Path) -> None:
    """Give the finished file its name, durably, for its owner alone; OSError EEXIST where the name was taken."""
    with suppress(PermissionError):  # where files have no modes
        draft.chmod(0o600)
    linked = False
    try:
        os.link(draft, path)
        linked = True
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    if not linked:
        _copy(draft, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot do this for folders
            raise
    finally:
        os.close(folder)


def _copy(draft: Path, path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with draft.open("rb") as source, os.fdopen(handle, "wb") as target:
        done = False
        try:
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
            done = True
        finally:
            if not done:
                path.unlink(missing_ok=True)


def _folder(path: Path) -> tuple[Path, int]:
    """A new folder beside `path`, and the lock on it that says somebody is at work there."""
    # A name as long as a name may be has to have room for its draft: the folder is named by its hash.
    prefix = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}.new-"
    for left in path.parent.glob(f"{prefix}*"):
        _clear(left)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
        lock = _locked(folder)
        if lock is not None:
            return folder, lock


def _locked(folder: Path) -> int | None:
    """A handle with the lock of a new folder; None where somebody took it for one left behind, and cleared it away."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with suppress(OSError):  # where there are no locks nobody clears anything away
        fcntl.flock(handle, fcntl.LOCK_EX)
    if folder.exists():
        return handle
    os.close(handle)
    return None


def _clear(left: Path) -> None:
    """Remove a folder unless somebody is at work in it."""
    with suppress(OSError):
        handle = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(handle)
