"""K8 under interruption: a copy that is cut off anywhere and run again is what the source is by then.

Floor: testing. It is cut off by its own progress, which is told of every batch; batches are made small, so that they
end within collections too.
"""

# ruff: noqa: N802
from __future__ import annotations

from typing import Any
from unittest.mock import patch

from dossier.desk import transfer
from dossier.desk.archive import Archive
from dossier.desk.changes import change, record
from dossier.desk.desk import Desk
from dossier.errors import ExistsError, UnfinishedCopyError
from dossier.testing.desk_place import DeskPlaces
from dossier.testing.place import Reach, holds, raises, same

ROWS = 3
"""Rows in a batch of these copies."""


class _Cut(Exception):
    """The machine stopped."""


def check_K8_interrupted(places: DeskPlaces, other: DeskPlaces, *, every: int = 5) -> None:
    """A copy is cut off behind a batch, the source goes on, and the copy is run again: it has every row of the source
    as it is then, in content, version and index values. Done for each `every`-th batch, and cut off twice. Until it is
    done nobody can open it; once it is, nobody can copy to it."""
    reach = Reach()
    with patch.object(transfer, "_ROWS", ROWS), places().create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        numbers = [desk.register(f"客户{n}", kind="person").number for n in range(8)]
        for number in numbers:
            desk.enter(number, record("order", at="2026-01-01", amount=1))
        desk.relations.add(numbers[0], numbers[1], kind="friend")
        archive.acting_as("张强", role="sales").collect("KH-1999-00001", record("observation", text="谁"))
        whole: list[int] = []
        archive.copy(other().url, progress=lambda done, total: whole.append(done))
        for at in range(1, len(whole), every):
            target = other()
            _cut_off(archive, target.url, at)
            raises(UnfinishedCopyError, target.open, "opening what was cut off")
            raises(ExistsError, target.create, "creating where something was cut off")
            _go_on(archive, desk, numbers, at)
            _cut_off(archive, target.url, max(1, at - every))
            archive.copy(target.url)
            with target.open() as copied:
                for name in transfer.COPIED:
                    same(f"rows of {name}", list(copied.repository.scan(name)), list(archive.repository.scan(name)))
                same("the digest", copied.digest(), archive.digest())
                same("what is wrong with the copy", copied.verify().problems, ())
            raises(ExistsError, archive.copy, "a copy over a copy", target.url)
            reach["cut"] += 1
    holds(f"copies of {len(whole)} batches were cut off at {reach['cut']} places", len(whole) > 20 and reach["cut"] > 1)


def _cut_off(archive: Archive, url: str, at: int) -> None:
    """Copy as far as the batch `at`."""
    left = at

    def progress(done: int, total: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise _Cut

    raises(_Cut, lambda: archive.copy(url, progress=progress), "cutting a copy off")


def _go_on(archive: Archive, desk: Desk, numbers: list[str], turn: int) -> None:
    """Change, add and take away rows of the source, and index values alone."""
    desk.update(numbers[turn % 8], change("basic", title=f"经理{turn}"))
    desk.enter(numbers[(turn + 3) % 8], record("order", at="2026-01-02", amount=turn))
    numbers.append(desk.register(f"后来{turn}", kind="person").number)
    notes: Any = desk.unplaced.list()
    for note in notes:
        desk.unplaced.place(note, numbers[0])
    archive.acting_as("张强", role="sales").collect("KH-1999-00001", record("observation", text="谁"))
