"""One writer at a time, each in its turn, over several processes.

Two kernel locks on two files beside the database: whoever wants to write takes the *turn* first, waits with it for
the *write* lock, and lets go of the turn as soon as it has that. A writer that has just finished finds the turn taken
by whoever waits and so cannot come straight back; a busy timeout alone starved one of four writers. Both locks are
flocks: kill -9 frees them and stale files mean nothing.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from pathlib import Path

from dossier.errors import LockedError
from dossier_sqlite.modes import mode_of, open_private


class Turnstile:
    """`acquire` and `release` the right to write; not for several threads at once (the repository has a lock)."""

    def __init__(self, path: Path) -> None:
        mode = mode_of(path)
        self._write = open_private(Path(f"{path}-lock"), os.O_RDWR, mode)
        self._turn = open_private(Path(f"{path}-turn"), os.O_RDWR, mode)

    def acquire(self, deadline: float) -> None:
        """Wait for the write lock until time.monotonic() passes `deadline` (LockedError)."""
        if not _try(self._turn):
            self._wait(self._turn, deadline, 0.0004, 0.001)
        try:
            if not _try(self._write):
                self._wait(self._write, deadline, 0.00005, 0.0005)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def release(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._write, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close both files. Idempotent. In a forked child this leaves the parent's locks alone."""
        write, self._write = self._write, -1
        turn, self._turn = self._turn, -1
        for handle in (write, turn):
            if handle >= 0:
                os.close(handle)

    def _wait(self, handle: int, deadline: float, shortest: float, longest: float) -> None:
        """Ask again and again: a blocking flock knows no deadline, and signals belong to the application."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LockedError
            time.sleep(min(left, random.uniform(shortest, longest)))
            if _try(handle):
                return


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
