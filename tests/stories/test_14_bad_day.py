"""Story 14, the bad day: the machine dies within an import, which resumes; an older backup says what it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest

import dossier as ds
from dossier.testing.crash import Say, can_fork, run_until
from dossier.testing.desk_place import START, DeskPlace

ITEMS = 300
"""Four rows each: the unit takes more than one batch."""
FILES = 6


class Script:
    """Time and chance as functions of the item at work, so that a run that was cut short and taken up again says the
    same as one that was not."""

    def __init__(self) -> None:
        self.random = Random(0)
        self.now = START

    def at(self, item: int) -> None:
        self.random.seed(item)
        self.now = START + dt.timedelta(seconds=10 * item)

    @property
    def environment(self) -> ds.Environment:
        return ds.Environment(now=lambda: self.now, random=lambda size: self.random.randbytes(size))


def begin(path: Path) -> None:
    """An archive with the files that the import is about."""
    script = Script()
    with ds.create(str(path), environment=script.environment) as archive:
        desk = archive.acting_as("系统管理员", role="custodian", purpose="manage")
        for number in range(FILES):
            script.at(number)
            desk.register(f"公司{number}", kind="organization")


def load(path: Path, *, session: int = 0, **options: Any) -> None:
    """The whole import, whatever of it has been done before. Only the session's own lane differs."""
    script = Script()
    script.at(FILES)
    script.random.seed(f"session {session}")
    with ds.open(str(path), environment=script.environment, options=options) as archive:
        desk = archive.acting_as("系统管理员", role="custodian", purpose="manage")
        with desk.unit(because="导入") as unit:
            for item in range(ITEMS):
                script.at(FILES + 1 + item)
                number = f"KH-2026-{item % FILES + 1:05}"
                if item % 3:
                    unit.enter(number, ds.record("order", at="2026-02-01", amount=item), request_id=f"行{item}")
                else:
                    change = ds.change("basic", phones=ds.edit(add=[f"1861234{item:04}"]), industry=f"i{item}")
                    unit.update(number, change, request_id=f"行{item}", channel="import")


def digest(path: Path) -> str:
    with ds.open(str(path), mode="r", reads=str(path.parent)) as archive:
        return archive.digest()


@pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
@pytest.mark.law("K4")
@pytest.mark.law("K8")
def test_the_machine_dies_in_the_middle_of_an_import(tmp_path: Path) -> None:
    def scenario(path: Path) -> Any:
        def run(say: Say, on_step: Any) -> None:
            say("begin")
            load(path, on_step=on_step)

        return run

    begin(tmp_path / "whole.db")
    load(tmp_path / "whole.db")
    wanted = digest(tmp_path / "whole.db")

    begin(tmp_path / "counted.db")
    whole = run_until(scenario(tmp_path / "counted.db"), 0)
    assert digest(tmp_path / "counted.db") == wanted
    points = _some(whole.points(), 6)
    halves = 0
    for point in points:
        path = tmp_path / f"killed{point}.db"
        begin(path)
        death = run_until(scenario(path), point)
        assert death.killed
        halves += digest(path) not in (wanted,)
        load(path, session=1)
        assert digest(path) == wanted, f"killed at {death.steps[-1]}"
        load(path, session=2)
        assert digest(path) == wanted, "a third run adds nothing"
        with ds.open(str(path)) as archive:
            desk = archive.acting_as("系统管理员", role="custodian", purpose="manage")
            desk.ledger.verify()
            view = desk.consult("KH-2026-00002")
            orders = [item for item in range(ITEMS) if item % 3 and item % FILES == 1]
            assert view.transaction_status.times == len(orders)
            assert view.transaction_status.total == ds.Money(sum(orders))
    assert halves


@pytest.mark.law("K10")
@pytest.mark.row("M1")
def test_a_restored_backup_says_that_it_is_older(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    given: list[str] = []
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="custodian", purpose="manage")
        given += [desk.register(f"公司{n}", kind="organization").number for n in range(3)]
        archive.backup(str(tmp_path / "backup.db"))
        after = [desk.register(f"后来{n}", kind="organization").number for n in range(100)]
        given += after

    with ds.open(str(tmp_path / "backup.db"), environment=place.environment) as restored:
        desk = restored.acting_as("陈静", role="custodian", purpose="manage")
        assert desk.count() == 3
        assert desk.consult(given[0]).basic.name == "公司0"
        desk.update(given[0], ds.change("basic", industry="茶叶"))
        with pytest.raises(ds.errors.NumbersUnsettledError) as caught:
            desk.register("新公司", kind="organization")
        assert "备份" in caught.value.text("zh") and "backup" in caught.value.text("en")
        assert "numbers_from" in caught.value.fix("en")
        assert desk.count() == 3

    with ds.open(str(tmp_path / "backup.db"), environment=place.environment, numbers_from=104) as restored:
        desk = restored.acting_as("陈静", role="custodian", purpose="manage")
        given += [desk.register(f"新公司{n}", kind="organization").number for n in range(70)]
    with ds.open(str(tmp_path / "backup.db"), environment=place.environment) as restored:
        desk = restored.acting_as("陈静", role="custodian", purpose="manage")
        given.append(desk.register("又一家", kind="organization").number)
    assert len(set(given)) == len(given)


def _some(points: Iterable[int], count: int) -> list[int]:
    """The first, the last and a few between."""
    every = sorted(points)
    return every if len(every) <= count else sorted({every[n * (len(every) - 1) // (count - 1)] for n in range(count)})
