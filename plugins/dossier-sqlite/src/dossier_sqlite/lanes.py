"""Lanes: append-only files, one a lane, held by a kernel lock, so that read events never wait for the database."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

from dossier.errors import (
    ClosedError,
    ForkedError,
    LockedError,
    MissingArchiveError,
    MissingFolderError,
    NotPicklableError,
    RepositoryError,
    StorageFullError,
)
from dossier.repository.checking import check_lane, check_lines
from dossier_sqlite.faults import system_fault
from dossier_sqlite.modes import make_folder, open_private

_END = ".lane"
_TAIL = 1 << 16
_PATIENCE = 0.25
"""Seconds for which a lane that is held is asked for again: whoever lists lanes holds each for a moment."""

Step = Callable[[str], None]


class FileLane:
    """See `Lane`. One write(2) an append; a write that fails half way is taken back, and after a failed sync the lane
    is closed."""

    def __init__(self, folder: Path, name: str, step: Step | None, *, mode: int) -> None:
        check_lane(name)
        self._path, self._step, self._pid = folder / f"{name}{_END}", step, os.getpid()
        self._handle = -1
        failure: RepositoryError | None = None
        try:
            make_folder(folder, mode)
            self._handle = _hold(self._path, mode)
            self._mend()
        except BlockingIOError:
            failure = LockedError()
        except OSError as error:
            failure = system_fault(error)
        if isinstance(failure, MissingArchiveError):
            failure = MissingFolderError()
        if failure is not None:
            self.close()
            raise failure
        self._named = False

    def append(self, lines: Sequence[bytes], *, durable: bool) -> None:
        """See `Lane.append`. An error leaves nothing of the lines, as far as the disk still answers."""
        if self._pid != os.getpid():
            raise ForkedError
        if self._handle < 0:
            raise ClosedError
        check_lines(lines)
        if not lines:
            return
        step = self._step
        data = b"\n".join([*lines, b""])
        if step is not None:
            step("lane.before")
        failure: RepositoryError | None = None
        try:
            if os.write(self._handle, data) < len(data):
                os.ftruncate(self._handle, self._size)
                os.write(self._handle, data)
            if os.fstat(self._handle).st_size != self._size + len(data):
                failure = StorageFullError()
        except OSError as error:
            failure = system_fault(error)
        if failure is not None:
            self._take_back()
            raise failure
        self._size += len(data)
        if step is not None:
            step("lane.written")
        if durable:
            try:
                self._sync()
            except OSError as error:
                failure = system_fault(error)
            if failure is not None:
                # What a disk does after a failed sync nobody knows: the lane takes nothing more.
                self._size -= len(data)
                self._take_back()
                self.close()
                raise failure
            if step is not None:
                step("lane.synced")

    def close(self) -> None:
        """See `Lane.close`."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    @property
    def closed(self) -> bool:
        """Whether the lane was let go of."""
        return self._handle < 0

    def _take_back(self) -> None:
        """Cut off what a failed append left; a lane where that fails too is closed."""
        try:
            os.ftruncate(self._handle, self._size)
        except OSError:
            self.close()

    def _sync(self) -> None:
        os.fsync(self._handle)
        if not self._named:
            sync_folder(self._path.parent)
            self._named = True

    def _mend(self) -> None:
        """Cut off a torn last line of whoever held the lane before."""
        self._size = size = os.fstat(self._handle).st_size
        while size > 0:
            start = max(0, size - _TAIL)
            end = os.pread(self._handle, size - start, start).rfind(b"\n")
            if end >= 0:
                size = start + end + 1
                break
            size = start
        if size != self._size:
            os.ftruncate(self._handle, size)
            self._size = size

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NotPicklableError(what="FileLane")


def idle_lanes(folder: Path) -> list[str]:
    """Names of the lanes in a folder that nobody holds, sorted."""
    names: list[str] = []
    failure: RepositoryError | None = None
    try:
        if folder.is_dir():
            names = [path.name[: -len(_END)] for path in sorted(folder.glob(f"*{_END}")) if _is_idle(path)]
    except OSError as error:
        failure = system_fault(error)
    if failure is not None:
        raise failure
    return names


def _is_idle(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False  # folded by another process meanwhile
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(handle)


def read_lane(folder: Path, name: str) -> Iterator[bytes]:
    """The whole lines of a lane, read as they are asked for. MissingArchiveError if there is none of that name."""
    check_lane(name)
    failure: RepositoryError
    try:
        lines = _lines((folder / f"{name}{_END}").open("rb"))
        next(lines)
        return lines
    except FileNotFoundError:
        failure = MissingArchiveError()
    except OSError as error:
        failure = system_fault(error)
    raise failure


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """First b"" (so that the file is closed whatever becomes of the iterator), then each whole line."""
    with file:
        yield b""
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield line[:-1]


def drop_lane(folder: Path, name: str) -> None:
    """Remove an idle lane; one that is not there is passed over. LockedError if it is held."""
    check_lane(name)
    path = folder / f"{name}{_END}"
    failure: RepositoryError | None = None
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(handle)
    except FileNotFoundError:
        return
    except BlockingIOError:
        failure = LockedError()
    except OSError as error:
        failure = system_fault(error)
    if failure is not None:
        raise failure


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hold(path: Path, mode: int) -> int:
    """An open file with an exclusive lock that still has the name (another may just have dropped it)."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        handle = open_private(path, os.O_RDWR | os.O_APPEND, mode)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(handle)
                raise
            time.sleep(0.002)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
