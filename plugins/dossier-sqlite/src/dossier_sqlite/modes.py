"""Who may read what is made: its owner alone, until somebody gives the archive to a group (`chmod g+rw`); then the
files beside it follow, as those of SQLite do."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600


def mode_of(path: Path) -> int:
    """The mode for a file beside an archive."""
    try:
        return path.stat().st_mode & 0o666
    except OSError:
        return PRIVATE  # the archive is gone; whoever opens a file beside it will see


def open_private(path: Path, flags: int, mode: int = PRIVATE) -> int:
    """Open a file, and make it with exactly this mode where it is not there. OSError as it comes."""
    flags |= os.O_CLOEXEC
    try:
        handle = os.open(path, flags | os.O_CREAT | os.O_EXCL, PRIVATE & mode)
    except FileExistsError:
        return os.open(path, flags | os.O_CREAT, PRIVATE & mode)
    if mode & ~PRIVATE:
        os.fchmod(handle, mode)  # the umask has no say
    return handle


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder, for those who may read files of this mode, where it is not there. OSError as it comes."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    if mode & ~PRIVATE:
        folder.chmod(0o700 | mode | (mode & 0o044) >> 2)
