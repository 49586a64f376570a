"""The ledger when keeping fails: nothing is numbered twice, nothing goes missing, nobody waits for a stranger."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import dossier as ds
from dossier.desk.archive import Archive
from dossier.desk.recording import SESSION_EVENTS
from dossier.errors import ForkedError, InputError, LockedError, StorageFullError
from dossier.ledger import Event
from dossier.repository import Batch, Put
from dossier.testing.crash import can_fork, child
from dossier.testing.desk_place import DeskPlace


def manager(archive: Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


@contextmanager
def full(archive: Archive) -> Iterator[None]:
    """No lane takes anything for a while; what it is given is half written."""

    class Full:
        def __init__(self, lane: Any) -> None:
            self._lane = lane

        def append(self, lines: list[bytes], *, durable: bool) -> None:
            self._lane.append(lines[:1], durable=durable)
            raise StorageFullError

        def close(self) -> None:
            self._lane.close()

    repository: Any = archive.repository
    lane, held = repository.lane, archive.recorder._lane
    archive.recorder._lane = Full(held) if held is not None else None
    with patch.object(repository, "lane", lambda name, *, at=None: Full(lane(name, at=at))):
        yield


def verbs(archive: Archive) -> dict[str, list[str]]:
    """The verbs of each read lane."""
    found: dict[str, list[str]] = {}
    for event in archive.recorder.events():
        if event.lane.startswith("r"):
            found.setdefault(event.lane, []).append(event.verb)
    return found


@pytest.mark.parametrize("level", ["durable", "committed", "session"])
@pytest.mark.parametrize("first", [True, False])
def test_a_read_that_cannot_be_kept_gives_nothing_and_breaks_nothing(
    place: DeskPlace, level: str, first: bool
) -> None:
    with place.create(level=level) as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        if not first:
            desk.consult(file)
        with full(archive):
            if level == "session" and not first:
                # The lane of the session was begun; what goes out is kept when there is room again.
                desk.consult(file)
                with pytest.raises(StorageFullError):
                    archive.recorder.flush()
            for _ in range(3):
                with pytest.raises(StorageFullError):
                    desk.consult(file)
        desk.consult(file)
        assert desk.ledger.verify().events
        for said in verbs(archive).values():
            assert said[0] == "open"
    with place.open() as archive:
        kept = [verb for said in verbs(archive).values() for verb in said]
        assert kept.count("consult") >= 1 + (not first) + (level == "session" and not first)
        assert manager(archive).ledger.verify().events


def test_a_session_loses_no_event_of_a_view_that_went_out(place: DeskPlace) -> None:
    with place.create(level="session") as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        for _ in range(SESSION_EVENTS - 1):
            desk.consult(file)
        with full(archive), pytest.raises(StorageFullError):
            desk.consult(file)
        desk.consult(file)
    with place.open() as archive:
        reports = archive.recorder.verify()
        # One line of the append that failed stands in the lane that was given up, which nobody closed.
        assert sum(not report.closed for report in reports if report.lane.startswith("r")) == 1
        closed = [said for said in verbs(archive).values() if said[-1] == "close"]
        assert closed == [["open", *["consult"] * SESSION_EVENTS, "close"]]


def test_while_nothing_can_be_kept_no_lanes_pile_up(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        repository: Any = archive.repository
        lane = repository.lane

        def refusing(name: str, *, at: str | None = None) -> Any:
            made = lane(name, at=at)

            class Refusing:
                def append(self, lines: list[bytes], *, durable: bool) -> None:
                    raise StorageFullError

                def close(self) -> None:
                    made.close()

            return Refusing()

        with patch.object(repository, "lane", refusing):
            for _ in range(5):
                with pytest.raises(StorageFullError):
                    desk.consult(file)
        assert repository.idle_lanes() == []


def test_a_reader_does_not_wait_for_a_commit(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        desk.consult(file)
        done = threading.Event()

        def read() -> None:
            archive.recorder.read(archive.recorder.plain("consult"))
            done.set()

        with archive.recorder.writing([]):
            thread = threading.Thread(target=read)
            thread.start()
            assert done.wait(10), "the read waited"
        thread.join()


def grown(place: DeskPlace) -> list[bytes]:
    """A closed lane of five events whose first two are rows already; its lines."""
    with place.create(level="committed") as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        for _ in range(3):
            desk.consult(file)
        name = archive.recorder._read.name
        lines = list(archive.recorder.lines(name))
        rows = [Put("events", f"{name}/{n:012d}", line, {}, "", 0) for n, line in enumerate(lines[:2], 1)]
        archive.repository.commit(Batch(tuple(rows), key=f"fold/{name}/0/x"))
    return lines


def test_a_lane_that_grew_after_part_of_it_was_folded_is_folded_to_its_end(place: DeskPlace) -> None:
    lines = grown(place)
    with place.open() as archive:
        (name,) = {event.lane for event in archive.recorder.events() if event.lane.startswith("r")}
        assert [*archive.recorder.lines(name)][: len(lines)] == lines
        assert len(list(archive.repository.scan("events", start=f"{name}/", stop=f"{name}0"))) == len(lines) + 1
        archive.recorder.verify()


def test_folding_goes_on_where_the_manifest_changed_or_a_lane_went(place: DeskPlace) -> None:
    grown(place)
    with place.open() as archive:
        pass
    with place.open() as archive, place.open() as other:
        desk = manager(archive)
        desk.find(name="甲")
        archive.recorder.close()
        other.rewrite(lambda manifest: manifest)
        repository: Any = archive.repository
        names = repository.idle_lanes()
        with patch.object(repository, "idle_lanes", lambda *, at=None: [*names, "r0"]):
            archive.recorder.fold(guard=archive.guard, renew=archive.renew)
        assert repository.idle_lanes() == []
        archive.recorder.verify()


def test_a_lane_that_is_held_is_left(place: DeskPlace) -> None:
    with place.create() as archive, place.open() as other:
        desk = manager(archive)
        desk.consult(desk.register("甲", kind="organization"))
        name = archive.recorder._read.name
        repository: Any = other.repository
        with patch.object(repository, "idle_lanes", lambda *, at=None: [name]):
            assert other.recorder.fold(guard=other.guard, renew=other.renew) == 0
        with pytest.raises(LockedError):
            repository.drop_lane(name)


def test_the_tail_is_the_end_of_all_lanes(place: DeskPlace) -> None:
    for n in range(3):
        with (place.create if n == 0 else place.open)() as archive:
            desk = manager(archive)
            for _ in range(4):
                place.clock.forward(seconds=1)
                desk.register("甲", kind="organization")
                desk.count()
    with place.open() as archive:
        desk = manager(archive)
        place.clock.forward(seconds=1)
        for limit in (1, 2, 7, 1000):
            said = [line.verb for line in desk.ledger.tail(limit=limit)]

            def order(event: Event) -> tuple[str, str, int]:
                return event.at, event.lane, event.seq

            wanted = [event.verb for event in sorted(archive.recorder.events(), key=order)][-limit:]
            assert said == wanted
        for limit in (0, -1, 1001, True, "5", None):
            with pytest.raises(InputError):
                desk.ledger.tail(limit=limit)  # type: ignore[arg-type]


def test_copies_and_backups_are_on_record(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        manager(archive).register("甲", kind="organization")
        archive.copy(tmp_path / "copy.db")
        archive.backup(tmp_path / "backup.db")
        archive.staff.enrol("张强", roles=["service", "sales"])
        archive.staff.dismiss("张强", role="sales")
        events = [event for event in archive.recorder.events() if not event.actor]
        assert sorted(event.verb for event in events) == ["backup", "copy", "dismiss", "enrol", "enrol", "open"]
        (dismissed,) = [event for event in events if event.verb == "dismiss"]
        assert dismissed.roles == ("sales",)
        (subject,) = dismissed.subjects
        (actor,) = [actor for actor in archive.staff.all() if actor.name == "张强"]
        assert tuple(subject) == (actor.pseudonym, 0, "staff")
        manager(archive).ledger.verify()


def test_a_damaged_event_is_told(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        archive.repository.commit(Batch((Put("events", "w0/000000000001", b'{"x":1}', {}, "", 0),)))
        with pytest.raises(ds.errors.DamagedError):
            desk.ledger.tail(limit=50)


@pytest.mark.skipif(not can_fork(), reason="no fork here")
def test_closing_in_a_forked_child_is_quiet(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        desk.consult(file)

        def inside(say: Callable[[str], None]) -> None:
            with pytest.raises(ForkedError):
                desk.consult(file)
            archive.close()
            say("closed")

        with child(inside) as (_, lines):
            assert list(lines) == ["closed", "end"]
        desk.consult(file)
        desk.ledger.verify()
