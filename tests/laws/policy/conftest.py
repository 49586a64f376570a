"""`place`: where an archive is made, in memory, in SQLite and in MongoDB."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dossier.testing.desk_place import DeskPlace, DeskPlaces


@pytest.fixture(params=["memory", "sqlite", "mongodb"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeskPlaces]:
    """Places where nothing is yet."""
    if request.param != "mongodb":
        yield lambda: DeskPlace.fresh(request.param, tmp_path)
        return
    server = request.getfixturevalue("mongodb")
    names: list[str] = []

    def fresh() -> DeskPlace:
        names.append(f"t{uuid.uuid4().hex[:12]}")
        return DeskPlace(server.url(names[-1]))

    yield fresh
    for name in names:
        server.drop(prefix=name)
