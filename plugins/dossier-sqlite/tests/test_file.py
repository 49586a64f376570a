"""The file: opening, refusing, locks, processes, fork, full disk, crashes, backup, lanes."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from dossier.errors import (
    ClosedError,
    DamagedError,
    DossierError,
    ExistsError,
    ForkedError,
    InputError,
    LockedError,
    MissingArchiveError,
    MissingFolderError,
    NewerFormatError,
    NotAnArchiveError,
    NotPicklableError,
    OutcomeUnknown,
    ReadOnlyError,
    StorageFullError,
)
from dossier.repository import (
    TRUE,
    Aggregates,
    BacksUp,
    Batch,
    Key,
    Lanes,
    Put,
    Query,
    Repository,
    Row,
    open_repository,
)
from dossier_sqlite import STEPS, SqliteRepository, open_sqlite
from dossier_sqlite.tables import Table


def put(id: str, text: str = "单雄信", size: int = 10) -> Put:
    return Put("cards", id, b"x" * size, {"text": text}, "s")


def test_opening_never_creates_and_creating_never_overwrites(opened: Any, tmp_path: Path) -> None:
    for mode in ("rw", "r"):
        with pytest.raises(MissingArchiveError):
            opened(mode)
    repository = opened()
    assert isinstance(repository, Aggregates)
    assert isinstance(repository, BacksUp)
    assert isinstance(repository, Lanes)
    contract: Repository = repository
    assert contract.capabilities.processes
    with pytest.raises(ExistsError):
        opened()
    (tmp_path / "empty").touch()
    with pytest.raises(ExistsError):
        opened(name="empty")
    assert sorted(path.name for path in tmp_path.iterdir() if "new-" in path.name) == []


def test_an_archive_that_is_up_to_date_opens_without_sqlite_utils(opened: Any, tmp_path: Path) -> None:
    repository = opened()
    repository.commit(Batch((put("a"),)))
    repository.close()
    code = (
        "import sys\n"
        "from dossier.repository import open_repository, Key\n"
        "from dossier.repository import Collection, IndexField\n"
        "r = open_repository(sys.argv[1])\n"
        "r.declare([Collection(name='cards', fields=(IndexField(name='name'),))])\n"
        "assert r.get_many([Key('cards', 'a')])[0].body\n"
        "assert 'sqlite_utils' not in sys.modules\n"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    arguments = [sys.executable, "-c", code, f"sqlite://{tmp_path / 'a.db'}"]
    subprocess.run(arguments, check=True, env={**os.environ, "PYTHONPATH": path})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", NotAnArchiveError),
        (b"hello" * 100, NotAnArchiveError),
        (b"SQLite format 3\0" + b"\0" * 200, NotAnArchiveError),
    ],
)
def test_what_is_no_archive_is_left_alone(tmp_path: Path, content: bytes, error: type[DossierError]) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(error):
        open_sqlite(str(path), mode="rw", options={})
    assert path.read_bytes() == content
    with pytest.raises(NotAnArchiveError):
        open_sqlite(str(tmp_path), mode="rw", options={})


def test_a_newer_format_and_damage_are_told_apart(opened: Any, tmp_path: Path) -> None:
    repository = opened()
    for start in range(0, 500, 100):
        repository.commit(Batch(tuple(put(f"a{i}", size=3000) for i in range(start, start + 100))))
    repository.close()
    path = tmp_path / "a.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + (99).to_bytes(4, "big") + whole[64:])
    with pytest.raises(NewerFormatError):
        opened("rw")
    middle = len(whole) // 3
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(DamagedError):
        opened("rw").count("cards", TRUE)
    path.write_bytes(whole[:middle] + b"\xff" * 200_000 + whole[middle + 200_000 :])
    with pytest.raises(DamagedError) as caught:
        list(opened("rw").scan("cards"))
    assert caught.value.__context__ is None


def test_unknown_and_mistyped_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_repository(str(tmp_path / "a.db"), mode="create", options={"speed": 1, "colour": 2})
    assert len(caught.value.problems) == 2
    for name, value in (("timeout", "1"), ("timeout", -1), ("on_step", 3), ("max_pages", 0)):
        with pytest.raises(InputError):
            open_repository(str(tmp_path / "a.db"), mode="create", options={name: value})


def test_read_only_reads_and_refuses_writes(opened: Any, tmp_path: Path) -> None:
    opened().commit(Batch((put("a"),)))
    reader = opened("r")
    assert reader.count("cards", TRUE) == 1
    assert reader.declare([opened.cards, opened.events]) == ()
    with pytest.raises(ReadOnlyError):
        reader.commit(Batch((put("b"),)))
    with pytest.raises(ReadOnlyError):
        reader.settle()


def test_media_that_cannot_be_written_are_read(opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = opened()
    repository.commit(Batch((put("a"),)))
    repository.close()
    monkeypatch.setattr(os, "access", lambda path, how: how == os.R_OK)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ReadOnlyError):
        opened("rw")
    assert opened("r").count("cards", TRUE) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_reader_without_rights_to_the_folder_sees_what_others_write(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = opened()
    repository.commit(Batch((put("a"),)))
    repository.close()
    monkeypatch.setattr(os, "access", lambda path, how: how == os.R_OK)
    reader = opened("r")
    assert reader.count("cards", TRUE) == 1
    monkeypatch.undo()
    writer = opened("rw")
    writer.commit(Batch((put("b"),)))
    writer.close()
    assert reader.count("cards", TRUE) == 2


def test_a_file_that_nobody_writes_is_read_beside_nothing(opened: Any, tmp_path: Path) -> None:
    repository = opened()
    repository.commit(Batch((put("a"),)))
    repository.close()
    before = sorted(path.name for path in tmp_path.iterdir())
    assert opened("r", frozen=True).count("cards", TRUE) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    for mode, value in (("rw", True), ("r", 1)):
        with pytest.raises(InputError):
            opened(mode, frozen=value)


def test_a_folder_that_is_not_there_is_named_as_such(opened: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingFolderError):
        opened(name="nowhere/a.db")
    repository = opened()
    with pytest.raises(MissingFolderError):
        repository.lane("x", at=str(tmp_path / "nowhere" / "reads"))


def test_connections_of_a_crowd_are_closed_after_it(opened: Any) -> None:
    repository = opened()
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(repository.snapshot())
    assert len(repository._idle) <= 16


def _fill(repository: SqliteRepository) -> None:
    for i in range(1000):
        repository.commit(Batch((put(f"a{i}", size=3000), Put("events", f"e{i}", b"{}", {}, ""))))


def test_a_full_store_keeps_nothing_of_the_batch_and_goes_on(opened: Any) -> None:
    repository = opened(max_pages=80)
    with pytest.raises(StorageFullError) as caught:
        _fill(repository)
    assert caught.value.__context__ is None
    many = repository.count("cards", TRUE)
    assert many == repository.count("events", TRUE) > 0
    assert repository.find(Query(collection="cards", limit=1)).rows


def test_pickle_copy_close(opened: Any) -> None:
    repository = opened()
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(NotPicklableError):
            attempt(repository)
    repository.close()
    repository.close()
    for call in (
        lambda: repository.get_many([]),
        lambda: repository.commit(Batch(())),
        lambda: repository.declare([]),
        lambda: repository.scan("cards"),
        lambda: repository.lane("x"),
    ):
        with pytest.raises(ClosedError):
            call()


def _status(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_is_told_so_and_harms_nothing(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch((put("a"),)))
    lane = repository.lane("desk")
    calls: list[Callable[[], object]] = [
        lambda: repository.get_many([Key("cards", "a")]),
        lambda: repository.commit(Batch((put("b"),))),
        lambda: repository.declare([opened.cards]),
        lambda: lane.append([b"x"], durable=False),
    ]
    pid = os.fork()
    if pid == 0:
        told = 0
        for call in calls:
            try:
                call()
            except ForkedError:
                told += 1
        repository.close()
        os._exit(0 if told == len(calls) else 1)
    assert _status(pid) == 0
    repository.commit(Batch((put("b"),)))
    lane.append([b"x"], durable=True)
    assert repository.count("cards", TRUE) == 2


def test_a_writer_waits_no_longer_than_its_timeout(opened: Any) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold(step: str) -> None:
        if step == "commit.before" and not inside.is_set():
            inside.set()
            leave.wait(10)

    slow = opened(on_step=hold)
    other = opened("rw", timeout=0.1)
    thread = threading.Thread(target=lambda: slow.commit(Batch((put("a"),))))
    thread.start()
    inside.wait(10)
    began = time.monotonic()
    with pytest.raises(LockedError):
        other.commit(Batch((put("b"),)))
    assert time.monotonic() - began < 5
    assert other.count("cards", TRUE) == 0
    leave.set()
    thread.join()
    other.commit(Batch((put("b"),)))


def test_threads_share_a_repository(opened: Any) -> None:
    repository = opened()
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for i in range(25):
                repository.commit(Batch((put(f"{name}-{i}"), Put("events", f"{name}-{i}", b"{}", {}, ""))))
                found = repository.get_many([Key("cards", f"{name}-{i}"), Key("events", f"{name}-{i}")])
                assert None not in found
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert repository.count("cards", TRUE) == 100


def _write_until(path: str, name: int, began: float, answers: multiprocessing.Queue[tuple[int, int]]) -> None:
    repository = open_sqlite(path, mode="rw", options={})
    time.sleep(max(0.0, began - time.time()))
    many = 0
    while time.time() < began + 1.5:
        repository.commit(Batch((put(f"{name}-{many}", size=500),)), durable=False)
        many += 1
    repository.close()
    answers.put((name, many))


def test_four_processes_write_in_turn(opened: Any, tmp_path: Path) -> None:
    opened().close()
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    began = time.time() + 0.5
    children = [
        context.Process(target=_write_until, args=(str(tmp_path / "a.db"), name, began, answers)) for name in range(4)
    ]
    for child in children:
        child.start()
    counts = [answers.get(timeout=60)[1] for _ in children]
    for child in children:
        child.join()
    assert opened("rw").count("cards", TRUE) == sum(counts)
    assert min(counts) * 4 >= sum(counts) / 2, counts


def _crash_at(path: str, wanted: int, opened: Any) -> int:
    """Run declare, commits, a drain, a backup and a lane in a child that dies at the step of that number."""
    pid = os.fork()
    if pid:
        return _status(pid)
    seen = 0

    def step(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        repository = open_sqlite(path, mode="rw", options={"on_step": step})
        repository.declare([opened.cards, opened.events])
        for i in range(3):
            ops = (put(f"c{i}"), Put("events", f"c{i}", b"{}", {}, ""), put(f"d{i}"))
            repository.commit(Batch(ops, key=f"k{i}"))
        repository.settle()
        repository.backup(f"{path}.copy")
        lane = repository.lane("desk")
        lane.append([b"one", b"two"], durable=True)
    except BaseException:
        os._exit(3)
    os._exit(0)


def test_kill_between_any_two_steps_leaves_whole_batches(opened: Any, tmp_path: Path) -> None:
    for wanted in range(1, 60):
        path = tmp_path / f"{wanted}.db"
        open_sqlite(str(path), mode="create", options={}).close()
        status = _crash_at(str(path), wanted, opened)
        assert status in (0, -signal.SIGKILL)
        repository = open_sqlite(str(path), mode="rw", options={})
        assert repository.declare([opened.cards, opened.events]) == ()
        many = repository.count("events", TRUE)
        assert repository.count("cards", TRUE) == 2 * many
        for i in range(3):
            ops = (put(f"c{i}"), Put("events", f"c{i}", b"{}", {}, ""), put(f"d{i}"))
            assert repository.commit(Batch(ops, key=f"k{i}")).repeated is (i < many)
        assert [row.id for row in repository.scan("events")] == ["c0", "c1", "c2"]
        if "desk" in repository.idle_lanes():
            assert list(repository.read_lane("desk")) in ([], [b"one", b"two"])
        if Path(f"{path}.copy").exists():
            saved = open_sqlite(f"{path}.copy", mode="r", options={})
            assert saved.count("events", TRUE) == 3
            saved.close()
        repository.close()
        if status == 0:
            break
    else:
        pytest.fail("the last step was not reached")


def test_every_step_has_a_name_that_is_listed(opened: Any, tmp_path: Path) -> None:
    seen: set[str] = set()
    repository = opened(on_step=seen.add)
    for i in range(130):
        repository.commit(Batch((put(f"a{i}"),)))
    repository.settle()
    repository.backup(str(tmp_path / "copy.db"))
    repository.lane("x").append([b"1"], durable=True)
    assert seen == set(STEPS)


def test_a_backup_is_an_archive_and_never_overwrites(opened: Any, tmp_path: Path) -> None:
    repository = opened()
    repository.commit(Batch(tuple(put(f"a{i}") for i in range(50))))
    repository.backup(str(tmp_path / "b.db"))
    saved = opened("r", name="b.db")
    assert list(saved.scan("cards")) == list(repository.scan("cards"))
    with pytest.raises(ExistsError):
        repository.backup(str(tmp_path / "b.db"))
    with pytest.raises(MissingFolderError):
        repository.backup(str(tmp_path / "no" / "b.db"))


def test_an_error_in_a_step_rolls_back(opened: Any) -> None:
    class Stop(Exception):
        pass

    at = ""

    def step(name: str) -> None:
        if name == at:
            raise Stop

    repository: SqliteRepository = opened(on_step=step)
    for at in ("commit.begin", "commit.op", "commit.before"):  # noqa: B007
        with pytest.raises(Stop):
            repository.commit(Batch((put("a"),), key="k"))
    at = ""
    assert repository.count("cards", TRUE) == 0
    assert not repository.commit(Batch((put("a"),), key="k")).repeated


def test_lanes_are_held_read_and_dropped(opened: Any, tmp_path: Path) -> None:
    repository = opened()
    lane = repository.lane("desk-1")
    lane.append([b"1", b"2"], durable=True)
    lane.append([], durable=False)
    with pytest.raises(LockedError):
        opened("rw").lane("desk-1")
    with pytest.raises(LockedError):
        repository.drop_lane("desk-1")
    assert repository.idle_lanes() == []
    lane.close()
    lane.close()
    with pytest.raises(ClosedError):
        lane.append([b"3"], durable=False)
    path = tmp_path / "a.db.lanes" / "desk-1.lane"
    path.write_bytes(path.read_bytes() + b"torn")
    assert repository.idle_lanes() == ["desk-1"]
    assert list(repository.read_lane("desk-1")) == [b"1", b"2"]
    again = opened("r").lane("desk-1")
    again.append([b"3"], durable=False)
    again.close()
    assert list(repository.read_lane("desk-1")) == [b"1", b"2", b"3"]
    repository.drop_lane("desk-1")
    repository.drop_lane("desk-1")
    assert repository.idle_lanes() == []
    with pytest.raises(MissingArchiveError):
        repository.read_lane("desk-1")
    elsewhere = repository.lane("x", at=str(tmp_path / "reads"))
    elsewhere.append([b"1"], durable=False)
    assert (tmp_path / "reads" / "x.lane").read_bytes() == b"1\n"
    for bad in ("", "../x", "A"):
        with pytest.raises(DossierError):
            repository.lane(bad)


def test_two_commits_of_other_programs_do_not_break_ours(opened: Any, tmp_path: Path) -> None:
    """A program that knows nothing of our turns holds the database: the timeout holds for it too."""
    repository = opened(timeout=0.2)
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(LockedError):
        repository.commit(Batch((put("a"),)))
    other.execute("rollback")
    other.close()
    repository.commit(Batch((put("a"),)))


class _Wavering:
    """A connection whose commit is carried out or taken back, and then reported as failed."""

    def __init__(self, conn: sqlite3.Connection, instead: str) -> None:
        self._conn, self._instead = conn, instead

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql != "commit":
            return self._conn.execute(sql, *args)
        self._conn.execute(self._instead)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
        raise error


def test_an_unknown_outcome_is_resolved_by_the_key_or_told(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch((put("first"),)))
    real = repository._writer
    for number, instead in enumerate(("commit", "rollback")):
        repository._writer = _Wavering(real, instead)
        with pytest.raises(OutcomeUnknown) as caught:
            repository.commit(Batch((put(f"a{number}"),)))
        assert caught.value.__context__ is None
    repository._writer = _Wavering(real, "commit")
    assert not repository.commit(Batch((put("b"),), key="kept")).repeated
    repository._writer = _Wavering(real, "rollback")
    with pytest.raises(DamagedError):
        repository.commit(Batch((put("c"),), key="lost"))
    repository._writer = real
    assert repository.commit(Batch((put("b"),), key="kept")).repeated
    assert [row.id for row in repository.scan("cards")] == ["a0", "b", "first"]


def test_whole_rows_are_read_while_a_commit_is_being_made(opened: Any) -> None:
    repository: SqliteRepository
    seen: list[Any] = []

    def on_step(name: str) -> None:
        if name == "commit.before":
            seen.extend(repository.get_many([Key("cards", "a")]))

    repository = opened(on_step=on_step)
    repository.commit(Batch((put("a", size=1),)))
    repository.commit(Batch((attrs.evolve(put("a", size=2), expect=1),)))
    assert [row and row.body for row in seen] == [None, b"x"], "what is being made is not seen"
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None and (row.version, row.body) == (2, b"xx")


@pytest.mark.parametrize("broken", [KeyboardInterrupt, MemoryError])
def test_a_read_that_breaks_off_leaves_no_transaction_behind(
    broken: type[BaseException], opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository: SqliteRepository = opened()
    repository.commit(Batch((put("a"), put("b"))))

    def row(self: Table, record: object) -> Row:
        raise broken

    with monkeypatch.context() as patched:
        patched.setattr(Table, "row", row)
        with pytest.raises(broken):
            repository.get_many([Key("cards", "a"), Key("cards", "b")])
    other: SqliteRepository = opened("rw")
    other.commit(Batch((attrs.evolve(put("a", "秦琼"), expect=1),)))
    found = repository.get_many([Key("cards", "a"), Key("cards", "b")])
    assert [row and row.version for row in found] == [2, 1], "what others wrote is seen"
    repository.commit(Batch((put("c"),)))
    other.commit(Batch((put("d"),)))


@pytest.mark.parametrize("torn", ["[x", '["x', '{"x":1}', "7", b"[]", '"x"'])
def test_a_set_that_is_none_is_damage(torn: object, opened: Any, tmp_path: Path) -> None:
    repository: SqliteRepository = opened()
    repository.commit(Batch((Put("cards", "a", b"x", {"tags": ("t",)}, "s"), put("b"))))
    conn = sqlite3.connect(tmp_path / "a.db")
    conn.execute("update c_cards set f_tags = ? where id = 'a'", (torn,))
    conn.commit()
    conn.close()
    with pytest.raises(DamagedError) as caught:
        repository.get_many([Key("cards", "a"), Key("cards", "b")])
    assert caught.value.__context__ is None
    repository.commit(Batch((attrs.evolve(put("b"), expect=1),)))
    assert list(repository.check()) == ["set.cards.tags"]


def test_what_is_made_is_its_owners_alone_and_follows_the_archive(opened: Any, tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        repository = opened()
        repository.commit(Batch((put("1"),)))
        repository.lane("l1").append([b"{}"], durable=False)
        repository.backup(str(tmp_path / "b.db"))
        modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.rglob("*") if each.name != "hold"}
        assert {name for name, mode in modes.items() if mode & 0o077} == set()
        assert {"a.db", "a.db-wal", "a.db-lock", "a.db-turn", "a.db.lanes", "l1.lane", "b.db"} <= set(modes)
        repository.close()
        shutil.rmtree(tmp_path / "a.db.lanes")
        for each in tmp_path.glob("a.db-*"):
            each.unlink()
        (tmp_path / "a.db").chmod(0o660)
        repository = opened("rw")
        repository.commit(Batch((put("2"),)))
        repository.lane("l1").append([b"{}"], durable=False)
        for name in ("a.db-wal", "a.db-lock", "a.db-turn", "a.db.lanes/l1.lane"):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o660, name
        assert (tmp_path / "a.db.lanes").stat().st_mode & 0o777 == 0o770
    finally:
        os.umask(old)


def test_a_reader_leaves_nothing_beside_the_archive(opened: Any, tmp_path: Path) -> None:
    opened().commit(Batch((put("1"),)))
    opened.close()
    for each in tmp_path.glob("a.db-*"):
        each.unlink()
    before = (tmp_path / "a.db").read_bytes(), (tmp_path / "a.db").stat().st_mtime_ns
    first, second = opened("r"), opened("r")
    assert first.count("cards", TRUE) == second.count("cards", TRUE) == 1
    assert (tmp_path / "a.db-shm").exists()
    first.close()
    assert second.count("cards", TRUE) == 1
    second.close()
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]
    assert before == ((tmp_path / "a.db").read_bytes(), (tmp_path / "a.db").stat().st_mtime_ns)


def test_text_that_is_no_text_and_a_header_that_is_none_are_damage(opened: Any, tmp_path: Path) -> None:
    opened().commit(Batch((put("1"),)))
    opened.close()
    with sqlite3.connect(tmp_path / "a.db") as conn:
        conn.execute("update c_cards set id = cast(x'31ff' as text)")
    conn.close()
    with pytest.raises(DamagedError):
        list(opened("r").scan("cards"))
    raw = bytearray((tmp_path / "a.db").read_bytes())
    with sqlite3.connect(tmp_path / "a.db") as conn:
        conn.execute("update declared set declaration = x'31ff'")
    conn.close()
    with pytest.raises(DamagedError):
        opened("r")
    (tmp_path / "a.db").write_bytes(raw)
    with sqlite3.connect(tmp_path / "a.db") as conn:
        conn.execute("pragma writable_schema=on")
        conn.execute("update sqlite_schema set name = cast(x'91ff' as text), sql = 'create' where name = 'batches'")
    conn.close()
    with pytest.raises(DamagedError):
        opened("r")
    raw[16:18] = b"\x11\x11"  # the size of a page
    (tmp_path / "a.db").write_bytes(raw)
    with pytest.raises(DamagedError):
        opened("r")
