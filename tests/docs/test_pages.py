"""Every fence of every page runs: ```python is executed, the ```text below it is what it printed. Links lead
somewhere, and the run of everything calls the command of the README."""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "plugins" / "dossier-mongodb" / "README.md",
    ROOT / "plugins" / "dossier-sqlite" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


_python = PythonEvaluator()
_MONGODB = re.compile(r"mongodb://[\w.:,]+/(\w+)[\w?=&]*")
_YEAR = re.compile(r"\bKH-\d{4}-")


def _run(example: Example) -> str | None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        result: Any = _python(example)
    example.namespace["_printed"] = out.getvalue()
    return None if result is None else str(result)


def plain(text: str) -> str:
    """Without trailing blanks, and without the year of today in registration numbers."""
    lines = (line.rstrip() for line in _YEAR.sub("KH-2026-", text).strip().splitlines())
    return "\n".join(lines)


def _compare(example: Example) -> str | None:
    wanted = plain(textwrap.dedent(str(example.parsed)))
    printed = plain(example.namespace.pop("_printed", ""))
    return None if wanted == printed else f"the page says\n{wanted}\nit printed\n{printed}"


def run_page(page: Path) -> int:
    """Run every fence of a page in one namespace; how many there were. Raises what a fence raises."""
    parsers = [CodeBlockParser("python", _run), CodeBlockParser("text", _compare)]
    document = Sybil(parsers=parsers, path=str(page.parent), pattern=page.name).parse(page)
    examples = list(document.examples())
    for example in examples:
        example.evaluate()
    return len(examples)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_fences_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    told = page.read_text("utf-8")
    fences = len(re.findall(r"^```(?:python|text)$", told, re.M))
    if not any("mongodb://" in fence for fence in re.findall(r"^```python$.*?^```$", told, re.M | re.S)):
        assert run_page(page) == fences
        return
    # A page that asks for a server runs against the one of the tests, or is skipped where there is none.
    server = request.getfixturevalue("mongodb")
    prefix = f"d{uuid.uuid4().hex[:12]}"
    moved = tmp_path / page.name
    moved.write_text(_MONGODB.sub(lambda found: server.url(prefix + found[1]), told), "utf-8")
    try:
        assert run_page(moved) == fences
    finally:
        server.drop(prefix=prefix)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_the_run_of_everything_calls_the_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (command,) = re.findall(r"^export .*\.venv/bin/pytest$", readme, re.M)
    script = (ROOT / ".ci" / "run").read_text("utf-8").rstrip("\n").splitlines()
    assert script[-1] == command
