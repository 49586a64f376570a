"""`archive.copy` and `dossier.restore`: interrupted anywhere they go on, and what they make is what was there."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dossier as ds
from dossier.desk.archive import Archive
from dossier.desk.transfer import COPIED, Transfer
from dossier.repository import Batch, Put, open_repository
from dossier.testing.desk_place import DeskPlace

errors = ds.errors


def manager(archive: Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def fill(archive: Archive, count: int = 30) -> list[str]:
    """Numbers of files with all sorts of rows."""
    desk = manager(archive)
    numbers = []
    for n in range(count):
        file = desk.register(f"客户{n}", ds.change("preferences", taboos=["花生"]), kind="person", request_id=f"r{n}")
        numbers.append(file.number)
        desk.enter(file, ds.record("order", at="2026-01-01", amount=n))
    desk.relations.add(numbers[0], numbers[1], kind="friend")
    desk.merges.merge(numbers[2], numbers[3])
    archive.acting_as("张强", role="sales").collect("KH-1999-1", ds.change("basic", name="谁"))
    return numbers


def held(archive: Archive) -> dict[str, list[Any]]:
    """Every row but those of the manifest."""
    return {name: list(archive.repository.scan(name)) for name in COPIED}


class Killed(BaseException):
    pass


def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dossier.desk.transfer._ROWS", 7)


def dying(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """From now on a transfer dies after so many batches."""
    left = [writes]
    write = Transfer._write

    def counted(self: Transfer, batch: Batch, *, durable: bool) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        write(self, batch, durable=durable)

    monkeypatch.setattr(Transfer, "_write", counted)


@pytest.mark.law("K8")
@pytest.mark.row("M133")
@pytest.mark.parametrize("writes", [0, 1, 2, 5, 11, 23, 40])
def test_K8_a_copy_that_died_goes_on(
    writes: int, place: DeskPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch)
    with place.create() as archive:
        fill(archive)
        target = DeskPlace.fresh("sqlite" if place.url.startswith("memory") else "memory", tmp_path)
        with monkeypatch.context() as patch:
            dying(patch, writes)
            with pytest.raises(Killed):
                archive.copy(target.url)
        with pytest.raises(errors.UnfinishedCopyError if writes else errors.NotAnArchiveError):
            target.open()
        with pytest.raises(errors.ExistsError):
            target.create()
        archive.copy(target.url)
        with target.open() as copied:
            assert copied.digest() == archive.digest()
            assert held(copied) == held(archive)
            assert copied.manifest.derived_from == archive.manifest.id
            assert copied.verify().sound
        with pytest.raises(errors.ExistsError):
            archive.copy(target.url)


@pytest.mark.law("K8")
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_K8_whatever_the_source_became_meanwhile(data: st.DataObject) -> None:
    place, target = DeskPlace.fresh("memory", Path()), DeskPlace.fresh("memory", Path())
    with pytest.MonkeyPatch.context() as patch, place.create() as archive:
        small_batches(patch)
        numbers = fill(archive, 8)
        desk = manager(archive)
        for _ in range(data.draw(st.integers(1, 3))):
            with patch.context() as inner:
                dying(inner, data.draw(st.integers(1, 25)))
                try:
                    archive.copy(target.url)
                    break
                except Killed:
                    pass
            for number in data.draw(st.lists(st.sampled_from(numbers), max_size=4)):
                what = data.draw(st.sampled_from(["update", "order", "new", "place", "reindex"]))
                if what == "update":
                    desk.update(number, ds.change("basic", title="经理"), channel="form")
                elif what == "order":
                    desk.enter(number, ds.record("order", at="2026-01-05", amount=1))
                elif what == "new":
                    numbers.append(desk.register("新", kind="person").number)
                elif what == "reindex":
                    archive.reindex()
                else:
                    for note in desk.unplaced.list():
                        desk.unplaced.place(note, number)
        else:
            archive.copy(target.url)
        with target.open() as copied:
            if copied.digest() != archive.digest():
                # It was done before the last changes; it is what the archive was then.
                assert copied.verify().sound
            else:
                assert held(copied) == held(archive)


def test_a_copy_to_something_else_is_refused(place: DeskPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_batches(monkeypatch)
    with place.create() as archive, DeskPlace.fresh("memory", tmp_path).create() as other:
        fill(archive, 5)
        fill(other, 4)
        letter = tmp_path / "letter.db"
        letter.write_bytes(b"a letter" * 500)
        target = tmp_path / "half.db"
        for taken in (letter, tmp_path):
            with pytest.raises(errors.ExistsError):
                archive.copy(taken)
        with monkeypatch.context() as patch:
            dying(patch, 4)
            with pytest.raises(Killed):
                archive.copy(target)
        with pytest.raises(errors.ExistsError):
            other.copy(target)  # half of another archive is there
        archive.copy(target)
        foreign = open_repository(str(tmp_path / "foreign.db"), mode="create")
        foreign.declare(archive.indexing.collections())
        foreign.close()
        archive.copy(tmp_path / "foreign.db")  # a store that holds nothing yet
    assert letter.read_bytes() == b"a letter" * 500


def test_half_of_a_restore_is_no_half_of_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_batches(monkeypatch)
    place, backup = DeskPlace.fresh("sqlite", tmp_path), tmp_path / "backup.db"
    with place.create() as archive:
        fill(archive, 4)
        archive.backup(str(backup))
        for verb in ("restore", "copy"):
            half = tmp_path / f"{verb}.db"
            again = {
                "restore": lambda half=half: ds.restore(backup, half),
                "copy": lambda half=half: archive.copy(half),
            }
            with monkeypatch.context() as patch:
                dying(patch, 4)
                with pytest.raises(Killed):
                    again[verb]()
            with pytest.raises(errors.ExistsError):
                again["copy" if verb == "restore" else "restore"]()
            again[verb]()


@pytest.mark.parametrize("verb", ["copy", "restore"])
def test_the_last_batch_is_on_the_disk(verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[set[str], bool]] = []
    write = Transfer._write

    def noted(self: Transfer, batch: Batch, *, durable: bool) -> None:
        kept.append(({op.collection for op in batch.ops if isinstance(op, Put)}, durable))
        write(self, batch, durable=durable)

    with DeskPlace.fresh("sqlite", tmp_path).create() as archive:
        fill(archive, 4)
        archive.backup(str(tmp_path / "backup.db"))
        monkeypatch.setattr(Transfer, "_write", noted)
        if verb == "copy":
            archive.copy(tmp_path / "made.db")
        else:
            ds.restore(tmp_path / "backup.db", tmp_path / "made.db")
    collections, durable = kept[-1]
    assert "manifest" in collections and durable
    assert not all(durable for _, durable in kept), "all of it comes on the disk with the last one"


def test_of_two_runs_the_later_goes_on(tmp_path: Path) -> None:
    with DeskPlace.fresh("memory", tmp_path).create() as archive:
        fill(archive, 4)
        url = DeskPlace.fresh("memory", tmp_path).url
        how: dict[str, Any] = {"source": archive.manifest.id, "why": "copy", "options": None}
        with (
            Transfer(url, archive.indexing, **how) as first,
            Transfer(url, archive.indexing, **how),
            archive.repository.snapshot() as state,
            pytest.raises(errors.LockedError),
        ):
            first.fill(state, None)
        archive.copy(url)
        with ds.open(url) as copied:
            assert copied.digest() == archive.digest()


@pytest.mark.law("K10")
@pytest.mark.row("M133")
@pytest.mark.parametrize("writes", [0, 1, 4, 20])
def test_K10_a_restored_backup(writes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_batches(monkeypatch)
    place = DeskPlace.fresh("sqlite", tmp_path)
    backup = tmp_path / "backup.db"
    seen: list[tuple[int, int]] = []
    with place.create() as archive:
        numbers = fill(archive, 10)
        archive.backup(backup)
        digest, id = archive.digest(), archive.manifest.id
        later = manager(archive).register("后来", kind="person").number
    for target in (DeskPlace.fresh("sqlite", tmp_path), DeskPlace.fresh("memory", tmp_path)):
        with monkeypatch.context() as patch:
            dying(patch, writes)
            with pytest.raises(Killed):
                ds.restore(backup, target.url)
        options = {"timeout": 5.0}
        assert id == ds.restore(
            backup, target.url, source_options=options, progress=lambda done, total: seen.append((done, total))
        )
        assert seen[-1][0] == seen[-1][1] > 0
        with pytest.raises(errors.ExistsError):
            ds.restore(backup, target.url)
        with target.open() as restored:
            assert (restored.digest(), restored.manifest.id) == (digest, id)
            assert restored.manifest.restored, "it says that it is older"
            assert restored.verify().sound
            with pytest.raises(errors.NumbersUnsettledError):
                manager(restored).register("谁", kind="person")
            assert [event.verb for event in restored.recorder.events()].count("restore") == 1
        with target.open(numbers_from=1000) as restored:
            number = manager(restored).register("谁", kind="person").number
            assert number.endswith("01000") and number not in (*numbers, later)
    told = DeskPlace.fresh("sqlite", tmp_path)
    with pytest.raises(errors.InputError):
        ds.restore(backup, told.url, numbers_from=0)
    finish = Transfer.finish

    def last(self: Transfer, *given: Any) -> None:
        finish(self, *given)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Transfer, "finish", last)
        with pytest.raises(Killed):
            ds.restore(backup, told.url, numbers_from=500)
    with told.open() as restored:
        assert not restored.manifest.restored
        assert manager(restored).register("谁", kind="person").number.endswith("00500")


def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_bytes(b"a letter" * 500)
    with pytest.raises(errors.NotAnArchiveError):
        ds.restore(tmp_path / "letter.db", tmp_path / "a.db")
    with pytest.raises(errors.MissingArchiveError):
        ds.restore(tmp_path / "nothing.db", tmp_path / "a.db")
    assert not (tmp_path / "a.db").exists()


PROGRAM = """
import os, sys
import dossier as ds
source, target, verb, at = sys.argv[1:5]
seen = 0
def progress(done, total):
    global seen
    seen += 1
    if seen == int(at):
        os.kill(os.getpid(), 9)
