"""Fixtures: a repository in a file of its own, and the collections that the tests declare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dossier.repository import Collection, Composite, IndexField
from dossier_sqlite import SqliteRepository, open_sqlite

CARDS = Collection(
    name="cards",
    fields=(
        IndexField(name="name"),
        IndexField(name="amount", type="int"),
        IndexField(name="vip", type="bool"),
        IndexField(name="tags", many=True),
        IndexField(name="text", type="search"),
        IndexField(name="last", type="int", derived=True),
    ),
    composites=(Composite(fields=("name", "amount")),),
)
EVENTS = Collection(name="events")


class Opener:
    """Opens `folder/NAME`; `cards` and `events` are declared where it creates."""

    cards, events = CARDS, EVENTS

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[SqliteRepository] = []

    def __call__(self, mode: Any = "create", name: str = "a.db", **options: object) -> SqliteRepository:
        repository = open_sqlite(f"sqlite:{self._folder / name}", mode=mode, options=options)
        self._made.append(repository)
        if mode == "create":
            repository.declare([CARDS, EVENTS])
        return repository

    def close(self) -> None:
        for repository in self._made:
            repository.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Opens archives in `tmp_path` and closes them."""
    opener = Opener(tmp_path)
    yield opener
    opener.close()
