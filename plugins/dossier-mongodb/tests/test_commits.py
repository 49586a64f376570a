"""Batches between writers and through failures: what excludes each other, and what was not answered."""

from __future__ import annotations

import fcntl
import itertools
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pymongo
import pytest

from dossier.errors import ConflictError, LockedError, OutcomeUnknown, UnreachableError
from dossier.repository import Batch, Check, Delete, Key, Op, Put, Row, Shred
from dossier_mongodb import MongoRepository
from dossier_mongodb.processes import this_process
from dossier_mongodb.writing import CHECKS, SLOTS


def put(id: str, expect: int | None = 0, scope: str = "s") -> Put:
    return Put("cards", id, b"1", {}, scope, expect)


def row(repository: MongoRepository, id: str) -> Row | None:
    return repository.get_many([Key("cards", id)])[0]


# -- write skew ----------------------------------------------------------------------------------


def test_reading_alone_excludes_nothing(opened: Any) -> None:
    """The control: two transactions that each only read what the other writes both commit."""
    opened()
    with pymongo.MongoClient[dict[str, Any]](opened.url) as client:
        cards = client.get_default_database()["cards"]
        with client.start_session() as first, client.start_session() as second:
            for session in (first, second):
                session.start_transaction(pymongo.read_concern.ReadConcern("snapshot"))
            assert cards.find_one({"_id": "destroy"}, session=first) is None
            assert cards.find_one({"_id": "hold"}, session=second) is None
            cards.insert_one({"_id": "hold"}, session=first)
            cards.insert_one({"_id": "destroy"}, session=second)
            first.commit_transaction()
            second.commit_transaction()
        assert cards.count_documents({}) == 2


@pytest.mark.law("K4")
def test_hold_and_destroy_exclude_each_other(opened: Any) -> None:
    """Each checks that the other's row is absent, or that a row still has its version, and writes its own."""
    repository, other = opened(), opened("rw")
    for turn in range(25):
        repository.commit(Batch((put(f"file{turn}"),)))
        hold: tuple[Op, ...] = (Check("cards", f"file{turn}", 1), put(f"hold{turn}"))
        destroy: tuple[Op, ...] = (Check("cards", f"hold{turn}", 0), Delete("cards", f"file{turn}", 1))
        done = at_once(
            lambda hold=hold: repository.commit(Batch(hold)),  # type: ignore[misc]
            lambda destroy=destroy: other.commit(Batch(destroy)),  # type: ignore[misc]
        )
        assert sorted(done) == ["ConflictError", "done"]
        assert (row(repository, f"file{turn}") is None) is (row(repository, f"hold{turn}") is None)


def at_once(*calls: Callable[[], object]) -> list[str]:
    barrier = threading.Barrier(len(calls))
    results = [""] * len(calls)

    def run(place: int) -> None:
        barrier.wait()
        try:
            calls[place]()
            results[place] = "done"
        except Exception as error:
            results[place] = type(error).__name__

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# -- slots ---------------------------------------------------------------------------------------


def crowd(*repositories: MongoRepository, id: str = "manifest", version: int = 1) -> None:
    """Many batches at once that check the same row."""
    numbers = itertools.count()

    def write(repository: MongoRepository) -> None:
        for _ in range(12):
            ops = (Check("cards", id, version), Put("events", f"{next(numbers)}-{id}", b"1", {}, "s"))
            repository.commit(Batch(ops))

    assert set(at_once(*(lambda one=one: write(one) for one in repositories * 3))) == {"done"}  # type: ignore[misc]


def slots(url: str) -> list[int]:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        return [one["version"] for one in client.get_default_database()[CHECKS].find()]


@pytest.mark.law("K4")
def test_a_row_that_many_check_is_given_slots_and_stays_exact(opened: Any) -> None:
    first, second, late = opened(), opened("rw"), opened("rw")
    first.commit(Batch((put("manifest"),)))
    crowd(first, second)
    assert slots(opened.url) == [1] * SLOTS
    # One that knows nothing of the slots changes the row; those who know them meet the new version, and so on.
    for writer, version in ((late, 1), (first, 2), (second, 3)):
        writer.commit(Batch((put("manifest", version),)))
        assert slots(opened.url) == [version + 1] * SLOTS
        for one in (first, second, late):
            with pytest.raises(ConflictError):
                one.commit(Batch((Check("cards", "manifest", version),)))
            one.commit(Batch((Check("cards", "manifest", version + 1),)))
    late.commit(Batch((put("manifest", None),)))
    assert slots(opened.url) == [5] * SLOTS
    found = row(first, "manifest")
    assert found is not None
    assert found.version == 5
    late.commit(Batch((Put("cards", "manifest", b"2", {}, "s", 5, 9),)))
    assert slots(opened.url) == [9] * SLOTS


