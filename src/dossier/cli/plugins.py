"""`plugins`: which repositories there are, whether one keeps the contract, and a skeleton for a new one. Floor: cli."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click

from dossier.cli.faults import REJECTED
from dossier.cli.options import JSON, LANG
from dossier.cli.output import block, columns, document, line
from dossier.cli.reasons import reason
from dossier.cli.secrets import options_of
from dossier.errors import InputError, Lang

_SKELETON: Final = Path(__file__).parent / "skeleton"
_FILES: Final = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "src/dossier_{name}/__init__.py": "repository.py.txt",
    "tests/test_conformance.py": "test_conformance.py.txt",
}
_WORDS: Final = {"passed": ("守", "kept"), "failed": ("违反", "broken"), "skipped": ("未试", "not tried")}


@click.command()
@click.argument("action", metavar="list|check|new", type=click.Choice(["list", "check", "new"]))
@click.argument("what", required=False, default="", metavar="[WHAT]")
@click.option(
    "--examples", type=click.IntRange(min=1), default=25, show_default=True, metavar="N",
    help="check: how many random examples a law is given.",
)  # fmt: skip
@LANG
@JSON
@click.pass_context
def plugins(ctx: click.Context, action: str, what: str, examples: int, lang: Lang, as_json: bool) -> None:
    """Repositories: those there are (list), whether one keeps the contract (check), the skeleton of one (new).

    check takes a scheme (sqlite:), an address to make stores beside, or MODULE:DRIVER, found here and in ./src too; it
    needs the extra testing. new takes a name and makes the folder dossier-NAME.
    """
    if (action == "list") is bool(what):
        raise InputError([reason("plugins.what", "WHAT", action=action)])
    if action == "list":
        found = installed()
        if as_json:
            document({"plugins": found})
        else:
            heads = ("地址", "发行包", "可用") if lang == "zh" else ("scheme", "distribution", "works")
            works = ("否", "是") if lang == "zh" else ("no", "yes")
            columns([heads, *((f"{each['scheme']}:", each["distribution"], works[each["works"]]) for each in found)])
    elif action == "new":
        made = new(what, Path.cwd())
        if as_json:
            document({"folder": made.name})
        else:
            line(f"{made.name}: {'已建立' if lang == 'zh' else 'made'}")
    elif not _checked(check(what, examples=examples), what, lang, as_json):
        ctx.exit(REJECTED)


def installed() -> list[dict[str, Any]]:
    """Scheme, distribution, version of every repository that can be named here, and whether its driver loads."""
    from dossier.repository import GROUP, driver, schemes

    points = {point.name: point for point in entry_points(group=GROUP)}
    found = []
    for scheme in schemes():
        dist = points[scheme].dist if scheme in points else None
        try:
            works = callable(driver(scheme))
        except Exception:
            # Whatever a plugin does when it is imported: it does not work here.
            works = False
        name, version = (dist.name, dist.version) if dist is not None else ("dossier-archive", "")
        found.append({"scheme": scheme, "distribution": name, "version": version, "works": works})
    return found


def check(what: str, *, examples: int) -> list[dict[str, Any]]:
    """Run the contract in a process of its own: test, laws, outcome and what was said, test by test. InputError where
    nothing can be tried under this name."""
    if find_spec("pytest") is None or find_spec("hypothesis") is None:
        raise InputError([reason("plugins.testing", "")])
    options_of(what)
    with _importing(), tempfile.TemporaryDirectory(prefix="dossier-check-") as folder:
        from dossier.testing.conformance import named

        named(what)
        report = Path(folder) / "report.json"
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "dossier.testing.plugin", "-p", "no:cacheprovider", "-c",
            os.devnull, "--rootdir", folder, "--basetemp", f"{folder}/t", "--pyargs", "dossier.testing.conformance",
            "--dossier-repository", what, "--dossier-report", str(report), "--dossier-examples", str(examples),
        ]  # fmt: skip
        # The laws alone: no plugin of the place where this is called has a say.
        path = os.pathsep.join(each for each in sys.path if each)
        variables = {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
        done = subprocess.run(command, env=variables, capture_output=True, check=False)
        if done.returncode > 1 or not report.exists():
            raise InputError([reason("plugins.pytest", "", what=done.returncode)])
        said: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))
        return said


def new(name: str, place: Path) -> Path:
    """Write the skeleton of a repository into `place`/dossier-`name`. InputError for a name that no scheme can have,
    and where the folder is there."""
    if not re.fullmatch(r"[a-z][a-z0-9]{1,29}", name):
        raise InputError([reason("plugins.name", "WHAT")])
    folder = place / f"dossier-{name}"
    if folder.exists():
        raise InputError([reason("plugins.folder", "WHAT")])
    for path, template in _FILES.items():
        text = (_SKELETON / template).read_text("utf-8")
        text = re.sub(r"NAME(?=Repository\b)|(?<=class Test)NAME", name.capitalize(), text).replace("NAME", name)
        target = folder / path.format(name=name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def _checked(tests: list[dict[str, Any]], what: str, lang: Lang, as_json: bool) -> bool:
    """Say what became of each test; whether all that was tried was kept."""
    failed = [each for each in tests if each["outcome"] == "failed"]
    laws = _named(failed)
    if as_json:
        document({"repository": what, "kept": not failed, "broken": laws, "tests": tests})
        return not failed
    heads = ("定律", "试验", "结果") if lang == "zh" else ("law", "test", "result")
    place = ("zh", "en").index(lang)
    rows = [
        (", ".join(each["laws"]) or "-", each["test"].removeprefix("test_"), _result(each, place)) for each in tests
    ]
    columns([heads, *rows])
    for each in failed:
        line()
        block(f"{each['test']}: {_short(each['said'])}")
    line()
    if failed:
        line(f"{'违反' if lang == 'zh' else 'broken'}: {', '.join(laws)}")
    else:
        line("契约全部遵守" if lang == "zh" else "the whole contract is kept")
    return not failed


def _named(failed: list[dict[str, Any]]) -> list[str]:
    """The laws that are broken. The machine mixes several: it has a say where nothing else found anything."""
    alone = [each for each in failed if len(each["laws"]) < 2]
    return sorted({law for each in alone or failed for law in each["laws"] or ["contract"]})


def _result(test: dict[str, Any], place: int) -> str:
    word = _WORDS[test["outcome"]][place]
    return f"{word}: {test['said']}" if test["outcome"] == "skipped" else word


def _short(said: str) -> str:
    lines = [each if len(each) < 300 else f"{each[:300]} …" for each in said.splitlines()]
    return "\n  ".join(lines[:6])


@contextmanager
def _importing() -> Iterator[None]:
    """Modules are found in the current folder and its `src` too."""
    here = [str(Path.cwd()), str(Path.cwd() / "src")]
    sys.path[:0] = here
    try:
        yield
    finally:
        for each in here:
            sys.path.remove(each)


__all__ = ["check", "installed", "new", "plugins"]
