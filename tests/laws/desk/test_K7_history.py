"""K7: history equals full copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from dossier.testing.desk_place import Backend, DeskPlace
from dossier.testing.law_history import check_K7_history


@pytest.mark.law("K7")
def test_K7_memory(tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh("memory", tmp_path), examples=80)


@pytest.mark.law("K7")
def test_K7_sqlite(tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh("sqlite", tmp_path), examples=10)


@pytest.mark.nightly
@pytest.mark.law("K7")
@pytest.mark.parametrize(("backend", "examples"), [("memory", 2_000), ("sqlite", 200)])
def test_K7_nightly(backend: Backend, examples: int, tmp_path: Path) -> None:
    check_K7_history(lambda: DeskPlace.fresh(backend, tmp_path), examples=examples, steps=20)