@pytest.mark.law("K4")
@pytest.mark.parametrize("removal", [Delete("cards", "manifest"), Delete("cards", "manifest", 1), Shred("gone")])
def test_slots_go_with_their_row(opened: Any, removal: Op) -> None:
    first, late = opened(), opened("rw")
    first.commit(Batch((put("manifest", scope="gone"), put("other"))))
    crowd(first, first)
    assert len(slots(opened.url)) == SLOTS
    late.commit(Batch((removal,)))
    assert slots(opened.url) == []
    assert row(first, "manifest") is None
    with pytest.raises(ConflictError):
        first.commit(Batch((Check("cards", "manifest", 1),)))
    first.commit(Batch((put("manifest"),)))
    for one in (first, late):
        one.commit(Batch((Check("cards", "manifest", 1),)))
        one.commit(Batch((Delete("cards", "absent"),)))


@pytest.mark.law("K4")
def test_slots_within_one_batch(opened: Any) -> None:
    """A row that has slots is checked, changed, removed and made anew by one batch, in the order of its operations."""
    first, late = opened(), opened("rw")
    for n, removal in enumerate([Delete("cards", "row"), Delete("cards", "row", 3), Shred("gone")] * 2):
        writer = (first, late)[n % 2]
        writer.commit(Batch((put("row", scope="gone"), put(f"other{n}", scope="kept"))))
        crowd(first, late, id="row")
        assert len(slots(opened.url)) == SLOTS
        check, change = Check("cards", "row", 1), put("row", 1, scope="gone")
        writer.commit(Batch((check, change, Check("cards", "row", 2), put("row", 2, scope="gone"))))
        assert slots(opened.url) == [3] * SLOTS
        with pytest.raises(ConflictError):
            writer.commit(Batch((Check("cards", "row", 3), removal, Check("cards", "row", 3))))
        writer.commit(Batch((Check("cards", "row", 3), removal, put("row", scope="gone"), Check("cards", "row", 1))))
        assert slots(opened.url) == []
        for one in (first, late):
            one.commit(Batch((Check("cards", "row", 1), Check("cards", f"other{n}", 1))))
        late.commit(Batch((Delete("cards", "row"),)))
        first.commit(Batch((Shred("s"),)))


@pytest.mark.law("K4")
def test_a_check_by_slot_and_a_change_exclude_each_other(opened: Any) -> None:
    first, second = opened(), opened("rw")
    first.commit(Batch((put("manifest"),)))
    crowd(first, second)
    for version in range(1, 20):
        checked = (Check("cards", "manifest", version), put(f"hold{version}"))
        changed = (Check("cards", f"hold{version}", 0), put("manifest", version))
        done = at_once(
            lambda ops=checked: first.commit(Batch(ops)),  # type: ignore[misc]
            lambda ops=changed: second.commit(Batch(ops)),  # type: ignore[misc]
        )
        assert sorted(done) == ["ConflictError", "done"]
        if done[0] == "done":
            second.commit(Batch((put("manifest", version),)))


# -- failures of the server ----------------------------------------------------------------------


@contextmanager
def failing(opened: Any, name: str, mode: Any, **data: object) -> Iterator[None]:
    """The server fails commands of the handles that were opened with the option `appname` = `name`. It has one such
    point, so that the workers take turns."""
    host = unquote(opened.server.address.partition("://")[2].partition("/")[0])
    lock = Path(host).parent / "failing" if host.startswith("/") else Path(tempfile.gettempdir()) / "ds-failing"
    with pymongo.MongoClient[dict[str, Any]](opened.server.url("admin")) as client, lock.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        point = {"configureFailPoint": "failCommand", "data": {"appName": f"{name} {this_process()}", **data}}
        client.admin.command({**point, "mode": mode})
        try:
            yield
        finally:
            client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


