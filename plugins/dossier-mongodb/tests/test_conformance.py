"""The MongoDB repository keeps the contract."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pymongo
import pytest

from dossier.testing import Place, Places, RepositoryContract
from dossier.testing.law_atomic import check_K4_all_or_nothing
from dossier.testing.law_queries import check_K6_queries
from dossier_mongodb import STEPS, open_mongodb
from dossier_mongodb.committing import Commit
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


@pytest.mark.law("K4")
@pytest.mark.parametrize("examples", [8, pytest.param(100, marks=pytest.mark.nightly)])
def test_K4_where_every_checked_row_has_slots(
    examples: int, mongodb: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kit's batches, with rows that get slots from the first check on and not only in a crowd."""
    ready = Commit.__init__

    def crowded(self: Any, *given: Any) -> None:
        ready(self, *given)
        self._make_slots()
        made.append(len(self._making) + len(self._slotted))

    made: list[int] = []
    monkeypatch.setattr(Commit, "__init__", crowded)
    numbers = itertools.count()
    check_K4_all_or_nothing(
        lambda: Place(open_mongodb, mongodb.url(f"{name(tmp_path)}{next(numbers)}")), examples=examples
    )
    mongodb.drop(prefix=name(tmp_path))
    assert sum(map(bool, made)) > examples


@pytest.mark.nightly
class TestMongoLong(TestMongo):
    examples = 100


def name(folder: Path) -> str:
    """What the databases of a test begin with."""
    return f"t{hashlib.blake2s(str(folder).encode(), digest_size=6).hexdigest()}_"