from dossier.desk import transfer
transfer._ROWS = 50
if verb == "restore":
    ds.restore(source, target, progress=progress)
else:
    with ds.open(source) as archive:
        archive.copy(target, progress=progress)
"""


@pytest.mark.law("K8")
@pytest.mark.parametrize("verb", ["copy", "restore"])
def test_K8_killed_in_a_process_of_its_own(verb: str, tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        fill(archive, 60)
        archive.backup(tmp_path / "backup.db")
        digest = archive.digest()
    source = place.url if verb == "copy" else str(tmp_path / "backup.db")
    target = str(tmp_path / "target.db")
    deaths = [1, 2, 5, 9, 14]
    for at in deaths:
        done = subprocess.run([sys.executable, "-c", PROGRAM, source, target, verb, str(at)], check=False)
        assert done.returncode == -signal.SIGKILL
        with pytest.raises(errors.UnfinishedCopyError):
            ds.open(target)
    subprocess.run([sys.executable, "-c", PROGRAM, source, target, verb, "0"], check=True)
    with ds.open(target) as made:
        assert made.digest() == digest
        assert made.verify().sound


@pytest.mark.law("K8")
def test_K8_a_copy_is_one_state_though_others_write(place: DeskPlace, tmp_path: Path) -> None:
    stop = threading.Event()
    with place.create() as archive:
        numbers = fill(archive, 20)

        def work() -> None:
            desk = archive.acting_as("王芳", role="manager", purpose="manage")
            turn = 0
            while not stop.is_set():
                turn += 1
                desk.register(f"新客{turn}", kind="person")
                desk.enter(numbers[0], ds.record("order", at="2026-03-01", amount=turn))
                desk.update(numbers[1], ds.change("basic", title=f"经理{turn}"))

        worker = threading.Thread(target=work)
        worker.start()
        try:
            targets = [DeskPlace.fresh("memory", tmp_path) for _ in range(4)]
            for target in targets:
                archive.copy(target.url)
        finally:
            stop.set()
            worker.join()
        counted = []
        for target in targets:
            with target.open() as copied:
                found = copied.verify()
                assert found.problems == ()
                counted.append(found.acts)
        assert counted == sorted(counted)


MEASURED = """
import resource, sys
import dossier as ds
verb, source, target = sys.argv[1:]
if verb == "restore":
    ds.restore(source, target)
