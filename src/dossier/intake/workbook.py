"""Sheets of workbooks (.xlsx, .xlsm, .xls, .xlsb, .ods) as rows of text. Floor: intake. Needs the extra `excel`.

calamine gives every number as a float and an error cell as an empty one; so numbers become the text that a float is
written as (17850.0), and error cells of OOXML files are looked up in the sheet itself.
"""

from __future__ import annotations

import datetime as dt
import importlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from dossier.errors import InputError
from dossier.intake.plan import TablePlan
from dossier.intake.reasons import reason
from dossier.intake.report import Notice
from dossier.intake.sources import Numbered, Sheet, checked_header

MAX_BOOK = 1024
"""MB that a workbook may unpack to."""
_MB = 1024 * 1024
ERROR = "#ERROR!"
"""What stands for an error cell."""
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\bt="e"[^>]*>')
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CHUNK = 1 << 20
_TAG = 4096


def open_sheet(path: Path, plan: TablePlan) -> Sheet:
    """The sheet that a plan names, else the first that is not hidden. InputError where there is none."""
    name = path.name
    calamine = _calamine(name)
    if zipfile.is_zipfile(path):
        _small_enough(path)
    book = _book(calamine, path)
    sheets = [meta for meta in book.sheets_metadata if meta.typ == calamine.SheetTypeEnum.WorkSheet]
    if not sheets:
        raise InputError([reason("intake.no_sheets", name)])
    hidden = {meta.name for meta in sheets if meta.visible != calamine.SheetVisibleEnum.Visible}
    wanted = plan.sheet or next((meta.name for meta in sheets if meta.name not in hidden), "")
    if wanted not in {meta.name for meta in sheets}:
        raise InputError([reason("intake.sheet", name, sheet=plan.sheet or "-")])
    sheet = book.get_sheet_by_name(wanted)
    notices = [Notice(f"{name}!{wanted}", reason("intake.hidden_read", f"{name}!{wanted}"))] if wanted in hidden else []
    if not plan.sheet:
        # A plan that names its sheets has left the others out on purpose.
        notices.extend(Notice(f"{name}!{each}", reason("intake.hidden", f"{name}!{each}")) for each in sorted(hidden))
    merged = [(a, b) for a, b in (sheet.merged_cell_ranges or []) if a != b]
    if merged:
        notices.append(Notice(f"{name}!{wanted}", reason("intake.merged", f"{name}!{wanted}", count=len(merged))))
    left = (sheet.start or (0, 0))[1]
    # Rows come from the top of the sheet, blank ones too; cells from the first column that is used.
    rows = enumerate(sheet.iter_rows())
    header: list[str] = []
    for number, values in rows:
        header = [_text(value) for value in values]
        if any(header) and number + 1 >= plan.header:
            break
    else:
        raise InputError([reason("intake.empty", f"{name}!{wanted}")])
    header = checked_header(header, f"{name}!{wanted}")
    errors = error_cells(path, wanted) if path.suffix.lower() in (".xlsx", ".xlsm") else {}
    return Sheet(name, wanted, header, _rows(rows, left, len(header), errors, merged, plan.merged), tuple(notices))


def _rows(
    rows: Iterator[tuple[int, list[Any]]],
    left: int,
    width: int,
    errors: dict[int, list[int]],
    merged: list[tuple[tuple[int, int], tuple[int, int]]],
    how: str,
) -> Iterator[Numbered]:
    below: dict[int, list[tuple[int, int, int]]] = {}
    for (first, start), (last, end) in merged:
        for row in range(first, min(last, first + 100_000) + 1):
            below.setdefault(row, []).append((first, start, end))
    held: dict[tuple[int, int], list[str]] = {}
    for number, values in rows:
        cells = [_text(value) for value in values]
        cells.extend([""] * (width - len(cells)))
        for column in errors.get(number, ()):
            if 0 <= column - left < len(cells):
                cells[column - left] = ERROR
        wrong = ""
        for first, start, end in below.get(number, ()):
            span = slice(max(start - left, 0), end - left + 1)
            if number == first:
                held[first, start] = [cells[span.start]] * (end - start + 1)
            if how == "fill":
                cells[span] = held.get((first, start), cells[span])
            elif number > first:
                wrong = "intake.merged_row"
        if any(cells):
            yield number + 1, cells, wrong or ("intake.width" if len(cells) > width and any(cells[width:]) else "")


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is float:
        return repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def error_cells(path: Path, sheet: str) -> dict[int, list[int]]:
    """Row → columns (both from 0) of the error cells of a sheet."""
    found: dict[int, list[int]] = {}
    try:
        with zipfile.ZipFile(path) as book:
            part = _part(book, sheet)
            if part is None:
                return found
            with book.open(part) as stream:
                kept = b""
                while block := stream.read(_CHUNK):
                    kept += block
                    end = 0
                    for match in _ERROR_CELL.finditer(kept):
                        end = match.end()
                        place = _REFERENCE.search(match[0])
                        if place is not None:
                            found.setdefault(int(place[2]) - 1, []).append(_column(place[1]))
                    kept = kept[max(end, len(kept) - _TAG) :]
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, OSError):
        pass
    return found


def _part(book: zipfile.ZipFile, sheet: str) -> str | None:
    named = ElementTree.fromstring(book.read("xl/workbook.xml"))
    wanted = next((e.get(_RELATION) for e in named.iter() if e.tag.endswith("}sheet") and e.get("name") == sheet), None)
    for each in ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels")):
        if each.get("Id") == wanted:
            target = str(each.get("Target"))
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _small_enough(path: Path) -> None:
    total = -1
    try:
        with zipfile.ZipFile(path) as book:
            total = sum(part.file_size for part in book.infolist())
    except zipfile.BadZipFile:
        pass
    if total > MAX_BOOK * _MB:
        raise InputError([reason("intake.bomb", path.name, limit=MAX_BOOK)])
    if total < 0:
        raise InputError([reason("intake.damaged", path.name)])


def _book(calamine: Any, path: Path) -> Any:
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except (calamine.CalamineError, OSError, ValueError):
        pass
    raise InputError([reason("intake.damaged", path.name)])


def _calamine(name: str) -> Any:
    found: Any = None
    try:
        found = importlib.import_module("python_calamine")
    except ImportError:
        pass
    if found is None:
        raise InputError([reason("intake.excel", name)])
    return found
