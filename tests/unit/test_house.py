"""The house: floors hold, every module names its floor, public names are sorted, the import is light (K12)."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "dossier"
MODULES = sorted(SOURCES.rglob("*.py"))
FLOORS = {
    "cli", "testing", "desk", "present", "disposition", "analysis", "review", "intake", "circulation",
    "classification", "policy", "ledger", "codec", "model", "repository", "errors",
}  # fmt: skip
ALLOWED = {"dossier", "attr", "attrs", "cattr", "cattrs", "msgspec", "typing_extensions"}
"""`typing_extensions` is cattrs' own."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_floors_and_forbidden_imports_hold() -> None:
    linter = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_every_module_names_its_floor(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    assert said, "a module says what it is for"
    parts = path.relative_to(SOURCES).parts
    if len(parts) == 1 and parts[0] == "__init__.py":
        return
    floor = parts[0].removesuffix(".py")
    assert floor in FLOORS
    assert f"Floor: {floor}" in " ".join(said.split())


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=_name)
def test_public_names_are_sorted_and_exist(path: Path) -> None:
    parts = path.parent.relative_to(ROOT / "src").parts
    module = importlib.import_module(".".join(parts))
    public = getattr(module, "__all__", [])
    assert len(set(public)) == len(public)
    constants = [name for name in public if name.isupper()]
    classes = [name for name in public if not name.isupper() and name[0].isupper()]
    others = [name for name in public if name[0].islower()]
    assert list(public) == [*sorted(constants), *sorted(classes), *sorted(others)]
    assert all(hasattr(module, name) for name in public)


@pytest.mark.law("K12")
def test_K12_the_import_loads_nothing_but_three_libraries() -> None:
    code = (
        "import sys; before = set(sys.modules); import dossier; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign = {name for name in done.stdout.split() if name not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith("_")} <= ALLOWED
    assert "sqlite3" not in done.stdout.split()
    assert not any(name.startswith("dossier_") for name in foreign)


@pytest.mark.law("K12")
def test_K12_every_public_name_needs_no_more() -> None:
    code = (
        "import sys; before = set(sys.modules); import dossier; [getattr(dossier, name) for name in dossier.__all__]; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign = {name for name in done.stdout.split() if name not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith("_")} <= ALLOWED
