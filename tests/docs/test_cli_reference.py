"""The page of the command line says what the command does (its examples are run); so does the section of the README."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import shlex
import shutil
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from dossier.cli.app import group

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference" / "cli"
WORKBOOK = ROOT.parent / "shared" / "data" / "superstore_cn" / "超市_given.xlsx"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date_and_its_examples_run(generator: ModuleType) -> None:
    written = (FOLDER / "index.md").read_text("utf-8")
    assert written == generator.page(), "run: python docs/reference/cli/generate.py"


def test_every_verb_is_documented_with_an_example(generator: ModuleType) -> None:
    written = (FOLDER / "index.md").read_text("utf-8")
    assert list(generator.EXAMPLES) == list(group.commands)
    for name, commands in generator.EXAMPLES.items():
        assert f"### `{name}`\n" in written
        assert commands
        assert all(command.startswith(f"dossier {name}") for command in commands)
        assert (group.commands[name].help or "").strip()
        assert all(param.help for param in group.commands[name].params if isinstance(param, click.Option))


def test_the_examples_end_well(generator: ModuleType) -> None:
    *sessions, refused = generator.run([*generator.EXAMPLES.values(), generator.REFUSED])
    assert {code for session in sessions for _, _, code in session} == {0}
    assert [code for _, _, code in refused] == [3, 2]


@pytest.mark.parametrize(
    ("page", "heading"),
    [("README.md", "From the command line"), ("docs/how-to/import-a-file.md", "From the command line")],
)
def test_the_commands_of_a_section_run(
    page: str, heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Chinese workbook becomes an archive, a customer is found and shown, the archive is copied and verified."""
    pytest.importorskip("python_calamine")
    if not WORKBOOK.exists():
        pytest.skip("the workbook is not there: superstore_cn")
    section = (ROOT / page).read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    shutil.copy(WORKBOOK, tmp_path / "超市.xlsx")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^dossier .*$", section.replace("\\\n", ""), re.M)
    assert commands
    year = dt.datetime.now(dt.UTC).year
    for command in commands:
        _, *words = shlex.split(re.sub(r"\bKH-\d{4}-", f"KH-{year}-", command), comments=True)
        result = CliRunner().invoke(group, words)
        # Some returns name an order of several customers: they are put aside, and the import says so.
        assert result.exit_code == (1 if words[0] == "import" else 0), (command, result.output)
        assert result.output.strip()
