"""What reaches a terminal, and what is asked of the system."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from cli_support import run

from dossier.cli import doctor
from dossier.cli.documents import plain
from dossier.cli.output import document
from dossier.desk import exports_columns
from dossier.model.values import Money, PartialDate, Per, Span, Term
from dossier.model.withheld import WITHHELD, Masked


def test_no_control_character_of_a_text_reaches_a_terminal_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"name": "a\x1b[2J\x7f\x9b31m\u202e\u2028\u200b\ufeff\U000e0001 单雄信 é", "\x85": 1}
    document(said)
    text = capsys.readouterr().out
    assert json.loads(text) == said
    assert {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} == {"\n"}
    assert "单雄信 é" in text


def test_a_mount_with_blanks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = "disk / ext4 rw 0 0\nshare /mnt/a\\040b\\134c nfs4 rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: mounts)
    assert doctor._file_system(Path("/mnt/a b\\c/x.db")) == "nfs4"
    assert doctor._file_system(Path("/mnt/a.db")) == "ext4"


@pytest.mark.parametrize(
    "value",
    [
        PartialDate(year=2020, month=3),
        PartialDate(month=3, day=5),
        Span(start=PartialDate(year=2020)),
        Money("1.125", "KWD"),
        Per("2024", Money("1", "CNY")),
        Term("industry", "toys"),
        WITHHELD,
        Masked("138****1234"),
    ],
)
def test_a_value_has_one_form_in_json(value: object) -> None:
    assert plain(value) == exports_columns.plain(value)


@pytest.mark.parametrize(
    "words", [("王芳13812345678",), ("find", "a.db", "--王芳13812345678"), ("find", "a.db", "--rolle13812345678", "x")]
)
def test_what_was_typed_for_a_command_or_option_is_not_repeated(words: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        told = run(*words, *more)
        assert told.exit_code == 2
        assert "13812345678" not in told.output + told.stderr
