"""Sorting more than memory holds: runs on disk, merged. Floor: intake.

The runs hold customers' data: their files have no name (they vanish with the process) and lie in the system's folder
for temporary files.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import IO

BUDGET = 24 * 1024 * 1024
"""Bytes of keys and payloads that are kept in memory before a run is written."""
_OVERHEAD = 160
"""What an entry costs in memory beside its bytes."""
_BUFFER = 256 * 1024
_FIRST = itemgetter(0)
_Entry = tuple[bytes, bytes]


class Sorter:
    """Takes (key, payload) in any order, gives them back sorted; memory stays within `budget` bytes."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._entries: list[_Entry] = []
        self._size = 0
        self._runs: list[IO[bytes]] = []

    def add(self, key: bytes, payload: bytes) -> None:
        """Take an entry."""
        self._entries.append((key, payload))
        self._size += len(key) + len(payload) + _OVERHEAD
        if self._size > self._budget:
            self._spill()

    def groups(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """(key, its payloads), keys ascending; each payload list is sorted. The sorter is empty afterwards."""
        self._entries.sort()
        streams: list[Iterator[_Entry]] = [_read(run) for run in self._runs]
        streams.append(iter(self._entries))
        try:
            for key, entries in groupby(heapq.merge(*streams), key=_FIRST):
                yield key, [payload for _, payload in entries]
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the runs. Idempotent."""
        for run in self._runs:
            run.close()
        self._runs, self._entries, self._size = [], [], 0

    def _spill(self) -> None:
        self._entries.sort()
        run = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - read back by groups()
        self._runs.append(run)
        for key, payload in self._entries:
            run.write(len(key).to_bytes(4, "big") + len(payload).to_bytes(4, "big") + key + payload)
        self._entries, self._size = [], 0


def _read(run: IO[bytes]) -> Iterator[_Entry]:
    run.seek(0)
    while head := run.read(8):
        key, payload = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        yield run.read(key), run.read(payload)
