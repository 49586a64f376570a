"""Repositories that are wrong on purpose: proof that the kit finds what it is there to find.

Floor: testing. Each variant is the oracle with one method replaced; it names the check that must fail (`law`), others
that must fail with it (`also`), and in its docstring what is wrong. The checks it does not name pass, but for
`machine`, which mixes all laws. A plugin author may break a repository of their own in the same way.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs

from dossier.errors import ConflictError
from dossier.repository import (
    And,
    Batch,
    Check,
    Collection,
    Contains,
    Delete,
    Eq,
    Expr,
    Ge,
    Has,
    In,
    Index,
    IndexValue,
    Key,
    Lt,
    Not,
    Op,
    Or,
    Order,
    Page,
    Prefix,
    Put,
    Query,
    Receipt,
    Row,
    Shred,
)
from dossier.testing.oracle import Cell, Oracle, OracleDriver, State

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


# -- K6: queries -------------------------------------------------------------------------------------


class _OtherQuery(Broken):
    law = "K6_queries"


class AbsentLast(_OtherQuery):
    """Sorts absent after all values, as some databases do."""

    def _ordered(self, rows: list[Row], query: Query) -> list[Row]:
        rows = super()._ordered(rows, query)
        if query.order is None:
            return rows
        name = query.order.field
        return sorted(rows, key=lambda row: (row.index.get(name) is None) != query.order.descending)  # type: ignore[union-attr]


class ThreeValuedNot(_OtherQuery):
    """Not over an absent field is unknown, and so not true."""

    def _holds(self, expr: Expr, index: Mapping[str, IndexValue]) -> bool:
        if isinstance(expr, Not) and not isinstance(expr.term, And | Or | Not):
            term = expr.term
            if term.field not in index and not (isinstance(term, Eq) and term.value is None):
                return False
        return super()._holds(expr, index)


class EmptyTextIsAbsent(_OtherQuery):
    """Takes an empty text for absent."""

    def _row(self, collection: str, id: str, cell: Cell | None) -> Row | None:
        row = super()._row(collection, id, cell)
        return row and attrs.evolve(row, index={k: v for k, v in row.index.items() if v != ""})


class EmptySetIsPresent(_OtherQuery):
    """Keeps an empty set as a value of its own."""

    def _row(self, collection: str, id: str, cell: Cell | None) -> Row | None:
        row = super()._row(collection, id, cell)
        if row is None or cell is None:
            return row
        empty = {k: v for k, v in {**cell.plain, **cell.derived}.items() if v == ()}
        return attrs.evolve(row, index={**row.index, **empty})


class TiesByArrival(_OtherQuery):
    """Leaves ties in the order in which rows came."""

    def _ordered(self, rows: list[Row], query: Query) -> list[Row]:
        if query.order is None:
            return super()._ordered(rows, query)
        place = {row.id: n for n, row in enumerate(rows)}
        wanted = [row.index.get(query.order.field) for row in super()._ordered(rows, query)]
        return sorted(rows, key=lambda row: (wanted.index(row.index.get(query.order.field)), place[row.id]))  # type: ignore[union-attr]


class TiesDescending(_OtherQuery):
    """Reverses the ties too where the order is descending."""

    def _ordered(self, rows: list[Row], query: Query) -> list[Row]:
        if query.order is None or not query.order.descending:
            return super()._ordered(rows, query)
        return super()._ordered(rows, attrs.evolve(query, order=Order(query.order.field)))[::-1]


class CursorSkipsTies(_OtherQuery):
    """Goes on after the order value alone: the rest of a tie is lost between two pages."""

    def _behind(self, row: Row, last: tuple[Any, str], order: Order | None) -> bool:
        if order is not None and row.index.get(order.field) == last[0]:
            return False
        return super()._behind(row, last, order)


class CursorRepeatsTies(_OtherQuery):
    """Goes on from the order value: a tie comes again on the next page."""

    def _behind(self, row: Row, last: tuple[Any, str], order: Order | None) -> bool:
        if order is not None and row.index.get(order.field) == last[0]:
            return row.id >= last[1]
        return super()._behind(row, last, order)


class CursorOfAny(_OtherQuery):
    """Takes the cursor of another query."""

    def _opened(self, query: Query) -> tuple[Any, str]:
        _, value, id = json.loads(query.after or "")
        return value, id


class CursorAtEnd(_OtherQuery):
    """Gives a cursor on the last page."""

    def find(self, query: Query) -> Page:
        """See `Reader.find`."""
        page = super().find(query)
        cursor = page.cursor or (self._cursor(page.rows[-1], query) if page.rows else None)
        return Page(page.rows, cursor)


class EmptyInIsTrue(_OtherQuery):
    """In without values is true of everything."""

    def _holds(self, expr: Expr, index: Mapping[str, IndexValue]) -> bool:
        return (isinstance(expr, In) and not expr.values) or super()._holds(expr, index)


class EmptyOrIsTrue(_OtherQuery):
    """Or without terms is true of everything."""

    def _holds(self, expr: Expr, index: Mapping[str, IndexValue]) -> bool:
        return (isinstance(expr, Or) and not expr.terms) or super()._holds(expr, index)


class CaseBlind(_OtherQuery):
    """Compares texts as if upper and lower case were one."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Eq) and isinstance(expr.value, str) and isinstance(value, str):
            return value.lower() == expr.value.lower()
        return super()._compares(expr, value)


