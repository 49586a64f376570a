"""The laws of policy find what they are there to find: each broken engine or desk fails the check it names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from dossier.errors import DossierError
from dossier.testing import law_policy, law_policy_desk
from dossier.testing.broken_desk.variant import BrokenDesk
from dossier.testing.broken_policy import VARIANTS
from dossier.testing.desk_place import DeskPlace, DeskPlaces

PROFILE = settings(phases=[Phase.generate], database=None, derandomize=True)
"""One seed: this suite is about the laws, and must say the same at every run."""
ENGINE: dict[str, Callable[..., None]] = {
    name.removeprefix("check_"): check for name, check in vars(law_policy).items() if name.startswith("check_P")
}
DESK: dict[str, Callable[[DeskPlaces], None]] = {
    "N2_fields": law_policy_desk.check_N2_fields,
    "N2_rows": law_policy_desk.check_N2_rows,
    "N3": law_policy_desk.check_N3,
    "N5": law_policy_desk.check_N5,
    "P9_desk": law_policy_desk.check_P9_desk,
    "P12": law_policy_desk.check_P12,
}


def named(variant: BrokenDesk) -> object:
    return pytest.param(variant, id=variant.name, marks=pytest.mark.law(variant.law.partition("_")[0]))


@pytest.mark.parametrize("variant", [named(variant) for variant in VARIANTS])
def test_its_law_finds_it(variant: BrokenDesk, tmp_path: Path) -> None:
    if variant.law in DESK:
        check = partial(DESK[variant.law], lambda: DeskPlace.fresh("memory", tmp_path))
    else:
        check = partial(ENGINE[variant.law], profile=PROFILE, examples=300)
    with variant.broken(), pytest.raises(Exception) as caught:  # noqa: PT011
        check()
    assert isinstance(caught.value, AssertionError | DossierError), "broken beyond what it says"
    assert "never or too rarely reached" not in str(caught.value), "found by its reach alone"


def test_every_variant_says_what_is_wrong() -> None:
    assert {variant.law for variant in VARIANTS} == {*ENGINE, *DESK}
    assert all(variant.what and variant.what != "None" for variant in VARIANTS)
