"""K5 and K10 at the desk, by threads and by processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dossier.testing.crash import can_fork
from dossier.testing.desk_place import DeskPlace
from dossier.testing.law_writers import (
    check_K5_fields,
    check_K5_hidden_fields,
    check_K5_processes,
    check_K5_requests,
    check_K5_threads,
    check_K10_handles,
    check_K10_processes,
    check_K10_restore,
    check_K10_threads,
)

forks = pytest.mark.skipif(not can_fork(), reason="this system cannot fork")


@pytest.mark.law("K5")
def test_K5_threads(place: DeskPlace) -> None:
    check_K5_threads(lambda: place)


@pytest.mark.law("K5")
def test_K5_hidden_fields(place: DeskPlace) -> None:
    check_K5_hidden_fields(lambda: place)


@pytest.mark.law("K5")
def test_K5_fields(place: DeskPlace) -> None:
    check_K5_fields(lambda: place)


@pytest.mark.law("K5")
def test_K5_requests(place: DeskPlace) -> None:
    check_K5_requests(lambda: place)


@forks
@pytest.mark.law("K5")
def test_K5_processes(tmp_path: Path) -> None:
    check_K5_processes(DeskPlace.fresh("sqlite", tmp_path))


@forks
@pytest.mark.law("K10")
def test_K10_processes(tmp_path: Path) -> None:
    check_K10_processes(DeskPlace.fresh("sqlite", tmp_path))


@pytest.mark.law("K10")
@pytest.mark.row("M174")
def test_K10_handles(place: DeskPlace) -> None:
    check_K10_handles(lambda: place)


@pytest.mark.law("K10")
def test_K10_threads(place: DeskPlace) -> None:
    check_K10_threads(lambda: place)


@pytest.mark.law("K10")
def test_K10_restore(tmp_path: Path) -> None:
    check_K10_restore(DeskPlace.fresh("sqlite", tmp_path), str(tmp_path / "backup.db"))


@forks
@pytest.mark.nightly
@pytest.mark.law("K5")
@pytest.mark.law("K10")
def test_more_writers(tmp_path: Path) -> None:
    check_K5_processes(DeskPlace.fresh("sqlite", tmp_path), writers=8, rounds=40)
    check_K10_processes(DeskPlace.fresh("sqlite", tmp_path), writers=6, each=200)