else:
    with ds.open(source, level="session") as archive:
        if verb == "export":
            archive.acting_as("陈静", role="manager").exports.write(target)
        else:
            getattr(archive, verb)(*[target] if verb == "copy" else [])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.row("M133")
def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    peaks: dict[int, list[int]] = {}
    for count in (5_000, 20_000):
        source = str(tmp_path / f"{count}.db")
        with ds.create(source, level="session") as archive, manager(archive).unit() as desk:
            for n in range(count):
                file = desk.register(f"客户{n}", ds.change("preferences", taboos=["花生"]), kind="person")
                desk.enter(file, ds.record("order", at="2026-01-01", amount=n), ds.record("visit", at="2026-02-01"))
        verbs = ("copy", "restore", "verify", "digest", "export")
        ends = dict(zip(verbs, ("copy.db", "restored.db", "-", "-", "x.xlsx"), strict=True))
        peaks[count] = [
            int(
                subprocess.run(
                    [sys.executable, "-c", MEASURED, verb, source, str(tmp_path / f"{count}{ends[verb]}")],
                    check=True, capture_output=True, text=True,
                ).stdout
            )
            for verb in verbs
        ]  # fmt: skip
    assert max(peaks[20_000]) < 200
    assert all(large < small + 20 for small, large in zip(peaks[5_000], peaks[20_000], strict=True)), peaks
