"""The MongoDB repository keeps the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pymongo
import pytest

from dossier.testing import Places, RepositoryContract
from dossier.testing.law_queries import check_K6_queries
from dossier_mongodb import STEPS, open_mongodb
from dossier_mongodb.testing import Server


class TestMongo(RepositoryContract):
    driver = staticmethod(open_mongodb)
    steps = STEPS
    examples = 20
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

    @pytest.mark.law("K6")
    def test_K6_queries(self, places: Places) -> None:
        # A command costs a millisecond here, and a drawn query some ten; the nightly run asks more.
        check_K6_queries(places, examples=self.examples)

    def elsewhere(self, folder: Path) -> str:
        return f"{name(folder)}reads"


@pytest.mark.nightly
class TestMongoLong(TestMongo):
    examples = 100


def name(folder: Path) -> str:
    """What the databases of a test begin with."""
    return f"t{hashlib.blake2s(str(folder).encode(), digest_size=6).hexdigest()}_"
