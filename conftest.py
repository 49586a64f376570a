"""Hypothesis profiles: `ci` (default) and `nightly`, chosen by `--hypothesis-profile`."""

from __future__ import annotations

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


def pytest_itemcollected(item: pytest.Item) -> None:
    """`-k K5` and `-k M33` find the tests of a law or row by their marks too."""
    for name in ("law", "row"):
        for mark in item.iter_markers(name):
            item.extra_keyword_matches.update(map(str, mark.args))
