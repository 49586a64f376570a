"""Repositories that answer queries wrongly: the controls of K6.

Floor: testing. See `broken`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from dossier.repository import (
    And,
    Collection,
    Contains,
    Eq,
    Expr,
    Ge,
    Has,
    In,
    Index,
    IndexValue,
    Lt,
    Not,
    Or,
    Order,
    Page,
    Prefix,
    Put,
    Query,
    Row,
)
from dossier.testing.broken_rows import Broken, Cells
from dossier.testing.oracle_reader import Cell


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


class IndexAnyway(_OtherQuery):
    """Gives index values where none were asked for."""

    def find(self, query: Query) -> Page:
        """See `Reader.find`."""
        return super().find(attrs.evolve(query, index=True))


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


class ReindexClearsDerived(_OtherQuery):
    """Re-indexing clears the derived fields too."""

    def _index(self, cells: Cells, op: Index) -> None:
        super()._index(cells, op)
        if op.all and (op.collection, op.id) in cells:
            cells[op.collection, op.id] = attrs.evolve(cells[op.collection, op.id], derived={})


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
