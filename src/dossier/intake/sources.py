"""Tables in files as rows with their places. Floor: intake.

A row is (number, cells): the number a person sees in an editor or a spreadsheet, cells all as text. Text files stream;
workbooks are read by `workbook`.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import attrs

from dossier.errors import InputError
from dossier.intake import encoding as ladder
from dossier.intake.plan import TablePlan
from dossier.intake.reasons import reason
from dossier.intake.report import Notice

MAX_COLUMNS = 4096
MAX_LINE = 2_000_000
"""Characters of one line."""
MAX_UNPACKED = 2048
"""MB that a file may unpack to where it unpacks to more than `_RATIO` times itself."""
_RATIO = 200
_BLOCK = 1 << 20
_MB = 1024 * 1024
TEXT = (".csv", ".tsv", ".txt")
BOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")

Numbered = tuple[int, list[str], str]
"""(row number, cells, code of why the row cannot be taken or "")."""


@attrs.frozen
class Sheet:
    """An opened table: where it is, its header, its rows, and what somebody should know about it."""

    file: str
    sheet: str
    header: list[str]
    rows: Iterator[Numbered]
    notices: tuple[Notice, ...] = ()
    encoding: str = ""

    def place(self, number: int) -> str:
        """file!sheet!row; a text file has the sheet `-`."""
        return f"{self.file}!{self.sheet or '-'}!{number}"


def open_table(path: Path, plan: TablePlan) -> Sheet:
    """The table of a plan in a file. InputError with the place where it cannot be read at all."""
    name = path.name
    if not path.is_file():
        raise InputError([reason("intake.missing", name)])
    kind, packed = _kind(path)
    if kind in TEXT:
        return _open_text(path, plan, packed=packed, tabs=kind == ".tsv")
    if kind in BOOKS and not packed:
        from dossier.intake.workbook import open_sheet

        return open_sheet(path, plan)
    raise InputError([reason("intake.format", name)])


def is_text(path: Path) -> bool:
    """Whether a file is one table of text by its name, and no workbook of several."""
    return _kind(path)[0] in TEXT


def _kind(path: Path) -> tuple[str, bool]:
    """The ending that says what a file is, and whether it is packed."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    packed = suffixes[-1:] == [".gz"]
    return "".join((suffixes[:-1] if packed else suffixes)[-1:]), packed


def _open_text(path: Path, plan: TablePlan, *, packed: bool, tabs: bool) -> Sheet:
    name = path.name
    if not plan.encoding:
        encoding = ladder.verdict(lambda: _blocks(path, packed), name)
    else:
        encoding = ladder.known(plan.encoding, name)
        for _ in _blocks(path, packed):
            # The file is read to its end before anything is taken from it.
            pass
    delimiter = plan.delimiter or ("\t" if tabs else ",")
    rows = _records(path, packed, encoding, delimiter)
    first = next((row for row in rows if row[0] >= plan.header), None)
    if first is None:
        raise InputError([reason("intake.empty", name)])
    number, header, wrong = first
    if wrong:
        raise InputError([reason(wrong, f"{name}!-!{number}", encoding=encoding)])
    return Sheet(name, "", checked_header(header, name), _same_width(rows, len(header)), (), encoding)


def checked_header(header: list[str], path: str) -> list[str]:
    """The names of the columns without blanks around them. InputError for far too many."""
    if len(header) > MAX_COLUMNS:
        raise InputError([reason("intake.columns", path, count=len(header), limit=MAX_COLUMNS)])
    return [name.strip() for name in header]


def _same_width(rows: Iterator[Numbered], width: int) -> Iterator[Numbered]:
    for number, cells, wrong in rows:
        if not wrong and len(cells) != width:
            if not any(cells):
                continue
            yield number, cells, "intake.width"
        else:
            yield number, cells, wrong


def _blocks(path: Path, packed: bool) -> Iterator[bytes]:
    """The bytes of a file, unpacked. InputError where it is cut off, damaged, or unpacks to far too much."""
    wrong = ""
    seen, size = 0, max(path.stat().st_size, 1)
    try:
        with _bytes(path, packed) as stream:
            while block := stream.read(_BLOCK):
                seen += len(block)
                if packed and seen > MAX_UNPACKED * _MB and seen > _RATIO * size:
                    wrong = "intake.bomb"
                    break
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError):
        wrong = "intake.damaged"
    if wrong:
        raise InputError([reason(wrong, path.name, limit=MAX_UNPACKED)])


def _bytes(path: Path, packed: bool) -> IO[bytes]:
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _records(path: Path, packed: bool, encoding: str, delimiter: str) -> Iterator[Numbered]:
    """Rows of a CSV file; a row that is no CSV or cannot be decoded is given with the reason, and the rest goes on."""
    opened = gzip.open if packed else open
    with opened(path, "rt", encoding=encoding, errors="surrogateescape", newline="") as stream:
        lines = _Lines(stream, path.name)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.begin()
            bad = False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                bad = True
            if bad:
                # A quote that is not closed swallows what follows: only its own line is refused.
                yield lines.first, [_escaped(lines.again().rstrip("\r\n"))], "intake.csv"
            elif cells and _whole(cells):
                yield lines.first, cells, ""
            elif cells:
                yield lines.first, [_escaped(cell) for cell in cells], "intake.undecodable"


class _Lines:
    """The lines of a text, numbered; those of a row that failed can be read again. InputError for an endless line."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name
        self._again: list[str] = []
        self._taken: list[str] = []
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line: str = self._again.pop() if self._again else self._stream.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise InputError([reason("intake.line_long", self._name, limit=MAX_LINE)])
        self._number += 1
        self._taken.append(line)
        return line

    def begin(self) -> None:
        """A new row begins."""
        self._taken.clear()

    @property
    def first(self) -> int:
        """The number of the line in which the present row begins."""
        return self._number - max(len(self._taken), 1) + 1

    def again(self) -> str:
        """The first line of the present row; the others are read again."""
        first = self._taken[0] if self._taken else ""
        rest = self._taken[1:]
        self._again.extend(reversed(rest))
        self._number -= len(rest)
        self._taken = self._taken[:1]
        return first


def _escaped(cell: str) -> str:
    r"""A cell with the bytes that could not be decoded written as \xb2."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _whole(cells: list[str]) -> bool:
    """Whether every byte could be decoded."""
    text = "".join(cells)
    if text.isascii():
        return True
    try:
        text.encode()
        return True
    except UnicodeEncodeError:
        return False
