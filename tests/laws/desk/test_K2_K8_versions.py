"""K2 and K8 at the desk."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path

import msgspec
import pytest

import dossier as ds
from dossier.desk.manifest import KEY, encode_manifest, read_manifest
from dossier.repository import Batch, Put
from dossier.testing.desk_place import Backend, DeskPlace
from dossier.testing.law_copies import check_K8_interrupted
from dossier.testing.law_versions import check_K2_minor_edit, check_K2_survival, check_K2_upcast, check_K8_digest


@pytest.mark.law("K2")
def test_K2_survival_memory(tmp_path: Path) -> None:
    check_K2_survival(lambda: DeskPlace.fresh("memory", tmp_path))


@pytest.mark.law("K2")
def test_K2_survival_sqlite(tmp_path: Path) -> None:
    numbers = itertools.count()
    check_K2_survival(lambda: DeskPlace.fresh("sqlite", tmp_path), lambda: str(tmp_path / f"b{next(numbers)}.db"))


@pytest.mark.law("K2")
def test_K2_minor_edit(place: DeskPlace) -> None:
    check_K2_minor_edit(lambda: place)


@pytest.mark.law("K2")
def test_K2_upcast(place: DeskPlace) -> None:
    check_K2_upcast(lambda: place)


@pytest.mark.law("K2")
def test_K2_an_older_process_on_a_newer_archive(place: DeskPlace) -> None:
    with place.create() as archive, place.open() as newer:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        file = desk.register("甲", kind="person")
        before = archive.digest()
        manifest, version = read_manifest(newer.repository, writing=True)
        later = msgspec.structs.replace(manifest, format=2, min_writer=2)
        newer.repository.commit(Batch((Put(KEY.collection, KEY.id, encode_manifest(later), {}, "", version),)))
        for call in (
            lambda: desk.update(file, ds.change("basic", title="经理")),
            lambda: desk.register("乙", kind="person"),
            lambda: desk.enter(file, ds.record("order", at="2026-01-01")),
            lambda: archive.acting_as("新人", role="service"),
        ):
            with pytest.raises(ds.errors.NewerFormatError):
                call()
        assert archive.digest() == before
        assert desk.consult(file).basic.name.text() == "甲", "reading goes on"
    with pytest.raises(ds.errors.NewerFormatError):
        place.open()
    with place.open(mode="r") as reader:
        assert reader.manifest.min_writer == 2


@pytest.mark.law("K8")
def test_K8_digest(tmp_path: Path) -> None:
    def memory() -> DeskPlace:
        return DeskPlace.fresh("memory", tmp_path)

    def sqlite() -> DeskPlace:
        return DeskPlace.fresh("sqlite", tmp_path)

    check_K8_digest(memory, sqlite)
    check_K8_digest(sqlite, memory)


@pytest.mark.law("K8")
@pytest.mark.parametrize(("here", "there"), [("memory", "sqlite"), ("sqlite", "memory"), ("sqlite", "sqlite")])
def test_K8_interrupted(here: Backend, there: Backend, tmp_path: Path) -> None:
    check_K8_interrupted(lambda: DeskPlace.fresh(here, tmp_path), lambda: DeskPlace.fresh(there, tmp_path))


@pytest.mark.law("K8")
@pytest.mark.parametrize("to", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_K8_interrupted_on_mongodb(to: bool, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    server = request.getfixturevalue("mongodb")
    name, numbers = f"t{uuid.uuid4().hex[:12]}", itertools.count()

    def here() -> DeskPlace:
        return DeskPlace.fresh("sqlite", tmp_path)

    def there() -> DeskPlace:
        return DeskPlace(server.url(f"{name}_{next(numbers)}"))

    try:
        check_K8_interrupted(*((here, there) if to else (there, here)), every=15)
    finally:
        server.drop(prefix=name)
