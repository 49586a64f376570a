"""The generated pages say what the code says; every law and every page that is named exists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
LAWS = [f"K{number}" for number in range(1, 13)]


def _generator() -> ModuleType:
    path = ROOT / "docs" / "reference" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["fields.md", "errors.md", "repository.md", "desk.md", "roles.md", "policy.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    wanted = _generator().pages()[name]
    written = (ROOT / "docs" / "reference" / name).read_text("utf-8")
    assert written == wanted, "run: python docs/reference/generate.py"


@pytest.mark.parametrize("law", LAWS)
def test_every_law_is_told_and_carried_by_a_test(law: str) -> None:
    page = (ROOT / "docs" / "reference" / "laws.md").read_text("utf-8")
    assert f"| {law} |" in page
    carried = re.compile(rf'law\([^)]*"{law}"|def test_\w*{law}_')
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "plugins").rglob("test_*.py"),
             *(ROOT / "src" / "dossier" / "testing").glob("*.py")]  # fmt: skip
    assert any(carried.search(file.read_text("utf-8")) for file in files)


def test_decisions_are_listed() -> None:
    folder = ROOT / "docs" / "explanation" / "decisions"
    listed = set(re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text("utf-8")))
    assert listed == {page.name for page in folder.glob("0*.md")}
