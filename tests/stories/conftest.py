"""`place`: where an archive is made, in memory, in SQLite and in MongoDB."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dossier.testing.desk_place import DeskPlace


@pytest.fixture(params=["memory", "sqlite", "mongodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeskPlace]:
    """A place where nothing is yet."""
    if request.param != "mongodb":
        yield DeskPlace.fresh(request.param, tmp_path)
        return
    server = request.getfixturevalue("mongodb")
    name = f"t{uuid.uuid4().hex[:12]}"
    yield DeskPlace(server.url(name))
    server.drop(prefix=name)
