"""K7: history equals full copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.testing.desk_place import Backend, DeskPlace
from dossier.testing.desk_walk import run_until
from dossier.testing.law_history import check_K7_history
from dossier.testing.place import FULL, Reach


@pytest.mark.law("K7")
def test_K7_memory(tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh("memory", tmp_path), examples=80)


@pytest.mark.law("K7")
def test_K7_sqlite(tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh("sqlite", tmp_path), examples=10)


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
@pytest.mark.parametrize(("backend", "examples"), [("memory", 2_000), ("sqlite", 200)])
def test_K7_nightly(backend: Backend, examples: int, tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh(backend, tmp_path), examples=examples, steps=20)
