"""Registration numbers from leases: N writers never give the same number twice (K10).

Floor: desk. A lease is a row with the next free serial; a process takes 64 at a time, so gaps are allowed. Where the
row of a series is lost, serials go on behind the numbers that dossiers have.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import attrs

from dossier.errors import ConflictError, LockedError, NumbersUnsettledError
from dossier.model.numbering import NumberScheme
from dossier.repository import (
    TRUE,
    Batch,
    Key,
    Op,
    Order,
    Prefix,
    Put,
    Query,
    Reader,
    Repository,
    Row,
    decode,
    encode,
)

LEASE = 64
_TRIES = 200
_PAGE = 1000
SERIES = "series:"
"""What the ids of rows with leases begin with."""


def numbered(reader: Reader, before: str = "") -> Iterator[tuple[str, Row]]:
    """The number and the row (its index only) of every dossier whose number begins like that, as texts are sorted."""
    where = Prefix("number", before) if before else TRUE
    query = Query(collection="dossiers", where=where, order=Order("number"), limit=_PAGE, bodies=False)
    while True:
        page = reader.find(query)
        yield from ((str(row.index["number"]), row) for row in page.rows if row.index.get("number"))
        if page.cursor is None:
            return
        query = attrs.evolve(query, after=page.cursor)


def leases(reader: Reader) -> dict[str, int]:
    """The next free serial of every series."""
    rows = reader.scan("leases", start=SERIES, stop=SERIES.replace(":", ";"))  # ";" follows ":"
    return {row.id.removeprefix(SERIES): int(decode(row.body)["next"]) for row in rows}


def settling(reader: Reader, first: int) -> list[Put]:
    """What says that no series continues below `first`."""
    rows = list(reader.scan("leases"))
    ops = [
        Put("leases", row.id, encode({"next": max(first, int(decode(row.body)["next"]))}), {}, "", row.version)
        for row in rows
    ]
    if all(row.id != "floor" for row in rows):
        ops.append(Put("leases", "floor", encode({"next": first}), {}, "", 0))
    return ops


class Numbers:
    """Gives out registration numbers of one archive handle.

    `guard` gives the Check of each batch, `renew` looks at the manifest after a lost race.
    """

    def __init__(
        self,
        repository: Repository,
        scheme: NumberScheme,
        *,
        settled: bool,
        guard: Callable[[], Op],
        renew: Callable[[], None],
    ) -> None:
        self._repository = repository
        self._scheme = scheme
        self._settled = settled
        self._guard = guard
        self._renew = renew
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

    def reserve(
        self, lease: Row | None, floor: Row | None, count: int, *, year: int, kind: str
    ) -> tuple[list[str], Put]:
        """`count` numbers and the operation that takes them, for a batch that registers many: no number is lost where
        the batch is not kept. `lease` and `floor` as `lease_keys` names them."""
        if not self._settled:
            raise NumbersUnsettledError()
        first = self._next(lease, floor, self._scheme.series(year=year, kind=kind))
        taken = [self._scheme.number(first + n, year=year, kind=kind) for n in range(count)]
        row_id = self.lease_keys(year=year, kind=kind)[0].id
        put = Put("leases", row_id, encode({"next": first + count}), {}, "", lease.version if lease else 0)
        return taken, put

    def lease_keys(self, *, year: int, kind: str) -> tuple[Key, Key]:
        """The rows with the next free serial of a series and with the lowest of any."""
        return Key("leases", SERIES + self._scheme.series(year=year, kind=kind)), Key("leases", "floor")

    def settle(self, first: int, manifest: Put) -> None:
        """Say where serials go on after a restore, in one batch with the manifest: no series continues below `first`.
        ConflictError where another took a lease meanwhile."""
        self._repository.commit(Batch((manifest, *settling(self._repository, first))))
        self._settled = True

    def _lease(self, series: str) -> tuple[int, int]:
        row_id = SERIES + series
        for _ in range(_TRIES):
            row, floor = self._repository.get_many([Key("leases", row_id), Key("leases", "floor")])
            first = self._next(row, floor, series)
            put = Put("leases", row_id, encode({"next": first + LEASE}), {}, "", row.version if row else 0)
            if self._won(put):
                return first, first + LEASE
        raise LockedError(path="leases")

    def _next(self, lease: Row | None, floor: Row | None, series: str) -> int:
        lowest = int(decode(floor.body)["next"]) if floor else 1
        return max(int(decode(lease.body)["next"]) if lease else self._behind(series), lowest)

    def _behind(self, series: str) -> int:
        """Where a series without a lease begins: at 1, or behind all that whoever has the highest number may still
        give of the 64 it was taken with."""
        serial, before = self._scheme.serial, series.partition("{serial")[0]
        highest = max((serial(number, series=series) for number, _ in numbered(self._repository, before)), default=0)
        return highest + LEASE if highest else 1

    def _won(self, put: Put) -> bool:
        try:
            self._repository.commit(Batch((self._guard(), put)))
            return True
        except ConflictError:
            pass
        self._renew()
        return False
