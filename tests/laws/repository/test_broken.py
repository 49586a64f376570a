"""The kit finds what it is there to find: each broken repository fails the checks it names, and no other."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from dossier.testing import Oracle, OracleDriver, Place, Places
from dossier.testing.broken import Broken, crash_variants, variants
from dossier.testing.broken_files import STEPS, FileOracle
from dossier.testing.crash import can_fork
from dossier.testing.law_atomic import check_K4_all_or_nothing, check_K4_batch_key
from dossier.testing.law_bytes import check_K1_bytes
from dossier.testing.law_crash import check_K4_crash
from dossier.testing.law_machine import check_machine
from dossier.testing.law_queries import check_K6_queries
from dossier.testing.law_scan import check_K8_digest_inputs
from dossier.testing.law_threads import check_K4_seen_whole, check_K5_one_winner

# One seed: this suite is about the kit, and must say the same at every run.
PROFILE = settings(phases=[Phase.generate], database=None, derandomize=True)
FEW = 5
"""Below the number from which on a check asserts its reach."""

CHECKS: dict[str, Callable[..., None]] = {
    "K1_bytes": partial(check_K1_bytes, profile=PROFILE, examples=FEW),
    "K4_all_or_nothing": partial(check_K4_all_or_nothing, profile=PROFILE, examples=FEW),
    "K4_batch_key": partial(check_K4_batch_key, profile=PROFILE, examples=3 * FEW),
    "K4_seen_whole": partial(check_K4_seen_whole, states=3),
    "K5_one_winner": check_K5_one_winner,
    "K6_queries": partial(check_K6_queries, profile=PROFILE, examples=2),
    "K8_digest_inputs": partial(check_K8_digest_inputs, profile=PROFILE, examples=FEW),
}
IN_MACHINE = {"K1_bytes", "K4_all_or_nothing", "K4_batch_key", "K6_queries"}


def places_of(kind: type[Oracle]) -> Places:
    numbers = itertools.count()
    driver = OracleDriver(kind)
    return lambda: Place(driver, f"oracle:{next(numbers)}")


def law_of(kind: type[Broken]) -> str:
    return kind.law.partition("_")[0]


def named(kind: type[Broken]) -> object:
    return pytest.param(kind, id=kind.__name__, marks=pytest.mark.law(law_of(kind)))


@pytest.mark.parametrize("kind", [named(kind) for kind in variants()])
def test_named_laws_fail_and_no_other(kind: type[Broken]) -> None:
    failed = set()
    for name, check in CHECKS.items():
        try:
            check(places_of(kind))
        except AssertionError:
            failed.add(name)
    assert failed == {kind.law, *kind.also}


@pytest.mark.law("K4")
@pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
@pytest.mark.parametrize("kind", crash_variants())
def test_crash_check_tells_short_cuts_from_the_right_way(kind: type[FileOracle], tmp_path: Path) -> None:
    numbers = itertools.count()

    def places() -> Place:
        return Place(kind.driver, f"file:{tmp_path / str(next(numbers))}")

    if kind.broken:
        with pytest.raises(AssertionError, match="killed at step"):
            check_K4_crash(places, steps=STEPS)
    else:
        check_K4_crash(places, steps=STEPS)


def test_every_law_has_a_variant_and_every_variant_says_what_is_wrong() -> None:
    assert {kind.law for kind in variants()} == set(CHECKS)
    assert all(kind.__doc__ for kind in variants())
    assert len(variants()) >= 20


@pytest.mark.parametrize("name", CHECKS)
def test_the_oracle_itself_passes(name: str) -> None:
    CHECKS[name](places_of(Oracle))


def test_the_machine_finds_half_of_a_sample_by_itself() -> None:
    missed = []
    kinds = [kind for kind in variants() if kind.law in IN_MACHINE][::4]
    for kind in kinds:
        try:
            check_machine(places_of(kind), examples=6, steps=25, profile=PROFILE)
            missed.append(kind.__name__)
        except AssertionError:
            pass
    assert len(missed) * 2 <= len(kinds), missed
