"""The MongoDB repository keeps the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pymongo
import pytest

from dossier.testing import RepositoryContract
from dossier_mongodb import STEPS, open_mongodb
from dossier_mongodb.testing import Server


class TestMongo(RepositoryContract):
    driver = staticmethod(open_mongodb)
    steps = STEPS
    server: ClassVar[Server]

    @pytest.fixture(autouse=True)
    def databases(self, mongodb: Server, tmp_path: Path) -> Iterator[None]:
        type(self).server = mongodb
        yield
        mongodb.drop(prefix=name(tmp_path))

    def url(self, folder: Path) -> str:
        return self.server.url(f"{name(folder.parent)}{folder.name}")

    def foreign(self, folder: Path) -> str:
        url = self.server.url(f"{name(folder)}x")
        with pymongo.MongoClient[dict[str, object]](url) as client:
            client.get_default_database()["letters"].insert_one({"text": "no archive"})
        return url

    def elsewhere(self, folder: Path) -> str:
        return f"{name(folder)}reads"


def name(folder: Path) -> str:
    """What the databases of a test begin with."""
    return f"t{hashlib.blake2s(str(folder).encode(), digest_size=6).hexdigest()}_"
