"""`dossier tour` on the packaged sample and on a second data set, against figures counted here in plain csv."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

import dossier as ds
from dossier.cli.app import group
from dossier.cli.northwind import SAMPLE, read_sample
from dossier.cli.tour import Tour

SHARED = Path(__file__).parents[4] / "shared" / "data" / "northwind"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the full Northwind files are not here")


@attrs.frozen
class Figures:
    """What a data set holds, counted without the library."""

    customers: int
    orders: int
    late: int
    total: Decimal
    star: str
    star_total: Decimal
    names: tuple[str, ...]


def counted(folder: Path) -> Figures:
    def rows(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    names = {row["CustomerID"]: row["CompanyName"] for row in rows("customers.csv")}
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows("order_details.csv"):
        amounts[row["OrderID"]] += Decimal(row["UnitPrice"]) * int(row["Quantity"]) * (1 - Decimal(row["Discount"]))
    orders = rows("orders.csv")
    days = [row[name][:10] for row in orders for name in ("OrderDate", "ShippedDate") if row[name]]
    today = (dt.date.fromisoformat(max(days)) + dt.timedelta(days=1)).isoformat()
    late = sum((row["ShippedDate"][:10] or today) > row["RequiredDate"][:10] for row in orders)
    per: dict[str, list[Decimal]] = defaultdict(list)
    for row in orders:
        per[row["CustomerID"]].append(amounts[row["OrderID"]])
    star = max(per, key=lambda id: (len(per[id]), id))
    total = sum((amounts[row["OrderID"]] for row in orders), Decimal())
    return Figures(len(names), len(orders), late, total, names[star], sum(per[star], Decimal()), tuple(names.values()))


def money(amount: Decimal) -> str:
    return ds.Money(amount, "USD").text()


def tour(*options: str) -> str:
    result = CliRunner().invoke(group, ["tour", *options])
    assert result.exit_code == 0, result.output
    return result.output


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.row("M2", "M65", "M118", "M124")
@pytest.mark.parametrize(
    "folder", [SAMPLE, pytest.param(SHARED, marks=needs_shared)], ids=["packaged", "second data set"]
)
def test_tour_says_what_the_files_hold(folder: Path) -> None:
    wanted = counted(folder)
    said = flat(tour("--data", str(folder)))
    assert f"{wanted.customers} customers and {wanted.orders} orders in the files" in said
    assert f"{wanted.customers} files, numbers KH-1998-00001 … KH-1998-{wanted.customers:05}; refused: 0" in said
    assert f"{wanted.orders} orders entered, {wanted.late} of them late." in said
    read_back = f"{wanted.customers} customers, {wanted.orders} orders, {money(wanted.total)} in all"
    assert f"Read back from the archive: {read_back}" in said
    assert f"the sales of {wanted.star} in 1997" in said
    assert said.count(money(wanted.star_total)) >= 2
    part = re.search(r'part of a name "(.+?)": (\d+) found', said)
    assert part is not None
    assert int(part[2]) == sum(part[1].casefold() in name.casefold() for name in wanted.names)


def test_tour_shows_claims_views_refusal_history_and_ledger() -> None:
    said = flat(tour())
    assert "a visit 拜访 notes USD 1,200,000.00; the card shows USD 1,200,000.00" in said
    assert "says USD 2,500,000.00; the card still shows USD 1,200,000.00" in said
    assert "found USD 900,000.00; now the card shows USD 900,000.00" in said
    assert re.search(r"agency USD 900,000.00 1998-04-23 \*", said)
    assert "sales as known on 1998-04-07: USD 1,200,000.00; as known on 1998-05-07: USD 900,000.00" in said
    assert "sales asks for the file: role sales may not consult" in said
    assert re.search(r"\d+ events in \d+ lane\(s\), the chain is whole", said)
    assert re.search(r"digest of the whole archive: [0-9a-f]{64}", said)
    assert "What next" in said
    # the body feature needs a purpose that service does not have: it stands on one of the two cards only
    assert said.count("body features") == 1
    assert said.count("taboos no deliveries") == 2
    assert "客户档案卡" not in said


def test_tour_in_chinese() -> None:
    said = flat(tour("--lang", "zh"))
    assert "客户档案导览" in said
    assert "业务人员查阅: 角色 sales 不得查寻" in said
    assert "接下来" in said


def test_tour_keeps_the_archive_and_never_overwrites(tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    assert str(kept) in tour("--keep", str(kept)).replace("\n", "")
    with ds.open(str(kept)) as archive:
        desk = archive.acting_as("周敏", role="manager", purpose="manage")
        assert desk.count() == 20
        (hit,) = desk.find(where=ds.field("basic/short_names") == "ALFKI")
        assert ds.known(hit.basic.name)
    again = CliRunner().invoke(group, ["tour", "--keep", str(kept)])
    assert again.exit_code == 2
    assert "[repository.exists]" in again.output


def test_tour_names_file_and_row_that_cannot_be_read(tmp_path: Path) -> None:
    for name in ("customers.csv", "orders.csv", "order_details.csv"):
        shutil.copy(SAMPLE / name, tmp_path / name)

    def refused() -> str:
        result = CliRunner().invoke(group, ["tour", "--data", str(tmp_path / "customers.csv")])
        assert result.exit_code == 2
        return result.output

    customers = (tmp_path / "customers.csv").read_bytes()
    (tmp_path / "customers.csv").write_bytes(customers.decode().encode("cp1252"))
    assert "customers.csv is not UTF-8" in refused()
    (tmp_path / "customers.csv").write_bytes(customers.replace(b"CompanyName", b"Company"))
    assert "customers.csv has no column 'CompanyName'" in refused()
    (tmp_path / "customers.csv").write_bytes(customers)
    details = (tmp_path / "order_details.csv").read_text()
    (tmp_path / "order_details.csv").write_text(details + "10250,1,free,1,0\n")
    assert f"order_details.csv row {details.count(chr(10)) + 1} cannot be read" in refused()
    (tmp_path / "order_details.csv").unlink()
    assert "order_details.csv is missing" in refused()


def test_rows_that_belong_to_nobody_are_counted(tmp_path: Path) -> None:
    for name in ("customers.csv", "orders.csv", "order_details.csv"):
        shutil.copy(SAMPLE / name, tmp_path / name)
    with (tmp_path / "order_details.csv").open("a") as file:
        file.write("1,1,1.00,1,0\n")
    with (tmp_path / "orders.csv").open("a") as file:
        file.write("2,NOONE,4,1996-07-08,1996-08-05,1996-07-12,2,65.83,x,x,x,,,x\n")
    said = flat(tour("--data", str(tmp_path)))
    assert "20 customers and 241 orders in the files; rows that belong to nobody: 2" in said


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys\nsys.modules['click'] = None\nfrom dossier.cli import main\nmain()\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert 'pip install "dossier-archive[cli,sqlite]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_cards_stand_one_below_the_other_where_it_is_narrow(tmp_path: Path) -> None:
    for width, abreast in ((80, False), (120, True)):
        console = Console(width=width, file=io.StringIO(), highlight=False)
        Tour(console, read_sample(SAMPLE), "en").run(str(tmp_path / f"{width}.db"), kept=False)
        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        assert max(map(cell_len, lines)) <= width
        (title,) = (line for line in lines if "service, purpose: serve" in line)
        assert ("manager, purpose: manage" in title) is abreast


def test_an_output_without_chinese_does_not_end_the_tour() -> None:
    code = "import sys; sys.argv = ['dossier', 'tour']; from dossier.cli import main; main()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "What next" in done.stdout
