"""Bad input: each with its place, reason and remedy; all others are imported; nothing is lost; no value in an error."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
import traceback
import zipfile
from pathlib import Path

import pytest
from intake_support import CUSTOMERS, HEADER, ROWS, desk_of, fresh, numbers, planned, real, shop, workbook

import dossier as ds
from dossier.intake import Report, load_plan
from dossier.intake.compile import wrong_paths

MARK = "不可泄露的客户内容XQZW"
Rejected = list[dict[str, str]]


def _run(tmp_path: Path, plan: Path, files: object) -> tuple[Report, Rejected]:
    """The report of an import into a new archive, and its file of rejects."""
    with fresh("memory:") as archive:
        job = desk_of(archive).imports.plan(plan, files)  # type: ignore[arg-type]
        dry = job.dry_run()
        report = job.apply(rejects=tmp_path / "rejects.csv")
        assert dry.counts == report.counts
        digest = archive.digest()
        assert job.apply().counts.created == 0
        assert archive.digest() == digest
    with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        rejects = list(csv.DictReader(file))
    counts = report.counts
    assert counts.rows == counts.accepted + counts.rejected + counts.quarantined
    for row in rejects:
        assert row["place"] and row["zh"] and row["en"] and row["fix_zh"] and row["fix_en"], row["code"]
    return report, rejects


def _refused(tmp_path: Path, plan: Path, files: object) -> ds.errors.InputError:
    """The error of an import that cannot begin; nothing was written, no cell is told."""
    with fresh("memory:") as archive:
        with pytest.raises(ds.errors.InputError) as caught:
            desk_of(archive).imports.plan(plan, files).apply(rejects=tmp_path / "rejects.csv")  # type: ignore[arg-type]
        assert desk_of(archive).count() == 0
    error = caught.value
    told = "".join(traceback.format_exception(error)) + repr(error.args) + str(error)
    assert MARK not in told and "Val2" not in told
    assert error.__cause__ is None and error.__context__ is None
    for problem in error.problems:
        assert problem.path and problem.zh and problem.en and problem.fix_zh and problem.fix_en
    return error


CELLS = {
    "#DIV/0!": "intake.error_cell",
    "#N/A": "intake.error_cell",
    "18937133779.0": "intake.lost_digits",
    "1.8937133779E+10": "intake.lost_digits",
    "NULL": "intake.null_word",
    "nan": "intake.null_word",
    "13900001111、13900002222": "value.phone_two",
    "9" * 300: "value.too_long",
    "1\0": "value.nul",
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_cannot_be_taken_is_reported_and_the_others_are_imported(tmp_path: Path, cell: str) -> None:
    bad = f"c4,{MARK},{cell},o1,2026-01-09,纸,1"
    report, (row,) = _run(tmp_path, *shop(tmp_path, [*ROWS[:3], bad, *ROWS[3:]]))
    assert numbers(report) == {"rows": 6, "accepted": 5, "rejected": 1, "created": 3, "records": 4}
    assert (row["place"], row["status"], row["code"]) == ("rows.csv!-!5", "rejected", CELLS[cell])
    assert json.loads(row["row"])["name"] == MARK and json.loads(row["row"])["phone"] == cell
    assert MARK not in row["zh"] + row["en"]


@pytest.mark.parametrize(
    ("cell", "said", "key"),
    [("17850.0", "integer_text = true", "17850"), ("Val2 ", "strip = true", "Val2"), ("NULL", 'null = ["NULL"]', "")],
)
def test_what_a_plan_vouches_for_is_taken(tmp_path: Path, cell: str, said: str, key: str) -> None:
    rows = [*ROWS, f"{cell},罗成,13900003333,o1,2026-01-09,纸,1"]
    report, (row,) = _run(tmp_path, *shop(tmp_path, rows))
    assert report.counts.rejected == 1 and row["place"] == "rows.csv!-!7"
    vouched = CUSTOMERS.replace('key = "id"', f'key = {{ column = "id", {said} }}')
    report, rejects = _run(tmp_path / "2", *shop(tmp_path / "2", rows, plan=vouched))
    assert report.counts.created == (4 if key else 3)
    assert [each["code"] for each in rejects] == ([] if key else ["intake.no_key"])


def test_a_number_that_a_float_cannot_hold_is_no_id_even_where_vouched_for(tmp_path: Path) -> None:
    vouched = CUSTOMERS.replace('key = "id"', 'key = { column = "id", integer_text = true }')
    rows = [*ROWS, "41010119900307001234.0,罗成,13900003333,o1,2026-01-09,纸,1"]
    _, (row,) = _run(tmp_path, *shop(tmp_path, rows, plan=vouched))
    assert row["code"] == "intake.lost_digits"


def test_rows_of_another_width_and_open_quotes_are_reported_alone(tmp_path: Path) -> None:
    rows = [*ROWS[:2], "c4,多一格,1,o1,2026-01-01,纸,1,1", "c5,少一格", *ROWS[2:], 'c6,"引号"错,1,o1,2026-01-01,纸,1']
    report, rejects = _run(tmp_path, *shop(tmp_path, rows))
    assert {(row["place"], row["code"]) for row in rejects} == {
        ("rows.csv!-!4", "intake.width"), ("rows.csv!-!5", "intake.width"), ("rows.csv!-!9", "intake.csv"),
    }  # fmt: skip
    assert report.counts.accepted == 5


def test_a_quote_that_is_not_closed_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = [*ROWS[:2], f'c4,"{MARK},1,o1,2026-01-01,纸,1', *ROWS[2:]]
    report, (row,) = _run(tmp_path, *shop(tmp_path, rows))
    assert (row["place"], row["code"]) == ("rows.csv!-!4", "intake.csv") and MARK in row["row"]
    assert report.counts.accepted == 5


def test_places_count_the_lines_of_a_file_also_behind_cells_of_several(tmp_path: Path) -> None:
    rows = [ROWS[0], 'c4,罗成,,o1,2026-01-01,"纸\n\n两刀",1', "c5,尤俊达,NULL,o1,2026-01-01,纸,1"]
    report, (row,) = _run(tmp_path, *shop(tmp_path, rows))
    assert row["place"] == "rows.csv!-!6" and report.counts.records == 2


def test_rows_that_disagree_are_put_aside_where_the_plan_says_so(tmp_path: Path) -> None:
    plan = CUSTOMERS.replace('"basic/name" = "name"', '"basic/name" = { column = "name", collide = "refuse" }')
    rows = [*ROWS, "c3,秦叔宝,13900001111,o9,2026-01-07,砚,1"]
    report, rejects = _run(tmp_path, *shop(tmp_path, rows, plan=plan))
    assert {row["code"] for row in rejects} == {"intake.collision"} and len(rejects) == 2
    assert report.counts.created == 2


def test_a_list_of_parts_may_be_given_as_one_column(tmp_path: Path) -> None:
    plan = CUSTOMERS.replace('"basic/name" = "name"', '"basic/name" = "name"\n"basic/online" = "goods"')
    with fresh("memory:") as archive:
        desk = desk_of(archive)
        desk.imports.plan(*shop(tmp_path, ["c1,单雄信,1,o1,2026-01-01,dan@example.com,1"], plan=plan)).apply()
        (hit,) = desk.find()
        assert [(part.kind, part.account) for part in hit.basic.online] == [("email", "dan@example.com")]


def test_values_that_differ_are_both_kept_and_the_latest_seen_shows(tmp_path: Path) -> None:
    plan = CUSTOMERS.replace('key = "id"', 'key = "id"\nobserved = "day"')
    rows = ["c3,秦叔宝,13900001111,o9,2026-02-07,砚,1", "c3,秦琼,13900001111,o8,2026-01-07,砚,1"]
    with fresh("memory:") as archive:
        desk = desk_of(archive)
        desk.imports.plan(*shop(tmp_path, rows, plan=plan)).apply()
        (hit,) = desk.find(name="叔宝")
        origin = hit.origin("basic/name")
        assert (origin.channel, origin.told_by, origin.observed[:10]) == ("import", "shop", "2026-02-07")
        said = [each.value.full for act in desk.history(hit) for each in act.said if each.path == "basic/name"]
        assert sorted(said) == ["秦叔宝", "秦琼"]


def test_fill_says_nothing_where_the_archive_knows_already(tmp_path: Path) -> None:
    plan = CUSTOMERS.replace('"basic/name" = "name"', '"basic/name" = { column = "name", collide = "fill" }')
    with fresh("memory:") as archive:
        desk = desk_of(archive)
        desk.imports.plan(*shop(tmp_path, ["c1,,13900001111,o1,2026-01-01,纸,1"], plan=plan)).apply()
        (hit,) = desk.find()
        desk.update(hit.id, ds.change("basic", name="单二哥"))
        desk.imports.plan(*shop(tmp_path / "2", ROWS[:1], plan=plan)).apply()
        view = desk.consult(hit.id)
        assert view.basic.name.full == "单二哥" and not view.rivals("basic/name")


# -- encodings ------------------------------------------------------------------------------------


def test_a_file_of_two_encodings_is_asked_about_and_then_read_line_by_line(tmp_path: Path) -> None:
    plan, table = shop(tmp_path)
    lines = table.read_bytes().splitlines(keepends=True)
    lines.insert(3, f"c4,{MARK},13900003333,o1,2026-01-09,纸,1\n".encode("gb18030"))
    table.write_bytes(b"".join(lines))
    assert [p.code for p in _refused(tmp_path, plan, table).problems] == ["intake.encoding"]
    (tmp_path / "rejects.csv").unlink(missing_ok=True)
    plan.write_text(CUSTOMERS.replace('key = "id"', 'key = "id"\nencoding = "utf-8"'), encoding="utf-8")
    report, (row,) = _run(tmp_path, plan, table)
    assert (row["place"], row["code"], row["status"]) == ("rows.csv!-!4", "intake.undecodable", "rejected")
    assert "\\\\x" in row["row"] and "13900003333" in row["row"]
    assert report.counts.accepted == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_ladder_finds_the_encoding(tmp_path: Path, encoding: str) -> None:
    plan, table = shop(tmp_path)
    table.write_bytes(table.read_text(encoding="utf-8").encode(encoding))
    report, rejects = _run(tmp_path, plan, table)
    assert not rejects and report.counts.created == 3


def test_big5_is_not_taken_for_gb18030(tmp_path: Path) -> None:
    text = real("formats", "cjkencodings", "big5-utf8.txt").read_text(encoding="utf-8")
    rows = [f"c{n},{line[:20].replace(',', '')},,o,2026-01-01,x,1" for n, line in enumerate(text.splitlines()) if line]
    plan, table = shop(tmp_path, rows)
    table.write_bytes(table.read_text(encoding="utf-8").encode("big5"))
    report, _ = _run(tmp_path, plan, table)
    assert report.counts.created == len(rows)


# -- files ----------------------------------------------------------------------------------------


def _packed(tmp_path: Path, rows: int = 300) -> tuple[Path, bytes]:
    plan, table = shop(tmp_path, [f"c{n},{MARK}{n},1390000{n:04d},o1,2026-01-09,纸,{n}" for n in range(rows)])
    return plan, gzip.compress(table.read_bytes())


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_refused_whole(tmp_path: Path, cut: float) -> None:
    plan, packed = _packed(tmp_path)
    table = tmp_path / "rows.csv.gz"
    table.write_bytes(packed[: int(len(packed) * cut)])
    error = _refused(tmp_path, plan, table)
    assert [(p.code, p.path) for p in error.problems] == [("intake.damaged", "rows.csv.gz")]
    table.write_bytes(packed)
    (tmp_path / "whole").mkdir()
    assert _run(tmp_path / "whole", plan, table)[0].counts.created == 300


def test_far_too_many_columns_and_endless_lines_are_refused(tmp_path: Path) -> None:
    plan, table = shop(tmp_path)
    table.write_text(",".join(f"{MARK}{n}" for n in range(100_000)), encoding="utf-8")
    assert _refused(tmp_path, plan, table).problems[0].code in ("intake.columns", "intake.line_long")
    table.write_text(",".join("x" for n in range(100_000)), encoding="utf-8")
    assert _refused(tmp_path, plan, table).problems[0].code == "intake.columns"
    table.write_text("x" * 5_000_000, encoding="utf-8")
    assert _refused(tmp_path, plan, table).problems[0].code == "intake.line_long"


def test_as_many_columns_as_there_may_be_are_taken(tmp_path: Path) -> None:
    plan, table = shop(tmp_path)
    for count, taken in ((4096, True), (4097, False)):
        more = count - len(HEADER.split(","))
        lines = [HEADER + "".join(f",c{n}" for n in range(more)), *(row + "," * more for row in ROWS)]
        table.write_text("\n".join(lines), encoding="utf-8")
        if taken:
            report, rejects = _run(tmp_path, plan, table)
            assert report.counts.accepted == len(ROWS) and rejects == []
        else:
            assert _refused(tmp_path, plan, table).problems[0].code == "intake.columns"


def test_a_large_file_that_is_packed_as_files_are_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, packed = _packed(tmp_path)
    table = tmp_path / "rows.csv.gz"
    table.write_bytes(packed)
    # Every file is large then: whether it is taken hangs on how well it is packed.
    monkeypatch.setattr("dossier.intake.sources.MAX_UNPACKED", 0)
    assert _run(tmp_path, plan, table)[0].counts.accepted == len(gzip.decompress(packed).splitlines()) - 1
    (tmp_path / "rejects.csv").unlink(missing_ok=True)
    table.write_bytes(gzip.compress(gzip.decompress(packed) + b"\n" * (1 << 20)))
    assert _refused(tmp_path, plan, table).problems[0].code == "intake.bomb"


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dossier.intake.sources.MAX_UNPACKED", 4)
    monkeypatch.setattr("dossier.intake.workbook.MAX_BOOK", 4)
    plan, _ = shop(tmp_path)
    packed = tmp_path / "bomb.csv.gz"
    with gzip.open(packed, "wb") as out:
        for _ in range(64):
            out.write(b"\n" * (1 << 20))
    assert _refused(tmp_path, plan, packed).problems[0].code == "intake.bomb"
    book = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/worksheets/sheet1.xml", b"0" * (8 << 20))
    pytest.importorskip("python_calamine")
    assert _refused(tmp_path, plan, book).problems[0].code == "intake.bomb"


def test_other_files_and_missing_ones_are_refused(tmp_path: Path) -> None:
    plan, table = shop(tmp_path)
    (tmp_path / "rows.pdf").write_bytes(b"%PDF")
    assert _refused(tmp_path, plan, tmp_path / "rows.pdf").problems[0].code == "intake.format"
    assert _refused(tmp_path, plan, tmp_path / "none.csv").problems[0].code == "intake.missing"
    table.write_text("", encoding="utf-8")
    assert _refused(tmp_path, plan, table).problems[0].code == "intake.empty"


def test_rejects_never_overwrite_a_file(tmp_path: Path) -> None:
    (tmp_path / "rejects.csv").write_text("keep", encoding="utf-8")
    assert _refused(tmp_path, *shop(tmp_path)).problems[0].code == "intake.exists"
    assert (tmp_path / "rejects.csv").read_text(encoding="utf-8") == "keep"


# -- workbooks ------------------------------------------------------------------------------------

GRID = [HEADER.split(","), *(row.split(",") for row in ROWS)]


def test_error_cells_and_numbers_of_a_workbook_are_found(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    rows = [
        *GRID,
        ["c4", MARK, 18937133779, "o1", "2026-01-09", "纸", "1"],
        ["c5", "x", "1", "o1", "2026-01-09", "纸", "#DIV/0!"],
    ]
    report, rejects = _run(tmp_path, shop(tmp_path)[0], workbook(tmp_path / "b.xlsx", {"客户": rows}))
    assert report.counts.accepted == 5
    assert {(row["place"], row["code"]) for row in rejects} == {
        ("b.xlsx!客户!7", "intake.lost_digits"), ("b.xlsx!客户!8", "intake.error_cell"),
    }  # fmt: skip


def test_hidden_sheets_are_left_out_and_told(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    sheets = {"草稿": [["x"]], "客户": GRID}
    book = workbook(tmp_path / "b.xlsx", sheets, hidden=["草稿"])
    report, _ = _run(tmp_path, shop(tmp_path)[0], book)
    assert report.counts.created == 3
    assert [(n.place, n.problem.code) for n in report.notices] == [("b.xlsx!草稿", "intake.hidden")]
    named = CUSTOMERS.replace('key = "id"', 'key = "id"\nsheet = "客户"')
    book = workbook(tmp_path / "c.xlsx", {"客户": GRID}, hidden=["客户"])
    (tmp_path / "2").mkdir()
    report, _ = _run(tmp_path / "2", shop(tmp_path / "2", plan=named)[0], book)
    assert [n.problem.code for n in report.notices] == ["intake.hidden_read"] and report.counts.created == 3


def test_merged_cells_are_not_guessed_unless_the_plan_says_so(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    rows = [GRID[0], GRID[1], [None, *GRID[2][1:]], *GRID[3:]]
    book = workbook(tmp_path / "b.xlsx", {"客户": rows}, merged={"客户": ["A2:A3"]})
    report, (row,) = _run(tmp_path, shop(tmp_path)[0], book)
    assert (row["place"], row["code"]) == ("b.xlsx!客户!3", "intake.merged_row")
    assert [n.problem.code for n in report.notices] == ["intake.merged"]
    filled = CUSTOMERS.replace('key = "id"', 'key = "id"\nmerged = "fill"')
    report, rejects = _run(tmp_path / "2", shop(tmp_path / "2", plan=filled)[0], book)
    assert not rejects and report.counts.accepted == 5


def test_workbooks_without_rows_or_sheets_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    plan = shop(tmp_path)[0]
    assert _refused(tmp_path, plan, workbook(tmp_path / "a.xlsx", {"S": []})).problems[0].code == "intake.empty"
    assert _refused(tmp_path, plan, workbook(tmp_path / "b.xlsx", {})).problems[0].code == "intake.no_sheets"
    (tmp_path / "c.xlsx").write_bytes(b"PK\3\4 no workbook")
    assert _refused(tmp_path, plan, tmp_path / "c.xlsx").problems[0].code == "intake.damaged"
    hidden = workbook(tmp_path / "d.xlsx", {"S": GRID}, hidden=["S"])
    assert _refused(tmp_path, plan, hidden).problems[0].code == "intake.sheet"


def test_a_title_above_the_header_is_skipped_where_the_plan_says_where_it_is(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    plan = shop(tmp_path, plan=CUSTOMERS.replace('key = "id"', 'key = "id"\nheader = 3'))[0]
    book = workbook(tmp_path / "b.xlsx", {"S": [["客户一览"], [], *GRID]}, merged={"S": ["A1:G1"]})
    report, rejects = _run(tmp_path, plan, book)
    assert not rejects and report.counts.created == 3


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    (problem,) = _refused(tmp_path, shop(tmp_path)[0], workbook(tmp_path / "b.xlsx", {"S": GRID})).problems
    assert problem.code == "intake.excel" and "dossier-archive[excel]" in problem.fix_en


# -- plans ----------------------------------------------------------------------------------------

TYPOS = {
    ('key = "id"', 'kee = "id"'): ("intake.key", "key"),
    ('"basic/name"', '"basic/nmae"'): ("intake.key", "basic/name"),
    ('number = "phone"', 'nummer = "phone"'): ("intake.key", "number"),
    ('kind = "order"', 'kind = "oder"'): ("intake.key", "order"),
    ('at = "day"', 'att = "day"'): ("intake.key", "at"),
    ('goods"', 'gods"'): ("intake.column", "goods"),
    ('told_by = "shop"', "told_by = 3"): ("intake.value", "text"),
    ('kind = "person"', 'kind = "persons"'): ("intake.value", ""),
    ('"basic/name" = "name"', '"basic/name" = { column = "name", colide = "fill" }'): ("intake.key", "collide"),
    ('"basic/name" = "name"', '"basic/name" = { column = "name", collide = "latest" }'): ("intake.value", "fill"),
    ('key = "id"', ""): ("intake.required", "key"),
    ('"basic/name"', '"characteristics/sales"'): ("intake.value", "periods"),
    ('"basic/name"', '"transaction_status/total"'): ("intake.key", "transaction_status/"),
    ('name = "shop"', "name = shop"): ("intake.toml", "1"),
}


@pytest.mark.parametrize("typo", TYPOS, ids=lambda typo: typo[1])
def test_a_typo_in_a_plan_is_named_with_what_is_nearest(tmp_path: Path, typo: tuple[str, str]) -> None:
    plan, table = shop(tmp_path, plan=CUSTOMERS.replace(*typo, 1))
    (problem,) = _refused(tmp_path, plan, table).problems
    code, nearest = TYPOS[typo]
    assert problem.code == code
    assert nearest in problem.en + problem.fix_en


def test_all_typos_are_told_at_once(tmp_path: Path) -> None:
    plan, table = shop(tmp_path, plan=CUSTOMERS.replace("basic/name", "basic/nme").replace("amount", "amont"))
    assert len(_refused(tmp_path, plan, table).problems) == 3


def test_files_are_given_for_every_table(tmp_path: Path) -> None:
    with fresh("memory:") as archive, pytest.raises(ds.errors.InputError) as caught:
        planned(archive, "northwind", {"customers": "a.csv", "oders": "b.csv"})
    assert sorted(p.code for p in caught.value.problems) == ["intake.files", "intake.files", "intake.key"]


@pytest.mark.parametrize("name", ["retail", "northwind", "superstore_cn", "hotel", "complaints"])
def test_the_example_plans_load(name: str) -> None:
    plan = load_plan(Path(__file__).parents[2] / "examples" / "plans" / f"{name}.toml")
    assert wrong_paths(plan, ds.registry(), name) == []
    assert plan.name == name and plan.because


def test_whoever_may_not_collect_and_look_may_not_import(tmp_path: Path) -> None:
    with fresh("memory:") as archive:
        for role in ("outsider", "sales"):
            # Sales collect, but do not look: a report would tell them who is a customer.
            desk = archive.acting_as("外人", role=role)
            with pytest.raises(ds.errors.DeniedError):
                desk.imports.plan(*shop(tmp_path)).dry_run()


def test_a_row_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    rows = (
        "c1,单雄信,18612345678,o1,2026-01-05,纸,10",
        "c1,徐懋功,13900001111,o2,2026-01-05,笔,9999999999999",
        "c2,程咬金,0371-65678999转8001,o1,2026-01-06,墨,99999999999999",
    )
    plan, table = shop(tmp_path, rows)
    with fresh("memory:") as archive:
        for writes in (False, True):
            job = desk_of(archive).imports.plan(plan, table)
            rejects = tmp_path / f"{writes}.csv"
            report = (job.apply if writes else job.dry_run)(rejects=rejects)
            assert numbers(report) == {"rows": 3, "accepted": 1, "rejected": 2, "created": 1, "records": 1}
            assert report.reasons == {"record.amount": 2}
            with rejects.open(encoding="utf-8-sig", newline="") as file:
                told = list(csv.DictReader(file))
            assert [each["place"] for each in told] == ["rows.csv!-!3", "rows.csv!-!4"]
            for each in told:
                assert each["status"] == "rejected"
                assert each["en"].startswith("record:order/amount: ")
                assert re.search("须小于 [0-9]", each["zh"])
        (only,) = desk_of(archive).find()
        view = desk_of(archive).consult(only)
        assert ds.reveal(view.basic.name) == "单雄信"
        assert [ds.reveal(each.number) for each in view.basic.phones] == ["18612345678"]
        assert not view.rivals()


def test_all_that_is_wrong_with_a_row_is_said(tmp_path: Path) -> None:
    plan, table = shop(tmp_path, ("c1,单雄信,18612345678,o1,五月,纸,many", "c1,单雄信,18612345678,o2,2026-01-05,纸,1"))
    with fresh("memory:") as archive:
        report = desk_of(archive).imports.plan(plan, table).apply(rejects=tmp_path / "r.csv")
    assert numbers(report)["rejected"] == 1
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        (told,) = csv.DictReader(file)
    assert set(told["code"].split("; ")) == set(report.reasons)
    assert len(report.reasons) == 2
    assert (tmp_path / "r.csv").stat().st_mode & 0o077 == 0


def test_all_that_is_wrong_with_a_plan_is_said(tmp_path: Path) -> None:
    typos = (
        ('kind = "person"', 'kind = "persn"'),
        ('"basic/name" = "name"', '"basic/nam" = { column = "name", digts = 3 }\n"basic/born" = 3'),
        ('field = "basic/phones"', 'feld = "basic/phones"'),
        ('kind = "order"', 'kind = "oder"'),
        ('currency = "CNY" }\n[tables', 'curency = "CNY" }\n[tables'),
    )
    plan = CUSTOMERS
    for right, wrong in typos:
        assert right in plan
        plan = plan.replace(right, wrong, 1)
    problems = _refused(tmp_path, *shop(tmp_path, plan=plan)).problems
    said = " ".join(f"{each.path} {each.en}" for each in problems)
    for name in ("digts", "feld", "oder", "curency", "basic/nam;", "rows/fields/basic/born "):
        assert name in said, name
    assert "person | organization | group" in said
    assert len(set(problems)) == len(problems)
    shops = plan.replace('"basic/nam" =', '"basic/trading_since" = "name"\n"basic/nam" =')
    found = _refused(tmp_path, *shop(tmp_path, plan=shops)).problems
    assert not [each for each in found if "trading_since" in each.en]
