"""P1-P11 of the engine, over generated policies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dossier.testing import law_policy

CHECKS = {name.removeprefix("check_"): check for name, check in vars(law_policy).items() if name.startswith("check_P")}


@pytest.mark.parametrize("check", [pytest.param(c, id=n, marks=pytest.mark.law(n)) for n, c in CHECKS.items()])
def test_law(check: Callable[[], None]) -> None:
    check()
