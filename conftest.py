"""Hypothesis profiles: `ci` (default) and `nightly`, chosen by `--hypothesis-profile`. `mongodb`: a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

_CI_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
# A failing machine on files can shrink for minutes: `ci` prints the blob that repeats the failure instead.
settings.register_profile(
    "ci",
    derandomize=False,
    print_blob=True,
    deadline=None,
    database=None,
    phases=_CI_PHASES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", max_examples=2_000, print_blob=True, deadline=None)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load `ci` unless another profile was asked for."""
    if not config.getoption("--hypothesis-profile", default=None):
        settings.load_profile("ci")


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A MongoDB server (`dossier_mongodb.testing.Server`): the one that DOSSIER_MONGODB_URL names (without a database),
    or one of this run, which the workers share and which ends with them. It listens on a unix socket, so that no test
    needs the network. Where none can be run, its tests are skipped and say why."""
    testing = pytest.importorskip("dossier_mongodb.testing", reason="the MongoDB plugin is not installed")
    given = os.environ.get("DOSSIER_MONGODB_URL")
    if given:
        yield testing.Server(given)
        return
    if testing.binary() is None:
        pytest.skip("no mongod can be run here, and DOSSIER_MONGODB_URL names none")
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with testing.running(folder / "mongod") as server:
        yield server


def pytest_itemcollected(item: pytest.Item) -> None:
    """`-k K5` and `-k M33` find the tests of a law or row by their marks too; nightly suites may take an hour."""
    if item.get_closest_marker("nightly") and not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(3600))
    if "DOSSIER_MONGODB_URL" in os.environ and "mongodb" in getattr(item, "fixturenames", ()):
        item.add_marker("enable_socket")
    for name in ("law", "row"):
        for mark in item.iter_markers(name):
            item.extra_keyword_matches.update(map(str, mark.args))
