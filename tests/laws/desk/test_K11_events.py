"""K11: an act has its event in its batch, an event its act; a refused verb leaves one event and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

import dossier as ds
from dossier.testing.desk_place import Backend, DeskPlace
from dossier.testing.law_ledger import Checker, Watch, check_K11_events, check_K11_refusals
from dossier.testing.place import Reach


@pytest.mark.law("K11")
def test_K11_memory(tmp_path: Path) -> None:
    check_K11_events(lambda: DeskPlace.fresh("memory", tmp_path))


@pytest.mark.law("K11")
def test_K11_refusals(place: DeskPlace) -> None:
    check_K11_refusals(lambda: place)


@pytest.mark.law("K11")
def test_K11_a_large_unit_is_several_batches_each_complete(place: DeskPlace) -> None:
    watch, reach = Watch(), Reach()
    with place.create() as archive:
        watch(archive)
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        with desk.unit(because="导入") as unit:
            files = [unit.register(f"公司{n}", kind="organization") for n in range(150)]
            for file in files:
                unit.update(file, ds.change("preferences", taboos=["花生"]), channel="form")
            unit.enter(files[0], *[ds.record("order", at="2026-01-01", amount=n) for n in range(300)])
            unit.enter(files[1], *[ds.record("order", at="2026-01-01", amount=n) for n in range(300)])
        checker = Checker(archive.registry)
        for batch in watch.batches:
            checker.check(batch, reach)
        assert reach["batches"] >= 3 and reach["register"] == 150 == reach["update"] and reach["enter"] == 2
        assert desk.count() == 150
        assert desk.consult(files[1]).transaction_status.times == 300
        with pytest.raises(ds.errors.LimitError):
            desk.enter(files[2], *[ds.record("order", at="2026-01-01", amount=n) for n in range(600)])
        assert desk.consult(files[2]).transaction_status.times is None


@pytest.mark.nightly
@pytest.mark.law("K11")
@pytest.mark.parametrize(("backend", "examples"), [("memory", 400), ("sqlite", 60)])
def test_K11_nightly(backend: Backend, examples: int, tmp_path: Path) -> None:
    check_K11_events(lambda: DeskPlace.fresh(backend, tmp_path), examples=examples, steps=20)
