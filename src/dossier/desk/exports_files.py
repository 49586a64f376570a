"""Files of an export: CSV, JSON lines, XLSX. A file has its name only when it is whole.

Floor: desk. Text that a spreadsheet would take for a formula gets an apostrophe before it, in CSV and XLSX alike, for
a workbook may be saved as CSV; a number that is a number stays one. XLSX needs the extra `excel`.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final, Protocol

import msgspec

from dossier.desk.appearing import appearing, output_faults
from dossier.desk.exports_columns import Cell, Column, Sections, cells, document
from dossier.errors import (
    InputError,
    Lang,
    LimitError,
)
from dossier.model.problems import problem

_FORMULA = re.compile("'*(?:[\\t\\r]|[\\s\ufeff\u200b]*[=+\\-@＝＋－＠])")
SHEET_ROWS: Final = 1_048_576
"""Rows of a sheet of a workbook, its columns, and characters of a cell."""
SHEET_COLUMNS: Final = 16_384
SHEET_CELL: Final = 32_767
_DIGITS: Final = 15
"""Digits that a number of a workbook keeps."""


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before what begins like one, and before what already
    has one, so that taking one away gives the text back."""
    return f"'{text}" if _FORMULA.match(text) else text


class Table(Protocol):
    """A file being written."""

    def add(self, head: Mapping[str, str], sections: Sections) -> None:
        """Write one file or record."""
        ...

    def close(self) -> None:
        """Write what is left and put it on the disk."""
        ...

    def abandon(self) -> None:
        """Let go of a file that will not be finished."""
        ...


class _Csv:
    def __init__(self, path: Path, columns: Sequence[Column], lang: Lang, now: dt.datetime) -> None:
        self._columns, self._lang = columns, lang
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write("\ufeff")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow([guarded(column.label) for column in columns])

    def add(self, head: Mapping[str, str], sections: Sections) -> None:
        line = cells(self._columns, head, sections, self._lang)
        self._writer.writerow([guarded(cell) if isinstance(cell, str) else _digits(cell) for cell in line])

    def close(self) -> None:
        _sync(self._file)

    def abandon(self) -> None:
        _let_go(self._file)


class _Lines:
    def __init__(self, path: Path, columns: Sequence[Column], lang: Lang, now: dt.datetime) -> None:
        self._columns = columns
        self._file = path.open("wb")
        self._encode = msgspec.json.Encoder().encode

    def add(self, head: Mapping[str, str], sections: Sections) -> None:
        self._file.write(self._encode(document(self._columns, head, sections)) + b"\n")

    def close(self) -> None:
        _sync(self._file)

    def abandon(self) -> None:
        _let_go(self._file)


class _Book:
    def __init__(self, path: Path, columns: Sequence[Column], lang: Lang, now: dt.datetime) -> None:
        self._columns, self._lang, self._path = columns, lang, path
        if len(columns) > SHEET_COLUMNS:
            raise LimitError(what="columns of a sheet", limit=SHEET_COLUMNS)
        options = {
            "constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False,
            "strings_to_urls": False, "strings_to_numbers": False, "use_zip64": True,
        }  # fmt: skip
        self._book = _xlsxwriter().Workbook(str(path), options)
        self._book.set_properties({"created": now.replace(tzinfo=None)})
        self._sheet = self._book.add_worksheet()
        self._row = 0
        begun = False
        try:
            self._write([column.label for column in columns])
            begun = True
        finally:
            if not begun:
                self.abandon()

    def add(self, head: Mapping[str, str], sections: Sections) -> None:
        self._write(cells(self._columns, head, sections, self._lang))

    def _write(self, line: Sequence[Cell]) -> None:
        if self._row >= SHEET_ROWS:
            raise LimitError(what="rows of a sheet", limit=SHEET_ROWS)
        for place, cell in enumerate(line):
            if cell is None:
                continue
            if not isinstance(cell, str) and _fits(cell):
                self._sheet.write_number(self._row, place, cell)
                continue
            text = guarded(cell) if isinstance(cell, str) else _digits(cell)
            if len(text) > SHEET_CELL:
                raise LimitError(what="characters of a cell of a sheet", limit=SHEET_CELL)
            self._sheet.write_string(self._row, place, text)
        self._row += 1

    def close(self) -> None:
        self._book.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())

    def abandon(self) -> None:
        file = getattr(self._sheet, "row_data_fh", None)
        if file is not None:
            _let_go(file)


_TABLES: Final[Mapping[str, Callable[[Path, Sequence[Column], Lang, dt.datetime], Table]]] = {
    "csv": _Csv, "jsonl": _Lines, "xlsx": _Book,
}  # fmt: skip
FORMATS: Final = tuple(_TABLES)


def format_of(path: Path, given: str | None) -> str:
    """The format said, else that of the file's ending. InputError where it is none, or an extra is missing."""
    found = path.suffix.lower().removeprefix(".") if given is None else given
    if found not in _TABLES:
        raise InputError([problem("export.format", "format", words=", ".join(FORMATS))])
    if found == "xlsx":
        _xlsxwriter()
    return found


@contextmanager
def writing(path: Path, format: str, columns: Sequence[Column], lang: Lang, now: dt.datetime) -> Iterator[_Told]:
    """A table that becomes the file `path` when the block ends well, and leaves nothing behind otherwise. See
    `appearing` for its errors; those of the block are its own."""
    with appearing(path) as draft:
        with output_faults(path):
            table = _TABLES[format](draft, columns, lang, now)
        try:
            yield _Told(table, path)
            with output_faults(path):
                table.close()
        finally:
            table.abandon()


class _Told:
    """A table whose errors of the system are told as those of the file."""

    def __init__(self, table: Table, path: Path) -> None:
        self._table, self._path = table, path

    def add(self, head: Mapping[str, str], sections: Sections) -> None:
        with output_faults(self._path):
            self._table.add(head, sections)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _let_go(file: IO[Any]) -> None:
    try:
        file.close()
    except OSError:
        pass  # what was not written yet finds no room either


def _digits(cell: int | Decimal | None) -> str:
    return "" if cell is None else f"{cell:f}" if type(cell) is Decimal else str(cell)


def _fits(number: int | Decimal) -> bool:
    """Whether a workbook keeps every digit of a number; it keeps binary floats."""
    return len(Decimal(number).normalize().as_tuple().digits) <= _DIGITS


def _xlsxwriter() -> Any:
    found: Any = None
    try:
        found = importlib.import_module("xlsxwriter")
    except ImportError:
        pass
    if found is None:
        raise InputError([problem("export.excel", "format")])
    return found
