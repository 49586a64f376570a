"""`place`: where an archive is made, in memory and in SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from dossier.testing.desk_place import DeskPlace


@pytest.fixture(params=["memory", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> DeskPlace:
    """A place where nothing is yet."""
    return DeskPlace.fresh(request.param, tmp_path)
