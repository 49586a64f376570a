"""The laws of the desk find what they are there to find: each broken desk fails the check it names."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from dossier.errors import DossierError
from dossier.testing.broken_desk import VARIANTS, BrokenDesk
from dossier.testing.desk_place import DeskPlace, DeskPlaces
from dossier.testing.law_copies import check_K8_interrupted
from dossier.testing.law_history import check_K7_history, check_K9_merge, check_K9_order
from dossier.testing.law_ledger import check_K11_events, check_K11_refusals
from dossier.testing.law_values import check_K3_desk
from dossier.testing.law_versions import check_K2_survival, check_K8_digest
from dossier.testing.law_writers import (
    check_K5_fields,
    check_K5_hidden_fields,
    check_K5_requests,
    check_K5_threads,
    check_K10_handles,
    check_K10_restore,
    check_K10_threads,
)

PROFILE = settings(phases=[Phase.generate], database=None, derandomize=True)
"""One seed: this suite is about the laws, and must say the same at every run."""
_numbers = itertools.count()
Check = Callable[[DeskPlaces, Path], None]
CHECKS: dict[str, Check] = {
    "K2_survival": lambda places, _: check_K2_survival(places),
    "K3_desk": lambda places, _: check_K3_desk(places),
    "K5_threads": lambda places, _: check_K5_threads(places),
    "K5_fields": lambda places, _: check_K5_fields(places),
    "K5_requests": lambda places, _: check_K5_requests(places),
    "K5_hidden": lambda places, _: check_K5_hidden_fields(places),
    "K7_history": lambda places, _: check_K7_history(places, examples=60, profile=PROFILE),
    "K8_digest": lambda places, _: check_K8_digest(places, places),
    "K8_interrupted": lambda places, _: check_K8_interrupted(places, places),
    "K9_order": lambda places, _: check_K9_order(places, examples=60, profile=PROFILE),
    "K9_merge": lambda places, _: check_K9_merge(places, examples=40, profile=PROFILE),
    "K10_handles": lambda places, _: check_K10_handles(places),
    "K10_threads": lambda places, _: check_K10_threads(places),
    "K10_restore": lambda _, folder: check_K10_restore(DeskPlace.fresh("sqlite", folder), str(folder / "backup.db")),
    "K11_events": lambda places, _: check_K11_events(places, examples=30, profile=PROFILE),
    "K11_refusals": lambda places, _: check_K11_refusals(places),
}


def named(variant: BrokenDesk) -> object:
    return pytest.param(variant, id=variant.name, marks=pytest.mark.law(variant.law.partition("_")[0]))


@pytest.mark.parametrize("variant", [named(variant) for variant in VARIANTS])
def test_its_law_finds_it(variant: BrokenDesk, tmp_path: Path) -> None:
    def places() -> DeskPlace:
        return DeskPlace.fresh("memory", tmp_path)

    with variant.broken(), pytest.raises(Exception) as caught:  # noqa: PT011
        CHECKS[variant.law](places, tmp_path)
    assert isinstance(caught.value, AssertionError | DossierError), "broken beyond what it says"
    assert "never or too rarely reached" not in str(caught.value), "found by its reach alone"


DRAWN = {"K7_history", "K9_order", "K9_merge", "K11_events"}
"""They walk through everything, and may stumble over what breaks another law: asked only of their own variants."""
SLOW = {"K8_interrupted", "K10_restore", "K10_handles"}


def _compared(variant: BrokenDesk, laws: set[str], folder: Path) -> None:
    """Of these laws exactly those fail that the variant names."""
    failed = set()
    with variant.broken():
        for law in sorted(laws):
            try:
                CHECKS[law](lambda: DeskPlace.fresh("memory", folder), folder)
            except Exception:  # a broken desk breaks in its own ways, and each of them is found
                failed.add(law)
    assert failed - set(variant.perhaps) == {variant.law, *variant.also} & laws


@pytest.mark.parametrize("variant", [named(variant) for variant in VARIANTS])
def test_no_other_law_breaks_but_those_it_names(variant: BrokenDesk, tmp_path: Path) -> None:
    _compared(variant, set(CHECKS) - DRAWN - SLOW, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("variant", [named(variant) for variant in VARIANTS])
def test_no_slow_law_breaks_but_those_it_names(variant: BrokenDesk, tmp_path: Path) -> None:
    _compared(variant, SLOW, tmp_path)


def test_every_variant_says_what_is_wrong() -> None:
    assert {variant.law for variant in VARIANTS} == set(CHECKS)
    assert all(variant.what and variant.what != "None" for variant in VARIANTS)
