"""`opened`: archives in databases of their own, and the collections that the tests declare."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dossier.repository import Collection, Composite, IndexField
from dossier_mongodb import MongoRepository, open_mongodb
from dossier_mongodb.testing import Server

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
    """Opens a database that is only this test's; `cards` and `events` are declared where it creates."""

    cards, events = CARDS, EVENTS

    def __init__(self, server: Server) -> None:
        self.server = server
        self.name = f"t{uuid.uuid4().hex[:12]}"
        self._made: list[MongoRepository] = []

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def __call__(self, mode: Any = "create", **options: object) -> MongoRepository:
        repository = open_mongodb(self.url, mode=mode, options=options)
        self._made.append(repository)
        if mode == "create":
            repository.declare([CARDS, EVENTS])
        return repository

    def close(self) -> None:
        for repository in self._made:
            repository.close()


@pytest.fixture
def opened(mongodb: Server) -> Iterator[Opener]:
    """Opens archives and closes them; their database is dropped."""
    opener = Opener(mongodb)
    yield opener
    opener.close()
    mongodb.drop(prefix=opener.name)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="ds") as folder:
        yield Path(folder)
