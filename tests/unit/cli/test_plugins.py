"""`dossier plugins`: what there is, whether it keeps the contract, and a skeleton that says what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_support import ROOT, done, run, valid

from dossier.testing.broken import variants
from dossier.testing.broken_rows import EscapedBytes, TwoWinners

EXAMPLE = ROOT / "examples" / "plugin_jsonlines" / "src"


def checked(what: str, *, code: int, examples: int = 3) -> Any:
    """The document of a check with few examples."""
    return valid("plugins", done("plugins", "check", what, "--examples", examples, "--json", code=code))


def test_list_names_what_is_installed() -> None:
    found = {each["scheme"]: each for each in valid("plugins", done("plugins", "list", "--json"))["plugins"]}
    assert found["memory"]["distribution"] == "dossier-archive"
    assert all(each["works"] for each in found.values())
    assert "memory:" in done("plugins", "list")
    assert "works" in done("plugins", "list", "--lang", "en")


@pytest.mark.parametrize(
    "what", ["memory:", "dossier_jsonlines:open_jsonlines", pytest.param("sqlite:", marks=pytest.mark.nightly)]
)
def test_what_keeps_the_contract_passes(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLE)
    said = checked(what, code=0)
    assert said["kept"]
    assert said["broken"] == []
    passed = {each["test"] for each in said["tests"] if each["outcome"] == "passed"}
    assert {"test_K1_bytes", "test_K4_crash", "test_K6_queries", "test_machine"} <= passed
    assert {"test_K4_killed"} & passed == (set() if what == "memory:" else {"test_K4_killed"})


def _names_its_law(kind: type[Any], examples: int) -> None:
    said = checked(f"{kind.__module__}:{kind.__name__}", code=1, examples=examples)
    assert not said["kept"]
    assert kind.law.partition("_")[0] in said["broken"], said["broken"]
    # Chance has a new seed each time, and more examples than the variants are told by: more laws may break.
    found = {each["test"].removeprefix("test_") for each in said["tests"] if each["outcome"] == "failed"}
    assert kind.law in found, found


@pytest.mark.parametrize("kind", [EscapedBytes, TwoWinners], ids=lambda kind: kind.__name__)
def test_a_broken_law_is_named(kind: type[Any]) -> None:
    _names_its_law(kind, 3)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", variants(), ids=lambda kind: kind.__name__)
def test_every_broken_law_is_named(kind: type[Any]) -> None:
    _names_its_law(kind, 10)


def test_a_skeleton_is_made_and_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert valid("plugins", done("plugins", "new", "shelf", "--json")) == {"folder": "dossier-shelf"}
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert made == [
        "dossier-shelf/README.md",
        "dossier-shelf/pyproject.toml",
        "dossier-shelf/src/dossier_shelf/__init__.py",
        "dossier-shelf/tests/test_conformance.py",
    ]
    assert not any("NAME" in (tmp_path / path).read_text("utf-8") for path in made)
    for tool in (["ruff", "check", "--isolated", "--line-length", "120"], ["mypy", "--strict"]):
        source = tmp_path / "dossier-shelf" / "src"
        command = [sys.executable, "-m", *tool, str(source)]
        found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert found.returncode == 0, found.stdout
    monkeypatch.chdir(tmp_path / "dossier-shelf")
    output = done("plugins", "check", "dossier_shelf:open_shelf", "--examples", "2", "--lang", "en", code=1)
    assert "NotImplementedError: declare: make or widen the collections" in output
    assert "broken: K1, K4, K5, K6, K8, contract" in output


def test_what_cannot_be_done_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dossier-taken").mkdir()
    for words, code in (
        (["new", "Large Name"], "plugins.name"),
        (["new", "taken"], "plugins.folder"),
        (["new"], "plugins.what"),
        (["list", "memory:"], "plugins.what"),
        (["check", "nobody.knows:it"], "testing.repository"),
        (["check", "mongodb://clerk:secret@host/db"], "cli.secret"),
    ):
        result = run("plugins", *words)
        assert result.exit_code == 2
        assert f"[{code}]" in result.output
        assert "clerk:secret" not in result.output
    assert run("plugins", "check", "nobody:").exit_code == 2
