"""The manifest: who changes it, who is stopped by a change, what opening fills again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

import dossier as ds
from dossier.desk import archive as archive_module
from dossier.desk.archive import Archive
from dossier.desk.manifest import KEY, read_manifest, rewrite
from dossier.errors import ConflictError, InputError, LockedError, MissingFolderError, NewerFormatError
from dossier.repository import Batch, Put
from dossier.testing.desk_place import DeskPlace


def manager(archive: Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def newer(archive: Archive) -> None:
    """Another process brings the archive to a newer format."""
    archive.rewrite(lambda m: msgspec.structs.replace(m, min_writer=2))


def test_a_race_for_the_manifest_is_run_again(place: DeskPlace) -> None:
    with place.create() as archive, place.open() as other:
        lost: list[int] = []

        def commit(put: Put) -> None:
            if len(lost) < 3:
                lost.append(1)
                other.rewrite(lambda m: msgspec.structs.replace(m, dismissals=m.dismissals + 1))
            archive.repository.commit(Batch((put,)))

        manifest, version = rewrite(archive.repository, lambda m: msgspec.structs.replace(m, restored=True), commit)
        assert (manifest.dismissals, manifest.restored, version) == (3, True, 5)
        assert read_manifest(archive.repository, writing=True) == (manifest, version)

        def never(put: Put) -> None:
            raise ConflictError

        with pytest.raises(LockedError):
            rewrite(archive.repository, lambda m: m, never)


def racing(archive_url: DeskPlace) -> Iterator[None]:
    """Just before the manifest is written, another process writes it."""
    with archive_url.open() as other:
        real = archive_module.rewrite
        raced: list[int] = []

        def race(reader: Any, change: Any, commit: Any) -> Any:
            def late(put: Put) -> None:
                if not raced and reader is not other.repository:
                    raced.append(1)
                    other.rewrite(lambda m: msgspec.structs.replace(m, dismissals=m.dismissals + 1))
                commit(put)

            return real(reader, change, late)

        with patch.object(archive_module, "rewrite", race):
            yield
        assert raced


def test_opening_with_another_index_or_with_numbers_survives_a_race(place: DeskPlace) -> None:
    with place.create() as archive:
        manager(archive).register("甲", kind="organization")
    race = racing(place)
    next(race)
    with place.open(indexes=[("basic/industry", "stage")]) as archive:
        assert archive.manifest.dismissals == 1
    next(race, None)
    race = racing(place)
    next(race)
    with place.open(numbers_from=500) as archive:
        assert archive.manifest.dismissals == 2
        assert manager(archive).register("乙", kind="organization").number.endswith("00500")
    next(race, None)


def test_an_older_process_stops_at_a_newer_format(place: DeskPlace) -> None:
    with place.create() as archive:
        manager(archive).register("甲", kind="organization")
        with place.open() as other:
            newer(other)
        archive._numbers._leased.clear()
        leases = [(row.id, row.version) for row in archive.repository.scan("leases")]
        with pytest.raises(NewerFormatError):
            archive.number("organization")
        assert [(row.id, row.version) for row in archive.repository.scan("leases")] == leases
        with pytest.raises(NewerFormatError):
            archive.reindex()
        with pytest.raises(NewerFormatError):
            archive.staff.enrol("新人", roles=["service"])
        with pytest.raises(NewerFormatError):
            archive.staff.dismiss("陈静", role="manager")


def test_folding_stops_at_a_newer_format(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        desk.consult(desk.register("甲", kind="organization"))
    with place.open() as archive, place.open() as other:
        desk = manager(archive)
        desk.count()
        archive.recorder.close()
        newer(archive)
        rows = len(list(other.repository.scan("events")))
        with pytest.raises(NewerFormatError):
            other.recorder.fold(guard=other.guard, renew=other.renew)
        assert len(list(other.repository.scan("events"))) == rows


def test_other_rules_fill_the_index_again_and_another_order_does_not(place: DeskPlace) -> None:
    with place.create() as archive:
        manager(archive).register("甲", kind="organization")
    done: list[int] = []
    reindex = Archive.reindex

    def counted(self: Archive) -> int:
        done.append(1)
        return reindex(self)

    with patch.object(Archive, "reindex", counted):
        place.open().close()
        place.open(indexes=[("basic/industry", "stage")]).close()
        assert done == []
        with (
            patch("dossier.desk.layout.DERIVATION", 99),
            patch("dossier.desk.archive.DERIVATION", 99),
            place.open() as archive,
        ):
            assert done == [1]
            assert archive.manifest.derivation == 99
        place.open().close()
        assert done == [1, 1]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"roles": ["a"]}, "archive.roles"),
        ({"roles": {"a": ["service"]}}, "archive.roles"),
        ({"roles": {5: "service"}}, "archive.roles"),
        ({"roles": "service"}, "archive.roles"),
        ({"zone": 5}, "archive.zone"),
        ({"zone": None}, "archive.zone"),
        ({"zone": "../x"}, "archive.zone"),
        ({"level": ["durable"]}, "archive.level"),
        ({"staff": None}, "archive.staff"),
    ],
)
def test_what_create_refuses(place: DeskPlace, options: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        place.create(**options)
    assert [p.code for p in caught.value.problems] == [code]


@pytest.mark.parametrize("numbers", [5, None, "", "KH"])
def test_numbers_that_are_no_scheme(place: DeskPlace, numbers: Any) -> None:
    with pytest.raises(InputError):
        place.create(numbers=numbers)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"numbers_from": "KH"}, "archive.numbers_from"),
        ({"numbers_from": 0}, "archive.numbers_from"),
        ({"numbers_from": True}, "archive.numbers_from"),
        ({"mode": "x"}, "archive.mode"),
        ({"mode": ["r"]}, "archive.mode"),
        ({"level": None}, "archive.level"),
    ],
)
def test_what_open_refuses(place: DeskPlace, options: dict[str, Any], code: str) -> None:
    place.create().close()
    with pytest.raises(InputError) as caught:
        place.open(**options)
    assert [p.code for p in caught.value.problems] == [code]


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFolderError):
        ds.create(tmp_path / "nowhere" / "x.db")
    with ds.create(tmp_path / "x.db") as archive:
        for call in (archive.copy, archive.backup):
            with pytest.raises(MissingFolderError):
                call(tmp_path / "nowhere" / "y.db")


def test_settling_is_one_batch_and_never_goes_back(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        desk.register("甲", kind="organization")
        archive.settle_numbers(900)
        archive.settle_numbers(20)
        version = read_manifest(archive.repository, writing=True)[1]
        assert version == 3
        assert KEY.id == "manifest"
    with place.open() as archive:
        assert manager(archive).register("乙", kind="organization").number.endswith("00900")


def test_a_backup_and_a_copy_say_what_the_manifest_says_now(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive, place.open() as other:
        manager(archive).register("甲", kind="organization")
        other.rewrite(lambda m: msgspec.structs.replace(m, declared="", dismissals=7))
        repository: Any = archive.repository
        backup, raced = repository.backup, []

        def late(target: str, *, then: Any = None) -> None:
            if not raced:
                raced.append(1)
                other.rewrite(lambda m: msgspec.structs.replace(m, dismissals=8))
            backup(target, then=then)

        with patch.object(repository, "backup", late):
            archive.backup(tmp_path / "backup.db")
        archive.copy(tmp_path / "copy.db")
        for name, restored in (("backup.db", True), ("copy.db", False)):
            with ds.open(tmp_path / name, mode="r") as saved:
                said = saved.manifest
                assert (said.declared, said.dismissals, said.restored) == ("", 8, restored)
