"""A new user with a Chinese workbook and nothing but the command: figures counted beside it, from the same workbook."""

from __future__ import annotations

import collections
import csv
from decimal import Decimal
from pathlib import Path

import pytest
from cli_support import ROOT, WHO, done, valid

FOLDER = ROOT.parent / "shared" / "data" / "superstore_cn"


def _orders(workbook: Path) -> list[dict[str, object]]:
    calamine = pytest.importorskip("python_calamine")
    with calamine.CalamineWorkbook.from_path(str(workbook)) as book:
        head, *rows = book.get_sheet_by_name("订单").to_python()
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.row("M2", "M139")
def test_a_workbook_becomes_an_archive_customers_are_found_and_shown_and_the_copy_is_whole(tmp_path: Path) -> None:
    workbook = FOLDER / "超市_given.xlsx"
    if not workbook.exists():
        pytest.skip("the real data are not there: superstore_cn")
    orders = _orders(workbook)
    totals: dict[str, Decimal] = collections.defaultdict(Decimal)
    for order in orders:
        totals[str(order["客户 ID"])] += Decimal(format(order["销售额"], ".15g"))
    archive, rejects = tmp_path / "超市.db", tmp_path / "未收.csv"
    words = ("--plan", "superstore_cn", "--create", "--zone", "Asia/Shanghai", "--rejects", rejects)
    # One command: the archive. Returns of an order that several customers have belong to nobody, hence 1.
    counts = valid("import", done("import", archive, workbook, *words, *WHO, "--json", code=1))["counts"]
    assert counts["rows"] == len(orders) + 147 == 3228 + 147
    assert counts["created"] == len(totals) == 264
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        assert {row["code"] for row in csv.DictReader(file)} == {"intake.ambiguous"}
    # One command: the greatest customers first, exactly.
    words = ("find", archive, "--order", "-transaction_status/total", "--limit", "264", *WHO, "--json")
    hits = valid("find", done(*words))["hits"]
    assert [Decimal(hit["total"]["amount"]) for hit in hits] == sorted(totals.values(), reverse=True)
    # People who share a name stay apart.
    names = {str(order["客户 ID"]): str(order["客户名称"]) for order in orders}
    shared, times = collections.Counter(names.values()).most_common(1)[0]
    found = valid("find", done("find", archive, shared, *WHO, "--json"))["hits"]
    assert len([hit for hit in found if hit["name"].get("full") == shared]) == times == 2
    # The region belongs to an order; a customer is found by each he had.
    inside = {order["客户 ID"] for order in orders if order["地区"] == "华东"}
    condition = ("--where", "basic/addresses/region = 华东", "--limit", "1000")
    assert len(valid("find", done("find", archive, *condition, *WHO, "--json"))["hits"]) == len(inside)
    # One command: a card; one: the copy; one: the check.
    best = hits[0]
    card = done("show", archive, best["number"], *WHO)
    assert best["name"]["full"] in card
    assert "¥" in card
    copy = tmp_path / "副本.db"
    done("copy", archive, copy)
    assert valid("verify", done("verify", copy, "--json"))["problems"] == []
    assert done("digest", copy) == done("digest", archive)


@pytest.mark.parametrize("name", ["超市_订单_gb18030.csv", "超市_订单_utf8sig.csv"])
def test_a_csv_in_either_encoding_is_the_table_of_orders(name: str, tmp_path: Path) -> None:
    table = FOLDER / name
    if not table.exists():
        pytest.skip("the real data are not there: superstore_cn")
    words = ("import", tmp_path / "a.db", f"orders={table}", "--plan", "superstore_cn", "--create", *WHO)
    counts = valid("import", done(*words, "--json"))["counts"]
    assert (counts["rows"], counts["created"], counts["records"]) == (800, 204, 396)