UNKNOWN: Mapping[str, Mapping[str, object]] = {
    "not kept, connection lost": {"closeConnection": True},
    "not kept, the primary goes": {"errorCode": 91},
    "not kept, no longer primary": {"errorCode": 10107},
    "kept, the majority is late": {"writeConcernError": {"code": 64, "errmsg": "late"}},
    "kept, the primary goes": {"writeConcernError": {"code": 91, "errmsg": "going", "errorLabels": []}},
    "out of time": {"errorCode": 50},
}


@pytest.mark.law("K4")
@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("shape", UNKNOWN)
def test_a_commit_that_is_not_answered_takes_effect_once(opened: Any, shape: str, times: int, key: str | None) -> None:
    opened()
    repository = opened("rw", client={"appname": opened.name, "heartbeatFrequencyMS": 500})
    repository.commit(Batch((put("a"),)))
    with failing(opened, opened.name, {"times": times}, failCommands=["commitTransaction"], **UNKNOWN[shape]):
        receipt = repository.commit(Batch((put("a", 1), put("b")), key))
    assert not receipt.repeated
    assert [found and found.version for found in (row(repository, "a"), row(repository, "b"))] == [2, 1]
    if key is not None:
        assert repository.commit(Batch((put("a", 7),), key)).repeated


@pytest.mark.law("K4")
@pytest.mark.parametrize("shape", ["connection lost", "write conflict", "primary goes"])
@pytest.mark.parametrize("command", ["insert", "update", "delete"])
def test_what_fails_before_the_commit_is_run_again(opened: Any, shape: str, command: str) -> None:
    opened()
    repository = opened("rw", client={"appname": opened.name, "heartbeatFrequencyMS": 500})
    repository.commit(Batch((put("a"), put("c"))))
    how: dict[str, Any] = {
        "connection lost": {"closeConnection": True},
        "write conflict": {"errorCode": 112, "errorLabels": ["TransientTransactionError"]},
        "primary goes": {"errorCode": 91, "errorLabels": ["TransientTransactionError"]},
    }[shape]
    with failing(opened, opened.name, {"times": 2}, failCommands=[command], **how):
        receipt = repository.commit(Batch((put("a", 1), put("b"), Delete("cards", "c")), "k"))
    assert not receipt.repeated
    found = [row(repository, id) for id in "abc"]
    assert [one and one.version for one in found] == [2, 1, None]


@pytest.mark.law("K4")
def test_an_outcome_that_stays_unknown_is_said_so(opened: Any) -> None:
    opened()
    repository = opened("rw", client={"appname": opened.name, "heartbeatFrequencyMS": 500}, timeout=1.5)
    repository.commit(Batch((put("a"),)))
    late = {"writeConcernError": {"code": 64, "errmsg": "late"}}
    with failing(opened, opened.name, "alwaysOn", failCommands=["commitTransaction"], **late):
        # It was kept; the key tells.
        assert not repository.commit(Batch((put("a", 1),), "k1")).repeated
        with pytest.raises(OutcomeUnknown):
            repository.commit(Batch((put("b"),)))
    with (
        failing(opened, opened.name, "alwaysOn", failCommands=["commitTransaction"], closeConnection=True),
        pytest.raises(OutcomeUnknown),
    ):
        repository.commit(Batch((put("a", 2),), "k2"))
    patient = opened("rw")
    assert not patient.commit(Batch((put("a", 2),), "k2")).repeated
    assert patient.commit(Batch((put("a", 2),), "k2")).repeated
    found = row(patient, "a")
    assert found is not None
    assert found.version == 3


def test_no_answer_in_time_and_no_end_of_conflicts(opened: Any) -> None:
    opened()
    repository = opened("rw", client={"appname": opened.name, "heartbeatFrequencyMS": 500}, timeout=0.5)
    slow = {"blockConnection": True, "blockTimeMS": 1500}
    with failing(opened, opened.name, "alwaysOn", failCommands=["find", "aggregate", "insert"], **slow):
        with pytest.raises(UnreachableError):
            row(repository, "a")
        with pytest.raises(UnreachableError):
            repository.commit(Batch((put("a"),)))
    conflict = {"errorCode": 112, "errorLabels": ["TransientTransactionError"]}
    with (
        failing(opened, opened.name, "alwaysOn", failCommands=["insert"], **conflict),
        pytest.raises(LockedError),
    ):
        repository.commit(Batch((put("a"),)))
    assert row(opened("rw"), "a") is None
