"""`import` on the command line: what is wrong is found before anything is made, and several at once get one archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import FILES, WHO, done, process, run, valid

PLAN = """\
name = "t"
kind = "person"
[tables.t]
key = "id"
[tables.t.fields]
"basic/name" = "name"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.toml").write_text(PLAN)
    (tmp_path / "t.csv").write_text("id,name\n1,单雄信\n2,王伯当\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("--as", "王芳", "--role", "nobody"),
        (*WHO, "--role", "partner"),
        (*WHO, "--rejects", "t.csv"),
        (*WHO, "--rejects", "none/r.csv"),
        (*WHO, "--zone", "Mars"),
    ],
)
def test_what_is_wrong_is_found_before_an_archive_is_made(
    words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = run("import", "a.db", "t.csv", "--plan", "p.toml", "--create", *words)
    assert result.exit_code in (2, 3), result.output
    assert sorted(each.name for each in folder.iterdir()) == ["p.toml", "t.csv"]


def test_a_column_that_is_missing_is_found_before_an_archive_is_made(folder: Path) -> None:
    (folder / "t.csv").write_text("id,nam\n1,单雄信\n", encoding="utf-8")
    assert (
        run("import", folder / "a.db", folder / "t.csv", "--plan", folder / "p.toml", "--create", *WHO).exit_code == 2
    )
    assert not (folder / "a.db").exists()
    done("import", folder / "a.db", *FILES, "--plan", "northwind", "--create", "--zone", "Asia/Shanghai", *WHO)


def test_several_that_make_it_at_once_go_on_with_one(folder: Path) -> None:
    running = []
    for number in range(3):
        table = folder / f"{number}.csv"
        table.write_text(f"id,name\n{number},客户{number}\n", encoding="utf-8")
        words = ("import", folder / "a.db", table, "--plan", folder / "p.toml", "--create", *WHO, "--json")
        running.append(process(*words))
    told = [each.communicate(timeout=120) for each in running]
    assert [each.returncode for each in running] == [0, 0, 0], told
    assert [valid("import", out)["counts"]["created"] for out, _ in told] == [1, 1, 1]
    assert valid("verify", done("verify", folder / "a.db", "--json"))["dossiers"] == 3
