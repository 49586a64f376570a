"""Each verb on an archive of real customers: what it says in both languages, and as JSON of its schema."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
import jsonschema
import pytest
from cli_support import FILES, SCHEMAS, WHO, done, run, sample, valid

import dossier as ds
from dossier.cli.app import group
from dossier.cli.doctor import advised, examined
from dossier.cli.making import PLANS
from dossier.cli.output import safe
from dossier.policy import PURPOSES


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("shop"))


def test_every_verb_has_a_schema_and_every_schema_is_one() -> None:
    wanted = {*group.commands, "error"} - {"tour"}
    assert {path.stem for path in SCHEMAS.glob("*.json")} == wanted
    for path in SCHEMAS.glob("*.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))
    for name in wanted - {"error"}:
        assert "as_json" in {param.name for param in group.commands[name].params}


def test_what_help_lists_is_what_there_is() -> None:
    purposes = next(param for param in group.commands["find"].params if param.name == "purpose")
    assert isinstance(purposes, click.Option)
    assert purposes.help is not None
    assert purposes.help.removeprefix("For what: ").rstrip(".").split(", ") == list(PURPOSES)
    formats = next(param for param in group.commands["export"].params if param.name == "kind").type
    assert isinstance(formats, click.Choice)
    assert set(formats.choices) == {"csv", "jsonl", "xlsx"}


def test_create_declares_the_archive_and_its_staff(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    words = (
        "--zone",
        "Asia/Shanghai",
        "--numbers",
        "GK-{serial:04}",
        "--staff",
        "enrolled",
        "--roles",
        "前台",
        "service",
    )
    said = valid("create", done("create", path, *words, "--enrol", "王芳", "前台", "--json"))
    assert (said["zone"], said["staff"], said["enrolled"]) == ("Asia/Shanghai", "enrolled", 1)
    with ds.open(path) as archive:
        guest = archive.acting_as("王芳", role="前台").register("单雄信", kind="person")
        assert guest.number == "GK-0001"
    assert valid("error", done("find", path, "--as", "谁", "--role", "前台", "--json", code=3))
    assert valid("error", done("create", path, "--json", code=2))["error"]["code"] == "repository.exists"
    assert "已建立档案库" in done("create", tmp_path / "b.db")
    assert "made the archive" in done("create", tmp_path / "c.db", "--lang", "en")


def test_import_counts_tries_and_repeats(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    words = ("import", path, *FILES, "--plan", "northwind", *WHO)
    tried = valid("import", done(*words, "--create", "--dry-run", "--json"))
    assert not tried["written"]
    assert not path.exists()
    first = valid("import", done(*words, "--create", "--json"))
    assert first["counts"] == tried["counts"]
    assert (first["counts"]["created"], first["counts"]["records"]) == (20, 241)
    again = valid("import", done(*words, "--create", "--json"))
    assert (again["counts"]["created"], again["counts"]["unchanged"]) == (0, 20)
    other = valid("error", done(*words, "--create", "--zone", "Asia/Tokyo", "--json", code=2))
    assert [problem["code"] for problem in other["error"]["problems"]] == ["cli.differs"]
    said = done(*words, "--lang", "en")
    assert "dossiers unchanged  20" in said
    assert "未变档案" in done(*words)


def test_import_exits_with_1_and_lists_the_rows_that_were_not_taken(tmp_path: Path) -> None:
    table, plan, rejects = tmp_path / "t.csv", tmp_path / "p.toml", tmp_path / "r.csv"
    table.write_text("id,name\n1,单雄信\n,无名\n", encoding="utf-8")
    plan.write_text('name = "t"\nkind = "person"\n[tables.t]\nkey = "id"\n[tables.t.fields]\n"basic/name" = "name"\n')
    words = ("import", tmp_path / "a.db", table, "--plan", plan, "--create", "--rejects", rejects, *WHO)
    report = valid("import", done(*words, "--json", code=1))
    assert report["reasons"] == {"intake.no_key": 1}
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["place"] == "t.csv!-!3"
    kept = rejects.read_bytes()
    # A file of rejects that is there is not overwritten, and nothing else is left beside it.
    assert valid("error", done(*words, "--json", code=2))["error"]["problems"][0]["code"] == "intake.exists"
    assert rejects.read_bytes() == kept
    assert not list(tmp_path.glob(".*"))


def test_plans_that_come_along_are_called_by_name(tmp_path: Path) -> None:
    names = {path.stem for path in PLANS.glob("*.toml")}
    assert {"northwind", "superstore_cn", "retail", "hotel", "complaints"} <= names

    def codes(*words: str | Path) -> list[str]:
        said = valid("error", done("import", tmp_path / "a.db", *words, *WHO, "--json", code=2))
        return [problem["code"] for problem in said["error"]["problems"]]

    assert codes(*FILES, "--plan", "nortwind") == ["cli.plan"]
    assert "northwind" in run("import", tmp_path / "a.db", *FILES, "--plan", "nortwind", *WHO).stderr
    assert codes(*FILES, "--plan", "x.toml") == ["cli.file_missing"]
    assert codes("customers=none.csv", "none.csv", "--plan", "northwind") == ["cli.file_missing", "cli.file_missing"]
    assert codes(FILES[0], FILES[0], "--plan", "northwind") == ["cli.table"]
    plain = FILES[0].partition("=")[2]
    assert codes(plain, plain, "--plan", "northwind") == ["cli.tables"]
    assert codes(*FILES, "--plan", "northwind", "--zone", "UTC") == ["cli.create_options"]
    assert codes(FILES[0], "--plan", "northwind", "--create") == ["intake.files", "intake.files"]


def test_find_by_text_condition_and_page(shop: Path) -> None:
    said = valid("find", done("find", shop, "alfreds", *WHO, "--json"))
    (hit,) = said["hits"]
    assert (hit["name"], hit["kind"]) == ("Alfreds Futterkiste", "organization")
    condition = "transaction_status/times >= 10 and not transaction_status/total < 'USD 10000'"
    words = ("find", shop, "--where", condition, "--order", "-transaction_status/total", *WHO)
    totals = [hit["total"]["amount"] for hit in valid("find", done(*words, "--json"))["hits"]]
    assert totals == sorted(totals, key=float, reverse=True)
    assert len(totals) > 2
    first = valid("find", done(*words, "--limit", "2", "--json"))
    rest = valid("find", done(*words, "--after", first["cursor"], "--json"))
    assert [hit["total"]["amount"] for hit in first["hits"] + rest["hits"]] == totals
    head, *rows, blank, more = done(*words, "--limit", "2").splitlines()
    assert head.split() == ["编号", "名称", "类别", "阶段", "交易金额"]
    assert (len(rows), blank, more.split()[:2]) == (2, "", ["下一页:", "--after"])
    assert done(*words, "--lang", "en").split()[:5] == ["number", "name", "kind", "stage", "total"]
    assert valid("find", done("find", shop, "nobody of this name", *WHO, "--json"))["hits"] == []


def test_show_gives_card_file_and_records(shop: Path) -> None:
    number = valid("find", done("find", shop, "alfreds", *WHO, "--json"))["hits"][0]["number"]
    card = done("show", shop, number, *WHO)
    assert card.startswith(f"客户档案卡  {number}")
    assert done("show", shop, number, *WHO, "--lang", "en").startswith("Customer card")
    service = ("--as", "陈晓", "--role", "service")
    shown = valid("show", done("show", shop, number, *service, "--json"))
    assert shown["records"] is None
    assert shown["dossier"]["sections"]["preferences"]["taboos"] == {"withheld": True}
    assert shown["dossier"]["sections"]["basic"]["name"] == "Alfreds Futterkiste"
    page = valid("show", done("show", shop, number, "--records", "order", "--limit", "2", *WHO, "--json"))["records"]
    assert [row["kind"] for row in page["rows"]] == ["order", "order"]
    rest = valid("show", done("show", shop, number, "--records", "all", *WHO, "--json"))["records"]
    assert rest["cursor"] is None
    words = ("show", shop, number, "--records", "order", "--limit", "2", *WHO)
    after = done(*words).splitlines()[-1].rpartition(" ")[2]
    assert len(done(*words, "--after", after).splitlines()) >= 3
    assert "金额" in done(*words)


def test_history_tells_acts_and_the_file_as_it_was(shop: Path) -> None:
    number = valid("find", done("find", shop, "alfreds", *WHO, "--json"))["hits"][0]["number"]
    told = valid("history", done("history", shop, number, *WHO, "--json"))
    assert [act["verb"] for act in told["acts"]] == ["register"]
    assert told["acts"][0]["by"] == "王芳"
    assert told["dossier"] is None
    then = valid("history", done("history", shop, number, "--known", "1", *WHO, "--json"))["dossier"]
    assert then["revision"] == 1
    text = done("history", shop, number, "--on", "2026-01-01", *WHO, "--lang", "en")
    assert text.splitlines()[0].split() == ["rev", "at", "(UTC)", "by", "verb", "channel", "about"]
    assert "Customer card" in text
    early = valid("error", done("history", shop, number, "--known", "1999-01-01", *WHO, "--json", code=2))
    assert [each["code"] for each in early["error"]["problems"]] == ["cli.then"]


@pytest.mark.law("K8", "K10")
def test_keeping_verbs_copy_back_up_restore_and_check(tmp_path: Path) -> None:
    path = sample(tmp_path)
    digest = valid("digest", done("digest", path, "--json"))["digest"]
    assert done("digest", path) == f"{digest}\n"
    assert valid("copy", done("copy", path, tmp_path / "copy.db", "--json"))["done"] == "copy"
    assert valid("backup", done("backup", path, tmp_path / "backup.db", "--json"))["done"] == "backup"
    assert "已备份" in done("backup", path, tmp_path / "second.db")
    assert "backed up" in done("backup", path, tmp_path / "third.db", "--lang", "en")
    words = ("restore", tmp_path / "backup.db", tmp_path / "restored.db", "--numbers-from", "400")
    assert valid("restore", done(*words, "--json"))["done"] == "restore"
    for kept in ("copy", "backup", "restored"):
        assert done("digest", tmp_path / f"{kept}.db") == f"{digest}\n"
    with ds.open(tmp_path / "restored.db") as archive:
        year = archive.environment.now().year
        number = archive.acting_as("王芳", role="manager").register("秦琼", kind="person").number
        assert number == f"KH-{year}-00400"
    for verb, target in (("copy", "copy"), ("backup", "backup")):
        assert run(verb, path, tmp_path / f"{target}.db").exit_code == 2
    assert valid("reindex", done("reindex", path, "--json")) == {"dossiers": 20}
    assert "20" in done("reindex", path)
    report = valid("verify", done("verify", path, "--json"))
    assert (report["dossiers"], report["problems"]) == (20, [])
    assert done("verify", path).endswith("完好\n")
    assert done("verify", path, "--lang", "en").endswith("whole\n")


@pytest.mark.law("K10")
def test_an_import_into_a_backup_is_told_where_numbers_go_on(tmp_path: Path) -> None:
    done("backup", sample(tmp_path), tmp_path / "backup.db")
    done("restore", tmp_path / "backup.db", tmp_path / "restored.db")
    table, plan = tmp_path / "t.csv", tmp_path / "p.toml"
    table.write_text("id,name\n1,单雄信\n", encoding="utf-8")
    plan.write_text('name = "t"\nkind = "person"\n[tables.t]\nkey = "id"\n[tables.t.fields]\n"basic/name" = "name"\n')
    words = ("import", tmp_path / "restored.db", table, "--plan", plan, *WHO)
    assert valid("error", done(*words, "--json", code=2))["error"]["code"] == "numbers.unsettled"
    done(*words, "--numbers-from", "400")
    (hit,) = valid("find", done("find", tmp_path / "restored.db", "单雄信", *WHO, "--json"))["hits"]
    assert hit["number"].endswith("-00400")


def test_doctor_says_what_it_is_and_what_to_do(tmp_path: Path) -> None:
    path = sample(tmp_path)
    said = valid("doctor", done("doctor", path, "--json"))
    assert said["rows"]["dossiers"] == 20
    assert said["archive"]["indexes_current"]
    assert said["advice"] == []
    assert said["software"]["sqlite"]
    assert "没有需要处理的事项" in done("doctor", path)
    done("backup", path, tmp_path / "backup.db")
    advice = valid("doctor", done("doctor", tmp_path / "backup.db", "--json"))["advice"]
    assert [each["code"] for each in advice] == ["doctor.numbers"]
    for _ in range(6):
        done("find", tmp_path / "backup.db", "--read-only", *WHO)
    said = valid("doctor", done("doctor", tmp_path / "backup.db", "--json"))
    assert said["archive"]["idle_lanes"] == 6
    assert "doctor.lanes" in {each["code"] for each in said["advice"]}
    assert "doctor.lanes" in done("doctor", tmp_path / "backup.db", "--lang", "en")


def test_doctor_advises_on_what_it_stands_on(tmp_path: Path) -> None:
    with ds.create(tmp_path / "a.db") as archive:
        found = examined(archive, str(tmp_path / "a.db"))
        assert found["place"]["size"] > 0
        assert found["place"]["writable"]
        assert advised(found) == []
        ill = {
            "archive": found["archive"] | {"indexes_current": False, "waits_for_numbers": True, "idle_lanes": 6},
            "place": found["place"] | {"network": True, "file_system": "nfs4", "writable": False, "free": 0},
        }
        assert [each.code for each in advised(ill)] == [
            "doctor.network", "doctor.numbers", "doctor.index", "doctor.writable", "doctor.room", "doctor.lanes",
        ]  # fmt: skip
    with ds.create("memory:") as archive:
        found = examined(archive, "memory:")
        assert set(found["place"].values()) == {None}
        assert advised(found) == []


@pytest.mark.row("M131")
def test_reading_is_on_record_also_where_nothing_is_written(tmp_path: Path) -> None:
    path, reads = sample(tmp_path), tmp_path / "reads"
    before = path.read_bytes()
    done("find", path, "alfreds", "--read-only", "--reads", reads, *WHO)
    assert path.read_bytes() == before
    assert any(b'"find"' in lane.read_bytes() for lane in reads.glob("*"))
    done("show", path, "KH-NONE", "--as", "高强", "--role", "sales", code=3)
    with ds.open(path) as archive:
        desk = archive.acting_as("王芳", role="manager")
        assert any(line.outcome != "allowed" for line in desk.ledger.tail(limit=50))


def test_control_characters_of_customers_do_not_reach_the_terminal(tmp_path: Path) -> None:
    assert safe("a\x1b[31mb\u202ec\nd") == "a␀[31mb␀c d"
    assert safe("a\x1b\nb", lines=True) == "a␀\nb"
    path = tmp_path / "a.db"
    with ds.create(path) as archive:
        number = archive.acting_as("王芳", role="manager").register("a\x1b]0;evil\x07b", kind="person").number
    for words in (("find", path), ("show", path, number)):
        result = run(*words, *WHO)
        assert "\x1b" not in result.output
        assert "\x07" not in result.output


@pytest.mark.row("M139")
def test_export_writes_what_the_role_may_see(shop: Path, tmp_path: Path) -> None:
    table, lines = tmp_path / "shop.csv", tmp_path / "shop.jsonl"
    condition = ("--where", "transaction_status/times >= 10", "--order", "-transaction_status/total")
    wanted = valid("find", done("find", shop, *condition, *WHO, "--json"))["hits"]
    said = valid("export", done("export", shop, table, *condition, "--because", "年度核对", *WHO, "--json"))
    assert (said["format"], said["rows"]) == ("csv", len(wanted))
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert sum(1 for _ in csv.reader(file)) == len(wanted) + 1
    fields = ("--field", "basic/name", "--field", "transaction_status/total")
    assert "exported" in done("export", shop, lines, *condition, *fields, *WHO, "--lang", "en")
    rows = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    assert [row["number"] for row in rows] == [hit["number"] for hit in wanted]
    orders = tmp_path / "orders.csv"
    every = valid("export", done("export", shop, orders, "--records", "order", *WHO, "--json"))
    assert every["rows"] == 241
    kept = orders.read_bytes()
    again = valid("error", done("export", shop, orders, *WHO, "--json", code=2))
    assert again["error"]["code"] == "repository.exists"
    assert orders.read_bytes() == kept
    refused = run("export", shop, tmp_path / "no.csv", "--as", "高强", "--role", "sales")
    assert refused.exit_code == 3
    assert not (tmp_path / "no.csv").exists()
    field = run(
        "export", shop, tmp_path / "no.csv", "--field", "preferences/taboos", "--as", "陈晓", "--role", "manager"
    )
    assert field.exit_code == 3
    assert valid("error", done("export", shop, tmp_path / "a.txt", *WHO, "--json", code=2))
