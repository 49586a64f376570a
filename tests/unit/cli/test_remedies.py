"""What is said leads somewhere: nearest names, lists, the option that helps; nothing is taken for what it is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_support import FILES, SAMPLE, WHO, done, run, sample, valid

from dossier import errors
from dossier.cli import faults
from dossier.cli.making import read_plan, tables
from dossier.errors import InputError


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("shop"))


def test_history_tells_the_time_of_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    done("import", path, *FILES, "--plan", "northwind", "--create", "--zone", "Pacific/Kiritimati", *WHO)
    number = valid("find", done("find", path, "--limit", "1", *WHO, "--json"))["hits"][0]["number"]
    told = valid("history", done("history", path, number, *WHO, "--json"))["acts"][0]
    head, first, *_ = done("history", path, number, *WHO, "--lang", "en").splitlines()
    assert "at (Pacific/Kiritimati)" in head
    hour = int(first.split()[2][:2])
    assert hour == (int(told["at"][11:13]) + 14) % 24
    # The day that is shown is one that --known takes.
    assert number in done("history", path, number, *WHO, "--known", first.split()[1])
    missing = run("history", path, number, *WHO, "--known", "1999-01-01")
    assert missing.exit_code == 2
    assert "cli.then" in missing.stderr
    assert "dossier.not_found" in run("history", path, "KH-1900-00001", *WHO, "--known", "1999-01-01").stderr


def test_one_text_file_is_the_table_that_is_needed(tmp_path: Path) -> None:
    head = "订单 ID,订单日期,发货日期,邮寄方式,客户 ID,客户名称,城市,省/自治区,地区,产品 ID,子类别,产品名称,销售额,数量"
    row = "U1,2015-01-02,2015-01-05,标准级,曾惠-14485,曾惠,杭州,浙江,华东,P1,用品,剪刀,129.696,2"
    (tmp_path / "orders.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    words = ("import", tmp_path / "a.db", tmp_path / "orders.csv", "--plan", "superstore_cn", "--create", *WHO)
    assert valid("import", done(*words, "--json"))["counts"]["records"] == 1
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    result = run(*words)
    assert "intake.no_column" in result.stderr
    assert "TABLE=FILE" in result.stderr
    assert "最接近的是 -" not in result.stderr


def test_tables_that_there_are_not_and_folders(tmp_path: Path) -> None:
    plan = read_plan("northwind")
    with pytest.raises(InputError) as caught:
        tables(plan, (f"ord={SAMPLE / 'orders.csv'}", str(tmp_path), f"orders={tmp_path / 'none.csv'}"))
    assert [each.code for each in caught.value.problems] == [
        "cli.table_unknown", "cli.file_folder", "cli.file_missing",
    ]  # fmt: skip
    assert "customers, orders" in caught.value.problems[0].en
    assert caught.value.problems[0].fix_en.endswith("orders")


def test_kinds_of_records_are_said_with_and_without_what_marks_them(shop: Path, tmp_path: Path) -> None:
    number = valid("find", done("find", shop, "--limit", "1", *WHO, "--json"))["hits"][0]["number"]
    plain = done("show", shop, number, "--records", "order", *WHO)
    assert done("show", shop, number, "--records", "record:order", *WHO) == plain
    for words in (("show", shop, number), ("export", shop, tmp_path / "x.csv")):
        result = run(*words, "--records", "oder", *WHO)
        assert result.exit_code == 2
        assert "cli.records" in result.stderr
        assert "the nearest is order" in result.stderr
        assert "record:order" not in result.stderr
    done("export", shop, tmp_path / "y.csv", "--records", "record:order", *WHO)
    assert "cli.records_all" in run("export", shop, tmp_path / "z.csv", "--records", "all", *WHO).stderr
    assert "order" in done("show", shop, number, "--records", "all", *WHO)
    assert "none found" in done("show", shop, number, "--records", "visit", "--lang", "en", *WHO)
    assert "没有符合的" in done("find", shop, "没有这样的客户", *WHO)


def test_what_nobody_could_use_is_not_made(tmp_path: Path) -> None:
    for words, code in ((("memory:",), "cli.memory"), ((tmp_path / "a.db", "--staff", "enrolled"), "cli.enrol")):
        result = run("create", *words)
        assert result.exit_code == 2
        assert code in result.stderr
    assert not list(tmp_path.iterdir())


def test_restoring_takes_backups(tmp_path: Path) -> None:
    path, backup = tmp_path / "a.db", tmp_path / "b.db"
    done("create", path)
    done("backup", path, backup)
    result = run("restore", path, tmp_path / "c.db")
    assert result.exit_code == 2
    assert "cli.no_backup" in result.stderr
    assert not (tmp_path / "c.db").exists()
    done("restore", backup, tmp_path / "c.db")
    shutil.copy(path, tmp_path / "copied.db")
    done("restore", tmp_path / "copied.db", tmp_path / "d.db", "--unmarked")


def test_nothing_is_to_be_installed_for_a_mistyped_address() -> None:
    for scheme, install in (("htp", "dossier-htp"), ("vault", "dossier-archive[vault]")):
        _, said = faults.told(errors.UnknownSchemeError(scheme=scheme, install=install))
        assert ("pip install" in said["error"]["fix_en"]) is (scheme == "vault")


def test_a_medium_that_cannot_be_written_needs_a_folder_for_reads() -> None:
    _, said = faults.told(errors.ReadOnlyError())
    assert "--reads FOLDER" in said["error"]["fix_en"]
    assert "--reads FOLDER" in said["error"]["fix_zh"]


def test_somebody_who_is_not_enrolled_is_told_that(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    done("create", path, "--staff", "enrolled", "--enrol", "王芳", "manager")
    done("find", path, *WHO)
    result = run("find", path, "--as", "李逵", "--role", "manager")
    assert result.exit_code == 3
    assert "staff.not_enrolled" in result.stderr
    assert "archive.staff.enrol" in result.stderr


def test_a_role_that_there_is_not_is_told_with_those_there_are(shop: Path) -> None:
    result = run("find", shop, "--as", "王芳", "--role", "sale")
    assert result.exit_code == 2
    assert "cli.role" in result.stderr
    assert "the nearest is sales" in result.stderr
    assert "manager" in result.stderr
