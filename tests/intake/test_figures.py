"""The plans on real files: the figures that were computed independently come out (row M71 and `expected/`)."""

from __future__ import annotations

import collections
import csv
import gzip
import json
import re
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from intake_support import DATA, desk_of, fresh, numbers, planned, real

import dossier as ds
from dossier.desk.records import RecordView


def _records(desk: ds.Desk) -> list[tuple[ds.DossierView, RecordView]]:
    """Every record of every dossier."""
    found = []
    after: str | None = None
    while True:
        page = desk.find(limit=500, after=after)
        for hit in page:
            cursor: str | None = None
            while True:
                records = hit.records(limit=1000, after=cursor)
                found.extend((hit, record) for record in records)
                cursor = records.cursor
                if cursor is None:
                    break
        after = page.cursor
        if after is None:
            return found


def _rejects(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_retail_one_day(tmp_path: Path) -> None:
    table = real("retail", "one_day_2010-12-01.csv")
    with table.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    with fresh("memory:") as archive:
        report = planned(archive, "retail", table).apply(rejects=tmp_path / "rejects.csv")
        _retail(desk_of(archive), report, lines, _rejects(tmp_path / "rejects.csv"))


@pytest.mark.nightly
def test_retail_given(tmp_path: Path) -> None:
    table = real("retail", "online_retail_given.csv.gz")
    expected = json.loads((DATA / "expected" / "GIVEN_retail.json").read_text())
    with gzip.open(table, "rt", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    with fresh(str(tmp_path / "retail.db")) as archive:
        job = planned(archive, "retail", table)
        started = time.monotonic()
        report = job.apply(rejects=tmp_path / "rejects.csv")
        print(f"retail: {time.monotonic() - started:.1f} s")  # noqa: T201 - a figure for the record, no bound of a test
        desk = desk_of(archive)
        net, orders, returns = _retail(desk, report, lines, _rejects(tmp_path / "rejects.csv"))
        assert report.counts.rows == expected["rows"]
        assert report.counts.created == expected["customers"]
        assert report.counts.quarantined == expected["rows_without_customer"]
        assert report.counts.duplicated == expected["exact_duplicate_rows_beyond_first"]
        assert net == Decimal(expected["net_amount_with_customer"])
        assert returns == Decimal(expected["cancel_amount_with_customer"])
        assert orders == net - returns
        top = collections.Counter[str]()
        for hit, record in _records(desk):
            top[hit.id] += record.content.amount.amount
        best = [f"{amount.normalize():f}" for _, amount in top.most_common(10)]
        assert best == [f"{Decimal(amount).normalize():f}" for _, amount in expected["top10_net_all_time"]]


def _retail(
    desk: ds.Desk, report: Any, lines: list[dict[str, str]], rejects: list[dict[str, str]]
) -> tuple[Decimal, Decimal, Decimal]:
    """(net, orders, returns), after comparing the archive with the file line by line."""
    mine = [line for line in lines if line["CustomerID"]]
    repeated = sum(times - 1 for times in collections.Counter(tuple(line.values()) for line in lines).values())
    counts = numbers(report)
    assert counts["rows"] == len(lines)
    assert counts["accepted"] == len(mine)
    assert counts["quarantined"] == len(lines) - len(mine)
    assert counts["duplicated"] == repeated
    assert counts["created"] == len({line["CustomerID"] for line in mine})
    assert counts["records"] == len({line["InvoiceNo"] for line in mine})
    said = collections.Counter((row["status"], row["code"]) for row in rejects)
    assert said == {
        ("quarantined", "intake.no_key"): len(lines) - len(mine),
        ("duplicate", "intake.duplicate"): repeated,
    }
    sums = collections.Counter[str]()
    kinds = collections.Counter[str]()
    for line in mine:
        sums[line["InvoiceNo"]] += Decimal(line["Quantity"]) * Decimal(line["UnitPrice"])  # type: ignore[assignment]
    totals = {"order": Decimal(), "return_case": Decimal()}
    for _, record in _records(desk):
        kinds[record.kind] += 1
        amount = record.content.amount.amount
        assert amount == sums.pop(record.content.ref)
        assert record.content.amount.currency == "GBP"
        totals[record.kind] += amount
    assert not sums
    assert kinds["return_case"] == len({line["InvoiceNo"] for line in mine if line["InvoiceNo"].startswith("C")})
    return sum(totals.values(), Decimal()), totals["order"], totals["return_case"]


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_memory_stays_flat(tmp_path: Path) -> None:
    """Three times the lines and customers take no more memory; measured in processes of their own."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from intake_support import fresh, planned\n"
        "from pathlib import Path\n"
        "with fresh('memory:') as archive:\n"
        "    planned(archive, 'retail', Path(sys.argv[2])).dry_run()\n"
        # of this program alone: what `getrusage` says begins with the size of the parent
        "print([int(line.split()[1]) // 1024 for line in open('/proc/self/status') if 'VmHWM' in line][0])\n"
    )
    one = real("retail", "one_day_2010-12-01.csv").read_text(encoding="utf-8").splitlines()
    peaks = []
    for times in (20, 60):
        table = tmp_path / f"{times}.csv"
        with table.open("w", encoding="utf-8") as out:
            out.write(one[0] + "\n")
            for day in range(times):
                # other invoices and other customers each time
                numbered = rf",{day}9\1.0,"
                out.writelines(f"{day}-{re.sub(r',([0-9]+)[.]0,', numbered, line)}\n" for line in one[1:])
        ran = subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent), str(table)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(ran.stdout))
    print(f"peak MB: {peaks}")  # noqa: T201
    assert max(peaks) <= 250
    assert peaks[1] <= peaks[0] * 1.25


# -- superstore -----------------------------------------------------------------------------------


def test_superstore_in_two_encodings_is_one_archive() -> None:
    digests = set()
    for name in ("超市_订单_gb18030.csv", "超市_订单_utf8sig.csv"):
        with fresh("memory:") as archive:
            report = planned(archive, "superstore_cn", {"orders": real("superstore_cn", name)}).apply()
            assert numbers(report) == {"rows": 800, "accepted": 800, "created": 204, "records": 396}
            digests.add(archive.digest())
    assert len(digests) == 1


def test_superstore_people_who_share_a_name_stay_apart_and_returns_reach_their_customers(tmp_path: Path) -> None:
    calamine = pytest.importorskip("python_calamine")
    path = real("superstore_cn", "超市_given.xlsx")
    with calamine.CalamineWorkbook.from_path(str(path)) as book:
        head, *rows = book.get_sheet_by_name("订单").to_python()
        returned = {row[0] for row in book.get_sheet_by_name("退货").to_python()[1:]}
    orders = [dict(zip(head, row, strict=True)) for row in rows]
    holders: dict[str, set[str]] = {}
    for order in orders:
        holders.setdefault(order["订单 ID"], set()).add(order["客户 ID"])
    clear = {order for order in returned if len(holders[order]) == 1}
    with fresh("memory:") as archive:
        report = planned(archive, "superstore_cn", path).apply(rejects=tmp_path / "rejects.csv")
        desk = desk_of(archive)
        assert report.counts.created == len({order["客户 ID"] for order in orders}) == 264
        assert report.counts.rows == len(orders) + len(returned) == 3228 + 147
        names = collections.Counter(hit.basic.name.full for hit in desk.find(limit=1000))
        assert names == collections.Counter(name for _, name in {(o["客户 ID"], o["客户名称"]) for o in orders})
        assert max(names.values()) == 2
        found = _records(desk)
        reached = {record.content.ref: hit for hit, record in found if record.kind == "return_case"}
        assert set(reached) == clear
        for ref, hit in reached.items():
            # Whoever has the return has the order, and nobody else has that order.
            assert ref in {r.content.ref for h, r in found if h.id == hit.id and r.kind == "order"}
            assert {h.id for h, r in found if r.kind == "order" and r.content.ref == ref} == {hit.id}
        # Of an order id that several customers have, nobody can tell whose return it was: put aside, none guessed.
        aside = [row for row in _rejects(tmp_path / "rejects.csv") if row["code"] == "intake.ambiguous"]
        assert {json.loads(row["row"])["订单 ID"] for row in aside} == returned - clear
        assert len(aside) + len(reached) == 147
        assert all(row["place"].startswith("超市_given.xlsx!退货!") for row in aside)
        total = sum((r.content.amount.amount for _, r in found if r.kind == "order"), Decimal())
        assert abs(total - sum(Decimal(repr(order["销售额"])) for order in orders)) < Decimal("0.001")


# -- hotel, complaints, northwind -----------------------------------------------------------------


def _hotel(archive: ds.Archive, table: Path) -> None:
    with table.open(encoding="utf-8", newline="") as file:
        bookings = list(csv.DictReader(file))
    report = planned(archive, "hotel", table).apply()
    assert report.counts.created == report.counts.accepted == len(bookings)
    repeated = sum(n - 1 for n in collections.Counter(tuple(b.values()) for b in bookings).values())
    assert report.counts.duplicated == repeated
    found = _records(desk_of(archive))
    states = collections.Counter(record.state for _, record in found if record.kind == "order")
    cancelled = sum(booking["is_canceled"] == "1" for booking in bookings)
    assert states == {"cancelled": cancelled, "delivered": len(bookings) - cancelled}
    asked = collections.Counter(record.content.text for _, record in found if record.kind == "observation")
    requests = collections.Counter(b["total_of_special_requests"] for b in bookings)
    assert asked == {f"special requests: {n}": times for n, times in requests.items() if n != "0"}
    spent = sum(
        (record.content.amount.amount for _, record in found if record.kind == "order" and record.state == "delivered"),
        Decimal(),
    )
    assert spent == sum(
        Decimal(b["adr"]) * (int(b["stays_in_weekend_nights"]) + int(b["stays_in_week_nights"]))
        for b in bookings
        if b["is_canceled"] == "0"
    )


def test_hotel_requests_are_records_and_cancellations_states(tmp_path: Path) -> None:
    lines = real("hotel", "hotel_bookings_stirwin.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    sample = tmp_path / "bookings.csv"
    sample.write_text("".join([lines[0], *lines[1::13]]), encoding="utf-8")
    with fresh("memory:") as archive:
        _hotel(archive, sample)


@pytest.mark.nightly
def test_hotel_given(tmp_path: Path) -> None:
    table = real("hotel", "hotel_bookings_stirwin.csv")
    expected = json.loads((DATA / "expected" / "GIVEN_hotel.json").read_text())
    with fresh(str(tmp_path / "hotel.db")) as archive:
        _hotel(archive, table)
        found = _records(desk_of(archive))
        assert sum(r.state == "cancelled" for _, r in found if r.kind == "order") == expected["cancelled"]
        wanted = sum(times for n, times in expected["special_requests"].items() if n != "0")
        assert sum(r.kind == "observation" for _, r in found) == wanted


def test_complaints_keep_their_lines_and_get_a_day_to_be_answered_by() -> None:
    table = real("complaints", "cfpb_even.csv")
    with table.open(encoding="utf-8", newline="") as file:
        rows = {row["complaint_id"]: row for row in csv.DictReader(file)}
    with fresh("memory:") as archive:
        report = planned(archive, "complaints", table).apply()
        assert numbers(report) == {"rows": 68, "accepted": 68, "created": 68, "records": 68}
        for _, record in _records(desk_of(archive)):
            row = rows[record.content.ref]
            assert row["consumer_complaint_narrative"].strip() in record.content.text
            days = record.content.due.earliest - ds.PartialDate.parse(row["date_sent_to_company"]).earliest
            assert days.days == 15
            assert (record.state == "closed") == row["company_response_to_consumer"].startswith("Closed")


def test_northwind_joins_lines_to_orders_and_orders_to_customers() -> None:
    files = {"customers": "customers.csv", "orders": "orders.csv", "details": "order_details.csv"}
    paths = {table: real("northwind", name) for table, name in files.items()}
    read: dict[str, list[dict[str, str]]] = {}
    for table, path in paths.items():
        with path.open(encoding="utf-8", newline="") as file:
            read[table] = list(csv.DictReader(file))
    with fresh("memory:") as archive:
        report = planned(archive, "northwind", paths).apply()
        assert report.counts.accepted == sum(map(len, read.values()))
        assert report.counts.created == len(read["customers"])
        assert report.counts.records == len(read["orders"])
        sums = collections.Counter[str]()
        for line in read["details"]:
            exact = Decimal(line["UnitPrice"]) * Decimal(line["Quantity"]) * (1 - Decimal(line["Discount"]))
            sums[line["OrderID"]] += exact  # type: ignore[assignment]
        whose = {row["OrderID"]: row["CustomerID"] for row in read["orders"]}
        names = {row["CustomerID"]: row["CompanyName"] for row in read["customers"]}
        for hit, record in _records(desk_of(archive)):
            assert names[whose[record.content.ref]] == hit.basic.name
            assert record.content.amount == ds.Money(sums[record.content.ref], "USD")


def test_northwind_in_cp1252_is_asked_about_never_read_as_chinese() -> None:
    path = real("northwind", "customers_cp1252.csv")
    others = {"orders": real("northwind", "orders.csv"), "details": real("northwind", "order_details.csv")}
    with fresh("memory:") as archive:
        with pytest.raises(ds.errors.InputError) as caught:
            planned(archive, "northwind", {"customers": path, **others}).apply()
        (problem,) = caught.value.problems
        assert problem.code == "intake.encoding" and "cp1252" in problem.en
        assert desk_of(archive).count() == 0
