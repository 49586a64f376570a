"""Numbers whose lease is lost: none is given again (K10)."""

from __future__ import annotations

import pytest

import dossier as ds
from dossier.model.numbering import NumberScheme
from dossier.repository import Batch, Delete
from dossier.testing.desk_place import DeskPlace


def lose(archive: ds.Archive) -> None:
    rows = list(archive.repository.scan("leases"))
    archive.repository.commit(Batch(tuple(Delete("leases", row.id) for row in rows)))


def register(archive: ds.Archive) -> str:
    return archive.acting_as("陈静", role="manager", purpose="manage").register("甲", kind="person").number


@pytest.mark.parametrize("numbers", ["KH-{year}-{serial:05}", "{serial:2}", "{kind}{serial}/客", "{year}.{serial:1}x"])
def test_K10_a_lost_lease_gives_no_number_twice(place: DeskPlace, numbers: str) -> None:
    if ":2" in numbers or ":1" in numbers:
        numbers = numbers.replace(":", ":0")
    with place.create(numbers=numbers) as archive, place.open() as other:
        given = [register(archive) for _ in range(12)]
        lose(archive)
        for each in (other, archive) * 70:
            given.append(register(each))
        assert archive.verify().problems == ()
    lose_and_open = place.open()
    with lose_and_open as archive:
        lose(archive)
        assert {problem.code for problem in archive.verify().problems} == {"verify.number"}
        given += [register(archive) for _ in range(3)]
        assert archive.verify().problems == ()
    assert len(set(given)) == len(given)


def test_K10_an_import_after_a_lost_lease(place: DeskPlace) -> None:
    with place.create() as archive:
        given = [register(archive) for _ in range(3)]
        lose(archive)
        with archive.acting_as("陈静", role="manager", purpose="manage").unit() as unit:
            work = unit._writing.unit._work  # type: ignore[union-attr]
            assert not set(archive.numbers_within(work, "person", 100)) & set(given)


def test_a_series_knows_its_serials() -> None:
    scheme = NumberScheme("KH-{year}-{serial:05}客")
    series = scheme.series(year=2026, kind="person")
    for serial in (1, 99_999, 100_000):
        assert scheme.serial(scheme.number(serial, year=2026, kind="person"), series=series) == serial
    for other in ("KH-2027-00001客", "KH-2026-00001", "KH-2026-客", "KH-2026-1x客", "KH-2026-٣客", ""):
        assert scheme.serial(other, series=series) == 0
