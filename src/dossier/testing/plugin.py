"""The pytest plugin of the kit: `--dossier-repository` says which repository `dossier.testing.conformance` tries.

Floor: testing. Loaded at every start of pytest where the distribution is installed, so it imports nothing of the kit.

    pytest --pyargs dossier.testing.conformance --dossier-repository sqlite:
    pytest --pyargs dossier.testing.conformance --dossier-repository my_package:open_mine

What may be named is told in `conformance`. `--dossier-report FILE` writes what became of each test as JSON.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

MARKERS = ("law(number): the law of the contract that the test carries",)
_RESULTS = pytest.StashKey[dict[str, dict[str, object]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--dossier-repository`, `--dossier-report`, `--dossier-examples`."""
    group = parser.getgroup("dossier", "repositories of dossier")
    group.addoption(
        "--dossier-repository", metavar="WHAT", default="",
        help="what dossier.testing.conformance tries: an address, or MODULE:NAME of a driver",
    )  # fmt: skip
    group.addoption(
        "--dossier-report", metavar="FILE", default="", help="write what became of each test of a law as JSON"
    )
    group.addoption(
        "--dossier-examples", metavar="N", type=int, default=25, help="random examples a law (25 if not said)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks of the kit known."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getoption("--dossier-report"):
        config.stash[_RESULTS] = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Note how a test ended, with its laws."""
    outcome = yield
    results = item.config.stash.get(_RESULTS, None)
    report: pytest.TestReport = outcome.get_result()
    if results is None or (report.when != "call" and report.outcome == "passed"):
        return
    said = results.setdefault(item.name, {"test": item.name, "outcome": "passed", "said": ""})
    said["laws"] = sorted({str(mark.args[0]) for mark in item.iter_markers("law")})
    if said["outcome"] == "passed":
        said["outcome"] = report.outcome
        said["said"] = _said(call, report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report."""
    results = session.config.stash.get(_RESULTS, None)
    if results is not None:
        path = Path(session.config.getoption("--dossier-report"))
        path.write_text(json.dumps(list(results.values()), ensure_ascii=False), encoding="utf-8")


def _said(call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    """Why a test failed or was skipped, as one short text."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    if call.excinfo is None:
        return ""
    error = call.excinfo.value
    text = str(error).strip()
    kind = "" if isinstance(error, AssertionError) else type(error).__name__
    return ": ".join(part for part in (kind, text) if part)[:2000]
