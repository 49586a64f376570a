"""What the tests of import share: archives that replay, the plans, the real files, workbooks with odd cells."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

import dossier as ds
from dossier.desk.imports import PlannedImport
from dossier.intake import Report

ROOT = Path(__file__).parents[2]
PLANS = ROOT / "examples" / "plans"
DATA = ROOT.parent / "shared" / "data"
NOW = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)


def real(*steps: str) -> Path:
    """A real file, or the test is skipped."""
    path = DATA.joinpath(*steps)
    if not path.exists():
        pytest.skip(f"the real data are not there: {'/'.join(steps)}")
    return path


def environment(seed: str = "seed") -> ds.Environment:
    """A clock that stands still and chance that repeats itself."""
    drawn = 0

    def random(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed}{drawn}".encode()).digest(count)

    return ds.Environment(now=ds.ManualClock(NOW), random=random)


def fresh(url: str, seed: str = "seed") -> ds.Archive:
    """A new archive in which the clerk is enrolled."""
    archive = ds.create(url, zone="Asia/Shanghai", level="session", environment=environment(seed))
    desk_of(archive)
    return archive


def desk_of(archive: ds.Archive) -> ds.Desk:
    """The clerk's desk."""
    return archive.acting_as("王芳", role="manager", purpose="manage")


def planned(archive: ds.Archive, plan: str, files: object) -> PlannedImport:
    """An import by one of the example plans."""
    return desk_of(archive).imports.plan(PLANS / f"{plan}.toml", files)  # type: ignore[arg-type]


def numbers(report: Report) -> dict[str, int]:
    """The counts that are not zero."""
    names = report.counts.__slots__
    found = {name: getattr(report.counts, name) for name in names if name != "__weakref__"}
    return {name: value for name, value in found.items() if value}


CUSTOMERS = """\
name = "shop"
kind = "person"
told_by = "shop"
[tables.rows]
key = "id"
[tables.rows.fields]
"basic/name" = "name"
[[tables.rows.parts]]
field = "basic/phones"
[tables.rows.parts.set]
number = "phone"
[[tables.rows.records]]
kind = "order"
key = "order"
[tables.rows.records.set]
at = "day"
amount = { sum = "lines", currency = "CNY" }
[tables.rows.records.lines]
product = "goods"
amount = { column = "sum", currency = "CNY" }
"""
HEADER = "id,name,phone,order,day,goods,sum"
ROWS = (
    "c1,单雄信,18612345678,o1,2026-01-05,纸,10.005",
    "c1,单雄信,18612345678,o1,2026-01-05,笔,2.5",
    "c1,单雄信,18612345678,o2,2026-02-01,纸,1",
    "c2,程咬金,0371-65678999转8001,o1,2026-01-06,墨,7",
    "c3,秦琼,13900001111,o9,2026-01-07,砚,99.99",
)


def shop(
    tmp_path: Path, rows: Sequence[str] = ROWS, *, plan: str = CUSTOMERS, name: str = "rows.csv"
) -> tuple[Path, Path]:
    """(plan, file) of a small shop."""
    tmp_path.mkdir(parents=True, exist_ok=True)
    toml, table = tmp_path / "shop.toml", tmp_path / name
    toml.write_text(plan, encoding="utf-8")
    table.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return toml, table


# -- workbooks ------------------------------------------------------------------------------------

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACK = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
Grid = Sequence[Sequence[object]]


def workbook(
    path: Path,
    sheets: Mapping[str, Grid],
    *,
    hidden: Sequence[str] = (),
    merged: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """A workbook with the given cells: text, numbers; text that starts with # and ends with ! or A is an error cell."""
    names = list(sheets)
    parts = [f"xl/worksheets/sheet{n}.xml" for n, _ in enumerate(names, 1)]
    override = "".join(f'<Override PartName="/{p}" ContentType="{_SHEET}.worksheet+xml"/>' for p in parts)
    types = (
        f'<Types xmlns="{_PACK}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>{override}</Types>'
    )
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}"{" state=" + quoteattr("hidden") if name in hidden else ""} '
        f'r:id="r{n}"/>'
        for n, name in enumerate(names, 1)
    )
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{listed}</sheets></workbook>'
    ties = "".join(
        f'<Relationship Id="r{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n, _ in enumerate(names, 1)
    )
    top = f'<Relationship Id="r1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("[Content_Types].xml", types)
        out.writestr("_rels/.rels", f'<Relationships xmlns="{_PACK}/relationships">{top}</Relationships>')
        out.writestr("xl/workbook.xml", book)
        out.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACK}/relationships">{ties}</Relationships>'
        )
        for part, name in zip(parts, names, strict=True):
            ranges = (merged or {}).get(name, ())
            merges = "".join(f'<mergeCell ref="{each}"/>' for each in ranges)
            below = f"<mergeCells>{merges}</mergeCells>" if merges else ""
            rows = "".join(
                f'<row r="{r}">{"".join(_cell(c, r, value) for c, value in enumerate(row))}</row>'
                for r, row in enumerate(sheets[name], 1)
            )
            out.writestr(part, f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{below}</worksheet>')
    return path


def _cell(column: int, row: int, value: object) -> str:
    place = f"{chr(65 + column)}{row}"
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    kind = "e" if re.match(r"#.*[!A]\Z", str(value)) else "str"
    return f'<c r="{place}" t="{kind}"><v>{escape(str(value))}</v></c>'
