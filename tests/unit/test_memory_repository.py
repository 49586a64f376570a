"""The memory repository: names, modes, snapshots, lanes, refusals. Rows and queries are the conformance kit's."""

from __future__ import annotations

import copy
import os
import pickle
import uuid

import pytest

from dossier.errors import (
    ClosedError,
    ConflictError,
    DossierError,
    ExistsError,
    ForkedError,
    InputError,
    LockedError,
    MissingArchiveError,
    NotPicklableError,
    ReadOnlyError,
)
from dossier.repository import (
    TRUE,
    Batch,
    Check,
    Collection,
    Contains,
    Delete,
    Eq,
    Index,
    IndexField,
    Key,
    Order,
    Put,
    Query,
    Repository,
    Shred,
    open_repository,
)
from dossier.repository.memory import STEPS, MemoryRepository, open_memory

CARDS = Collection(
    name="cards",
    fields=(
        IndexField(name="name"),
        IndexField(name="text", type="search"),
        IndexField(name="tags", many=True),
        IndexField(name="last", type="int", derived=True),
    ),
)


def put(id: str, *, expect: int | None = 0, scope: str = "s", **index: object) -> Put:
    return Put("cards", id, b"{}", index, scope, expect=expect)  # type: ignore[arg-type]


@pytest.fixture
def repository() -> MemoryRepository:
    made = open_memory("memory:", mode="create", options={})
    made.declare([CARDS])
    return made


def test_a_named_store_is_found_again_and_a_private_one_is_not() -> None:
    name = f"memory:{uuid.uuid4().hex}"
    for url in ("memory:", name):
        with pytest.raises(MissingArchiveError):
            open_repository(url)
    first = open_repository(name, mode="create")
    first.declare([CARDS])
    first.commit(Batch((put("a"),)))
    first.close()
    with pytest.raises(ExistsError):
        open_repository(name, mode="create")
    reader: Repository = open_repository(name, mode="r")
    assert reader.count("cards", TRUE) == 1
    assert reader.declare([CARDS]) == ()
    with pytest.raises(ReadOnlyError):
        reader.commit(Batch((put("b"),)))
    with pytest.raises(ReadOnlyError):
        reader.declare([Collection(name="more")])
    private = open_repository("memory:", mode="create")
    assert private.declare([CARDS]) == ()
    assert private.count("cards", TRUE) == 0


def test_unknown_options_are_refused() -> None:
    with pytest.raises(InputError):
        open_repository("memory:", mode="create", options={"timeout": 1})
    with pytest.raises(InputError):
        open_repository("memory:", mode="create", options={"on_step": 1})


def test_a_batch_is_all_or_nothing_and_its_key_counts_once(repository: MemoryRepository) -> None:
    repository.commit(Batch((put("a"),), key="k"))
    assert repository.commit(Batch((put("a"),), key="k")).repeated
    for bad in (put("a"), Check("cards", "a", 0), Delete("cards", "a", 3)):
        with pytest.raises(ConflictError):
            repository.commit(Batch((put("b"), Delete("cards", "a"), bad, Check("cards", "a", 9)), key="n"))
    assert [row.id for row in repository.scan("cards")] == ["a"]
    assert not repository.commit(Batch((put("b"), put("b", expect=1)), key="n")).repeated


def test_a_step_that_raises_leaves_nothing(repository: MemoryRepository) -> None:
    class Stop(Exception):
        pass

    at = ""

    def step(name: str) -> None:
        if name == at:
            raise Stop

    store = open_memory("memory:", mode="create", options={"on_step": step})
    store.declare([CARDS])
    for name in STEPS[:-1]:
        at = name
        with pytest.raises(Stop):
            store.commit(Batch((put("a"), put("b"))))
        assert store.count("cards", TRUE) == 0


def test_derived_fields_follow_their_mark(repository: MemoryRepository) -> None:
    repository.commit(Batch((put("a", name="n"), Index("cards", "a", {"last": 3}, mark=3))))
    repository.commit(Batch((Index("cards", "a", {"last": 2}, mark=2), put("a", expect=1, name="m"))))
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None
    assert (row.version, dict(row.index)) == (2, {"name": "m", "last": 3})


def test_what_is_given_out_cannot_change_the_store(repository: MemoryRepository) -> None:
    repository.commit(Batch((put("a", name="n"),)))
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None
    row.index["name"] = "x"  # type: ignore[index]
    assert repository.count("cards", Eq("name", "n")) == 1


def test_a_snapshot_stays_what_it_was(repository: MemoryRepository) -> None:
    repository.commit(Batch((put("a"),)))
    with repository.snapshot() as view:
        repository.commit(Batch((put("b"), Shred("s"), put("c"))))
        assert [row.id for row in view.scan("cards")] == ["a"]
    assert [row.id for row in repository.scan("cards")] == ["c"]


def test_absent_comes_first_and_last_and_search_is_a_substring(repository: MemoryRepository) -> None:
    repository.commit(Batch((put("a", name="x", text="单雄信"), put("b", tags=("t",)), put("c", name="y"))))
    up = Query(collection="cards", order=Order("name"))
    down = Query(collection="cards", order=Order("name", descending=True))
    assert [row.id for row in repository.find(up).rows] == ["b", "a", "c"]
    assert [row.id for row in repository.find(down).rows] == ["c", "a", "b"]
    assert repository.count("cards", Contains("text", "雄")) == 1
    assert repository.count("cards", Eq("tags", None)) == 2


def test_lanes(repository: MemoryRepository) -> None:
    lane = repository.lane("desk")
    lane.append([b"1", b"2"], durable=True)
    for call in (lambda: repository.lane("desk"), lambda: repository.drop_lane("desk")):
        with pytest.raises(LockedError):
            call()
    assert repository.idle_lanes() == []
    lane.close()
    lane.close()
    with pytest.raises(ClosedError):
        lane.append([b"3"], durable=False)
    assert repository.idle_lanes() == ["desk"]
    assert repository.idle_lanes(at="elsewhere") == []
    assert list(repository.read_lane("desk")) == [b"1", b"2"]
    repository.drop_lane("desk")
    with pytest.raises(MissingArchiveError):
        repository.read_lane("desk")
    for bad in ("", "A", "../x"):
        with pytest.raises(DossierError):
            repository.lane(bad)


def test_pickle_fork_close(repository: MemoryRepository) -> None:
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(NotPicklableError):
            attempt(repository)
    pid = os.fork()
    if pid == 0:
        try:
            repository.count("cards", TRUE)
        except ForkedError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    repository.close()
    repository.close()
    for call in (lambda: repository.count("cards", TRUE), lambda: repository.commit(Batch(())), repository.idle_lanes):
        with pytest.raises(ClosedError):
            call()
