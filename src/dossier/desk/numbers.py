"""Registration numbers from leases: N writers never give the same number twice (K10).

Floor: desk. A lease is a row with the next free serial; a process takes 64 at a time, so gaps are allowed.
"""

from __future__ import annotations

import threading

from dossier.errors import ConflictError, LockedError, NumbersUnsettledError
from dossier.model.numbering import NumberScheme
from dossier.repository import Batch, Key, Put, Repository, decode, encode

LEASE = 64
_TRIES = 200


class Numbers:
    """Gives out registration numbers of one archive handle."""

    def __init__(self, repository: Repository, scheme: NumberScheme, *, settled: bool) -> None:
        self._repository = repository
        self._scheme = scheme
        self._settled = settled
        self._lock = threading.Lock()
        self._leased: dict[str, tuple[int, int]] = {}

    def take(self, *, year: int, kind: str) -> str:
        """The next number. NumbersUnsettledError after a restore that was not told where serials go on."""
        if not self._settled:
            raise NumbersUnsettledError()
        series = self._scheme.series(year=year, kind=kind)
        with self._lock:
            serial, end = self._leased.get(series, (0, 0))
            if serial >= end:
                serial, end = self._lease(series)
            self._leased[series] = (serial + 1, end)
        return self._scheme.number(serial, year=year, kind=kind)

    def settle(self, first: int) -> None:
        """Say where serials go on after a restore: no series continues below `first`."""
        rows = list(self._repository.scan("leases"))
        ops = [
            Put("leases", row.id, encode({"next": max(first, int(decode(row.body)["next"]))}), {}, "", row.version)
            for row in rows
        ]
        self._repository.commit(Batch((*ops, Put("leases", "floor", encode({"next": first}), {}, "", None))))
        self._settled = True

    def _lease(self, series: str) -> tuple[int, int]:
        row_id = f"series:{series}"
        for _ in range(_TRIES):
            row, floor = self._repository.get_many([Key("leases", row_id), Key("leases", "floor")])
            lowest = int(decode(floor.body)["next"]) if floor else 1
            first = max(int(decode(row.body)["next"]) if row else 1, lowest)
            put = Put("leases", row_id, encode({"next": first + LEASE}), {}, "", row.version if row else 0)
            if self._won(put):
                return first, first + LEASE
        raise LockedError(path="leases")

    def _won(self, put: Put) -> bool:
        try:
            self._repository.commit(Batch((put,)))
            return True
        except ConflictError:
            return False