class PrefixIsLike(_OtherQuery):
    """Compiles Prefix to LIKE without escapes: _ stands for any character."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Prefix) and isinstance(value, str):
            start = value[: len(expr.value)]
            pairs = zip(start, expr.value, strict=False)
            return len(start) == len(expr.value) and all(b in ("_", a) for a, b in pairs)
        return super()._compares(expr, value)


class PrefixUpToMax(_OtherQuery):
    """Compiles Prefix to a range that ends at U+FFFF."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Prefix) and isinstance(value, str):
            return expr.value <= value <= expr.value + "\uffff"
        return super()._compares(expr, value)


class OrderByUnits(_OtherQuery):
    """Compares texts by UTF-16 units, as some languages do: beyond the BMP comes before U+FFFF."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Lt | Ge) and isinstance(value, str) and isinstance(expr.value, str):
            below = value.encode("utf-16-be") < expr.value.encode("utf-16-be")
            return below if isinstance(expr, Lt) else not below
        return super()._compares(expr, value)


class ContainsWords(_OtherQuery):
    """Finds whole words only."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Contains) and isinstance(value, str):
            return expr.needle in value.split() or expr.needle == value
        return super()._compares(expr, value)


class ContainsLongOnly(_OtherQuery):
    """Finds nothing by a needle of one character, as a trigram or bigram index left alone does."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        return not (isinstance(expr, Contains) and len(expr.needle) == 1) and super()._compares(expr, value)


class ContainsLosesMarks(_OtherQuery):
    """Loses punctuation, as a tokenizer does."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Contains) and isinstance(value, str):
            plain = ["".join(c for c in text if c.isalnum()) for text in (expr.needle, value)]
            return plain[0] in plain[1]
        return super()._compares(expr, value)


class HasIsPrefix(_OtherQuery):
    """Finds a set member by its beginning."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Has) and isinstance(expr.value, str) and isinstance(value, tuple):
            return any(str(member).startswith(expr.value) for member in value)
        return super()._compares(expr, value)


class DoubleIntegers(_OtherQuery):
    """Compares integers as doubles."""

    def _compares(self, expr: Expr, value: Any) -> bool:
        if isinstance(expr, Lt | Ge) and type(value) is int:
            below = float(value) < float(expr.value)
            return below if isinstance(expr, Lt) else not below
        return super()._compares(expr, value)


class LimitOffByOne(_OtherQuery):
    """A page holds one row less than asked for."""

    def _cut(self, rows: list[Row], limit: int) -> list[Row]:
        return rows[: max(limit - 1, 1)]


class CountIgnoresWhere(_OtherQuery):
    """Counts all rows of the collection."""

    def count(self, collection: str, where: Expr) -> int:
        """See `Reader.count`."""
        return super().count(collection, And(()))


class BodiesAnyway(_OtherQuery):
    """Gives bodies where none were asked for."""

    def find(self, query: Query) -> Page:
        """See `Reader.find`."""
        return super().find(attrs.evolve(query, bodies=True))


class DerivedLostAtPut(_OtherQuery):
    """A Put clears the derived fields."""

    def _put(self, cells: Cells, op: Put) -> None:
        super()._put(cells, op)
        cells[op.collection, op.id] = attrs.evolve(cells[op.collection, op.id], derived={})


class OlderMarkWins(_OtherQuery):
    """Writes derived fields whatever the mark."""

    def _newer(self, op: Index, cell: Cell) -> bool:
        return True


class EqualMarkLost(_OtherQuery):
    """Passes over an Index with the mark of the last one."""

    def _newer(self, op: Index, cell: Cell) -> bool:
        return cell.mark is None or op.mark > cell.mark


class ReindexAdds(_OtherQuery):
    """Re-indexing sets fields and never clears one."""

    def _index(self, cells: Cells, op: Index) -> None:
        old = cells.get((op.collection, op.id))
        super()._index(cells, op)
        if op.all and old is not None:
            key = (op.collection, op.id)
            cells[key] = attrs.evolve(cells[key], plain={**old.plain, **cells[key].plain})


class ReindexMisses(_OtherQuery):
    """Re-indexing forgets fields that were declared later."""

    def _index(self, cells: Cells, op: Index) -> None:
        kept = {k: v for k, v in op.fields.items() if not k.startswith("later")} if op.all else op.fields
        super()._index(cells, attrs.evolve(op, fields=kept))


class DeclareSaysNothing(_OtherQuery):
    """Does not say that rows lack a field declared later."""

    def declare(self, collections: Sequence[Collection]) -> tuple[str, ...]:
        """See `Repository.declare`."""
        super().declare(collections)
        return ()


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


def variants() -> tuple[type[Broken], ...]:
    """Every variant, in the order of the laws."""
    named = [one for one in globals().values() if isinstance(one, type) and issubclass(one, Broken)]
    return tuple(one for one in named if one is not Broken and not one.__name__.startswith("_"))
