"""K7: history equals full copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dossier as ds
from dossier.testing.desk_place import Backend, DeskPlace
from dossier.testing.law_history import check_K7_history
from dossier.testing.place import FULL, Reach
from dossier.testing.walk_fields import run_until


@pytest.mark.law("K7")
def test_K7_memory(tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh("memory", tmp_path), examples=80)


@pytest.mark.law("K7")
def test_K7_sqlite(tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh("sqlite", tmp_path), examples=10)


@pytest.mark.law("K7")
def test_K7_what_unmerging_answers_is_valid_today(place: DeskPlace) -> None:
    """A walk of the nightly suite found it: what the survivor alone says had ceased to be valid in between."""
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        survivor, absorbed = (desk.register(name, kind="organization") for name in "甲乙")
        desk.merges.merge(survivor, absorbed)
        desk.update(survivor.id, ds.change("preferences", taboos=["花生"]), valid_to="2026-03-04")
        place.clock.forward(days=30)
        assert desk.merges.unmerge(survivor, absorbed).preferences.taboos == ()
        assert desk.consult(survivor.id).preferences.taboos == ()


@pytest.mark.parametrize("needed", [15, 25, 1_000])
def test_a_walk_that_missed_something_is_taken_up_again(needed: int) -> None:
    reach = Reach()

    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        data.draw(st.integers())
        reach["seen"] += 1

    if needed > 4 * FULL:
        with pytest.raises(AssertionError, match="too rarely reached: seen"):
            run_until(law, reach, ["seen"], examples=FULL, profile=None, least=needed)
    else:
        run_until(law, reach, ["seen"], examples=FULL, profile=None, least=needed)
        assert reach["seen"] >= needed


@pytest.mark.nightly
@pytest.mark.law("K7")
@pytest.mark.parametrize(("backend", "examples"), [("memory", 1_000), ("sqlite", 100)])
def test_K7_nightly(backend: Backend, examples: int, tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh(backend, tmp_path), examples=examples, steps=20)
