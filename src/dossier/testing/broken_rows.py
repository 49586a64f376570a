"""Repositories that keep rows wrongly: the controls of K1, K4, K5 and K8, and the base of all variants.

Floor: testing. See `broken`.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import attrs

from dossier.errors import ConflictError
from dossier.repository import (
    Batch,
    Check,
    Delete,
    Key,
    Op,
    Put,
    Receipt,
    Row,
    Shred,
)
from dossier.testing.oracle import Oracle, OracleDriver
from dossier.testing.oracle_reader import Cell, State

Cells = dict[tuple[str, str], Cell]


class Broken(Oracle):
    """Base of the variants: `law` is the check that must fail, `also` names others that fail with it."""

    law: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def driver(cls) -> OracleDriver:
        """A driver that opens this variant."""
        return OracleDriver(cls)


# -- K1: the very bytes ------------------------------------------------------------------------------


class _OtherBytes(Broken):
    law = "K1_bytes"

    def _row(self, collection: str, id: str, cell: Cell | None) -> Row | None:
        row = super()._row(collection, id, cell)
        return None if row is None else attrs.evolve(row, body=self._body(row.body))

    def _body(self, body: bytes) -> bytes:
        raise NotImplementedError


class EscapedBytes(_OtherBytes):
    """Decodes and encodes again, with \\u escapes."""

    def _body(self, body: bytes) -> bytes:
        return json.dumps(json.loads(body), separators=(",", ":")).encode()


class SpacedBytes(_OtherBytes):
    """Decodes and encodes again, with spaces."""

    def _body(self, body: bytes) -> bytes:
        return json.dumps(json.loads(body), ensure_ascii=False).encode()


class ReorderedKeys(_OtherBytes):
    """Gives objects back with their keys in another order."""

    def _body(self, body: bytes) -> bytes:
        value = json.loads(body, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class LostTrailingField(_OtherBytes):
    """Keeps the first three fields of an object."""

    def _body(self, body: bytes) -> bytes:
        value = json.loads(body)
        if isinstance(value, dict) and len(value) > 3:
            return json.dumps(dict(list(value.items())[:3]), ensure_ascii=False, separators=(",", ":")).encode()
        return body


class ComposedText(_OtherBytes):
    """Normalises text, so that é written in two code points comes back as one."""

    def _body(self, body: bytes) -> bytes:
        return unicodedata.normalize("NFC", body.decode()).encode()


class FloatInts(_OtherBytes):
    """Keeps integers as doubles of 15 digits."""

    def _body(self, body: bytes) -> bytes:
        value = json.loads(body, parse_int=lambda digits: int(float(f"{float(digits):.14e}")))
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class CutLongBody(_OtherBytes):
    """Cuts bodies at 65,535 bytes."""

    def _body(self, body: bytes) -> bytes:
        return body[:65_535]


# -- K4: all or nothing ------------------------------------------------------------------------------


class PartialBatch(Broken):
    """Keeps what came before the operation that was refused."""

    law = "K4_all_or_nothing"
    also = ("K4_batch_key",)

    def _run(self, cells: Cells, ops: Iterable[Op]) -> None:
        try:
            super()._run(cells, ops)
        except ConflictError:
            self._store.cells = cells
            raise


class IndexBeforeCommit(Broken):
    """Keeps the index terms of a refused batch, though not its rows."""

    law = "K4_all_or_nothing"

    def _commit(self, batch: Batch) -> Receipt:
        try:
            return super()._commit(batch)
        except ConflictError:
            cells = dict(self._store.cells)
            for op in batch.ops:
                if isinstance(op, Put) and (op.collection, op.id) in cells:
                    key = (op.collection, op.id)
                    cells[key] = attrs.evolve(cells[key], plain=dict(op.index))
            self._store.cells = cells
            raise


class CheckIgnored(Broken):
    """Does not look at Check."""

    law = "K4_all_or_nothing"
    also = ("K5_one_winner", "K4_batch_key")

    def _apply(self, cells: Cells, op: Op) -> None:
        if not isinstance(op, Check):
            super()._apply(cells, op)


class CheckAbsentIgnored(Broken):
    """Takes a Check for an absent row as met."""

    law = "K4_all_or_nothing"
    also = ("K4_batch_key",)

    def _meets(self, cells: State, op: Put | Delete | Check) -> None:
        if not isinstance(op, Check) or (op.collection, op.id) in cells:
            super()._meets(cells, op)


class ChecksAtStart(Broken):
    """Judges every expectation by the state before the batch: a later operation does not see an earlier one."""

    law = "K4_all_or_nothing"
    also = ("K4_batch_key",)

    def _meets(self, cells: State, op: Put | Delete | Check) -> None:
        super()._meets(self._store.cells, op)


class ChecksLast(Broken):
    """Judges Check after all other operations."""

    law = "K4_all_or_nothing"
    also = ("K4_batch_key",)

    def _run(self, cells: Cells, ops: Iterable[Op]) -> None:
        super()._run(cells, sorted(ops, key=lambda op: isinstance(op, Check)))


class ShredOneCollection(Broken):
    """Shreds a scope in the first collection only."""

    law = "K4_all_or_nothing"

    def _shred(self, cells: Cells, op: Shred) -> None:
        first = min((name for name, _ in cells), default="")
        others = {key: cell for key, cell in cells.items() if key[0] != first}
        super()._shred(cells, op)
        cells.update(others)


class KeyIgnored(Broken):
    """Takes a batch again whose key it knows."""

    law = "K4_batch_key"
    also = ("K5_one_winner",)

    def _commit(self, batch: Batch) -> Receipt:
        return super()._commit(attrs.evolve(batch, key=None))


class KeyOfRefusedBatch(Broken):
    """Remembers the key of a refused batch, so that it can never be repeated."""

    law = "K4_batch_key"

    def _commit(self, batch: Batch) -> Receipt:
        try:
            return super()._commit(batch)
        except ConflictError:
            if batch.key is not None:
                self._store.keys |= {batch.key}
            raise


class KeyInMemory(Broken):
    """Forgets batch keys when it is opened again."""

    law = "K4_batch_key"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "_state" in self.__dict__ and self._state is None and not self._snapshotting:
            self._store.keys = frozenset()

    _snapshotting: ClassVar[bool] = False


class RepeatIsConflict(Broken):
    """Judges a batch before it looks at its key: a repeated batch conflicts with itself."""

    law = "K4_batch_key"

    def _commit(self, batch: Batch) -> Receipt:
        self._run(dict(self._store.cells), batch.ops)
        return super()._commit(batch)


class HalfVisible(Broken):
    """Shows the first half of a batch before the second."""

    law = "K4_seen_whole"

    def _publish(self, cells: State) -> None:
        changed = [key for key, cell in cells.items() if self._store.cells.get(key) is not cell]
        half = changed[: len(changed) // 2]
        self._store.cells = {**self._store.cells, **{key: cells[key] for key in half}}
        time.sleep(0.0002)
        super()._publish(cells)


class SnapshotMoves(Broken):
    """A snapshot that reads the newest state each time."""

    law = "K4_seen_whole"

    def _cells(self) -> State:
        self._state = None
        return super()._cells()


# -- K5: one winner ----------------------------------------------------------------------------------


class TwoWinners(Broken):
    """Judges the expectations first and takes the lock later."""

    law = "K5_one_winner"

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """See `Repository.commit`."""
        if batch.key is None or batch.key not in self._store.keys:
            self._run(dict(self._store.cells), batch.ops)
        time.sleep(0.002)
        return super().commit(batch, durable=durable)

    def _meets(self, cells: State, op: Put | Delete | Check) -> None:
        if not self._store.lock._is_owned():
            super()._meets(cells, op)


class VersionNotBumped(Broken):
    """Writes without a new version."""

    law = "K5_one_winner"
    also = ("K4_all_or_nothing", "K4_batch_key", "K4_seen_whole", "K6_queries", "K8_digest_inputs")

    def _put(self, cells: Cells, op: Put) -> None:
        old = cells.get((op.collection, op.id))
        super()._put(cells, op)
        if old is not None and op.version is None:
            key = (op.collection, op.id)
            cells[key] = attrs.evolve(cells[key], version=old.version)


class DeleteIgnoresExpect(Broken):
    """Deletes whatever the version."""

    law = "K5_one_winner"
    also = ("K4_all_or_nothing", "K4_batch_key")

    def _meets(self, cells: State, op: Put | Delete | Check) -> None:
        if not isinstance(op, Delete):
            super()._meets(cells, op)


class OldVersionWins(Broken):
    """Takes an expectation that is older than the row, the last writer wins."""

    law = "K5_one_winner"
    also = ("K4_all_or_nothing", "K4_batch_key")

    def _meets(self, cells: State, op: Put | Delete | Check) -> None:
        cell = cells.get((op.collection, op.id))
        if isinstance(op, Put) and cell is not None and op.expect and op.expect < cell.version:
            return
        super()._meets(cells, op)


# -- K8: what a digest reads -------------------------------------------------------------------------


class _OtherScan(Broken):
    law = "K8_digest_inputs"

    def scan(self, collection: str, **how: Any) -> Iterator[Row]:
        """See `Reader.scan`."""
        return iter(self._scanned(list(super().scan(collection, **how)), **how))

    def _scanned(self, rows: list[Row], **how: Any) -> list[Row]:
        raise NotImplementedError


class ScanDrops(_OtherScan):
    """Loses a row at the border of two chunks."""

    def _scanned(self, rows: list[Row], **how: Any) -> list[Row]:
        return [row for n, row in enumerate(rows) if n != 1000]


class ScanDoubles(_OtherScan):
    """Gives the last row of a chunk again at the start of the next."""

    def _scanned(self, rows: list[Row], **how: Any) -> list[Row]:
        return rows[:1000] + rows[999:]


class ScanStopsInclusive(_OtherScan):
    """Takes `stop` in."""

    def scan(self, collection: str, **how: Any) -> Iterator[Row]:
        """See `Reader.scan`."""
        stop = how.get("stop")
        if stop is not None and how.get("limit") is None and self.get_many([Key(collection, stop)])[0] is not None:
            how["stop"] = stop + "\0"
        return Oracle.scan(self, collection, **how)


class ScanDownFromStart(_OtherScan):
    """Takes the first rows and turns them round, where the last were asked for."""

    def scan(self, collection: str, **how: Any) -> Iterator[Row]:
        """See `Reader.scan`."""
        descending = how.pop("descending", False)
        rows = list(Oracle.scan(self, collection, **how))
        return iter(rows[::-1] if descending else rows)


class ScanBySlug(_OtherScan):
    """Sorts ids without regard to case."""

    def _scanned(self, rows: list[Row], **how: Any) -> list[Row]:
        return sorted(rows, key=lambda row: row.id.lower(), reverse=bool(how.get("descending")))
