"""`dossier policy`: what is wrong, who reaches what, what is widened, why."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import done, run, valid

from dossier.policy import dumps, standard, template


def test_check(tmp_path: Path) -> None:
    said = valid("policy", done("policy", "check", "standard", "--json"))
    assert said["digest"] == standard().digest and said["rules"] == len(standard().rules)
    mine = tmp_path / "mine.toml"
    mine.write_text(dumps(template("bank")), "utf-8")
    assert template("bank").digest[:16] in done("policy", "check", mine, "--lang", "en")
    mine.write_text('[[rules]]\nid = "a"\nefect = "permit"\n', "utf-8")
    refused = run("policy", "check", mine, "--json")
    assert refused.exit_code == 2 and "mine.toml/rules/0" in refused.stdout
    mine.write_text('[[rules]]\nid="a"\neffect="permit"\nroles=["总台"]\nverbs=["approve"]\n', "utf-8")
    assert run("policy", "check", mine).exit_code == 2
    assert "无误" in done("policy", "check", mine, "--roles", "总台", "service")


def test_table_and_diff() -> None:
    cells = valid("policy", done("policy", "table", "standard", "--json"))["cells"]
    assert {cell["who"] for cell in cells if cell["verb"] == "consult"} == {
        "account_manager", "custodian", "manager", "officer", "service",
    }  # fmt: skip
    assert "发放" in done("policy", "table", "standard")
    assert valid("policy", done("policy", "diff", "standard", "standard", "--json")) == {"cells": []}
    assert "nothing is widened" in done("policy", "diff", "standard", "standard", "--lang", "en")
    widened = valid("policy", done("policy", "diff", "bank", "standard", "--json"))["cells"]
    assert any(cell["who"] == "custodian" and cell["verb"] == "export" for cell in widened)


def test_explain() -> None:
    words = ("policy", "explain", "property", "--role", "service", "--purpose", "serve", "--field", "basic/born")
    (field,) = valid("policy", done(*words, "--json"))["fields"]
    assert (field["outcome"], field["missing"]) == ("not_permitted", ["in_team"])
    assert "missing: in_team" in done(*words, "--lang", "en")
    assert "never-M126" in done("policy", "explain", "standard", "--role", "manager", "--verb", "export", "--original")
    wrong = run("policy", "explain", "standard", "--role", "boss", "--verb", "look", "--field", "basic/nam", "--json")
    assert wrong.exit_code == 2 and wrong.stdout.count("policy.unknown") >= 3


@pytest.mark.parametrize(
    "words", [["diff", "standard"], ["check", "standard", "bank"], ["explain", "standard"], ["table", "standard",
              "--role", "service"]]
)  # fmt: skip
def test_what_does_not_fit_together(words: list[str]) -> None:
    assert run("policy", *words).exit_code == 2
