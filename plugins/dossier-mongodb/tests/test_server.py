"""Opening, refusing, secrets, and a server that is killed."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dossier.errors import (
    ConflictError,
    CredentialsError,
    DossierError,
    InputError,
    NewerFormatError,
    ReadOnlyError,
    UnreachableError,
    UnsuitableError,
)
from dossier.repository import Batch, Collection, IndexField, Key, Put, Query, encode, open_repository
from dossier_mongodb import open_mongodb
from dossier_mongodb.testing import Mongod, Server, binary

SECRET = "s3cret-Xq7Zp2Lw9Kd4"


def put(id: str, expect: int | None = 0) -> Put:
    return Put("cards", id, b"1", {}, "s", expect)


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("w=1", "w"),
        ("w=2", "w"),
        ("w=0", "w"),
        ("journal=false", "journal"),
        ("w=majority&journal=false", "journal"),
        ("readConcernLevel=local", "readConcernLevel"),
        ("readConcernLevel=available", "readConcernLevel"),
        ("readPreference=secondaryPreferred", "readPreference"),
        ("retryWrites=false", "retryWrites"),
    ],
)
def test_weaker_concerns_are_refused_by_name(opened: Any, query: str, name: str) -> None:
    opened()
    options = dict(pair.split("=") for pair in query.split("&"))
    typed: dict[str, Any] = {
        key: int(value) if value.isdigit() else value == "true" if value in ("true", "false") else value
        for key, value in options.items()
    }
    for url, given in ((f"{opened.url}&{query}", {}), (opened.url, {"client": typed})):
        with pytest.raises(InputError) as caught:
            open_mongodb(url, mode="rw", options=given)
        assert [(one.code, one.path) for one in caught.value.problems] == [("store.weaker", f"url.{name}")]


def test_the_strongest_are_taken_and_those_of_the_database_do_not_matter(opened: Any) -> None:
    opened().commit(Batch((put("a"),)))
    strong = f"{opened.url}&w=majority&journal=true&readConcernLevel=majority&readPreference=primary&retryWrites=true"
    repository = open_mongodb(strong, mode="rw", options={})
    seen: list[Any] = []

    class Listener(pymongo.monitoring.CommandListener):
        def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
            if event.command_name not in ("endSessions",):
                seen.append((event.command_name, event.command))

        def succeeded(self, event: object) -> None: ...

        def failed(self, event: object) -> None: ...

    repository.close()
    repository = open_mongodb(strong, mode="rw", options={"client": {"event_listeners": [Listener()]}})
    repository.commit(Batch((put("a", 1), put("b")), "k"))
    repository.find(Query(collection="cards"))
    repository.get_many([Key("cards", "a"), Key("events", "a")])
    repository.close()
    (commit,) = [command for name, command in seen if name == "commitTransaction"]
    assert commit["writeConcern"] == {"w": "majority", "j": True}
    firsts = [command for _, command in seen if command.get("startTransaction")]
    assert [command["readConcern"]["level"] for command in firsts] == ["snapshot"]
    reads = [command for name, command in seen if name in ("find", "aggregate")][-2:]
    assert [command["readConcern"]["level"] for command in reads] == ["snapshot", "snapshot"]
    assert all("afterClusterTime" in command["readConcern"] for command in reads)
    assert all("maxTimeMS" in command for command in reads)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": "1"}, {"client": 5}, {"credentials": 5}, {"nope": 1}])
def test_options_are_checked(opened: Any, options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        open_mongodb(opened.url, mode="create", options=options)


def test_a_newer_format_and_no_database(opened: Any) -> None:
    opened()
    with pymongo.MongoClient[dict[str, Any]](opened.url) as client:
        client.get_default_database()["_archive"].update_one({}, {"$set": {"format": 2}})
    with pytest.raises(NewerFormatError):
        open_mongodb(opened.url, mode="rw", options={})
    with pytest.raises(InputError):
        open_mongodb(opened.server.url(""), mode="rw", options={})


def test_it_is_found_by_its_scheme(opened: Any) -> None:
    opened()
    open_repository(opened.url).close()


# -- secrets -------------------------------------------------------------------------------------


def attempts(url: str) -> Iterator[Callable[[], object]]:
    host = url.removeprefix("mongodb://")
    for address, client in (
        (f"mongodb://user:{SECRET}@{host}", {}),
        (f"mongodb://user:{SECRET}@{host}&w=1", {}),
        (f"mongodb://user:{SECRET}@h:99999999/x", {}),
        (f"mongodb://user:{SECRET}@@h/x", {}),
        (f"mongodb://user:{SECRET}@%2Fnowhere%2Fm.sock/x", {}),
        (f"mongodb://user:{SECRET}@{host}&tlsCAFile=/nowhere&tls=true", {}),
        (url, {"username": "user", "password": SECRET}),
        (url, {"username": "user", "password": SECRET, "authMechanism": "nonsense"}),
    ):
        options: dict[str, object] = {"client": client, "selection": 0.3, "timeout": 1}
        yield lambda address=address, options=options: open_mongodb(address, mode="rw", options=options)  # type: ignore[misc]


@pytest.mark.law("K3")
def test_no_error_shows_a_secret(opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    opened()
    with caplog.at_level(logging.DEBUG):
        for attempt in attempts(opened.url):
            with pytest.raises(DossierError) as caught:
                attempt()
            error = caught.value
            assert error.__cause__ is None
            assert error.__context__ is None
            told = f"{error!s} {error!r} {error.args} {error.facts} {''.join(traceback.format_exception(error))}"
            assert SECRET not in told
        given = {"credentials": lambda: {"username": "user", "password": SECRET}}
        with pytest.raises(CredentialsError) as caught:
            open_mongodb(opened.url, mode="rw", options=given)
        assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in caplog.text


@pytest.mark.law("K3")
def test_no_log_record_shows_a_customer(opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        repository = opened()
        body = encode({"name": SECRET})
        repository.commit(Batch((Put("cards", "a", body, {"name": SECRET, "text": SECRET}, "s"),)))
        with pytest.raises(ConflictError) as caught:
            repository.commit(Batch((Put("cards", "a", body, {"name": SECRET}, "s"),)))
        assert caught.value.__context__ is None
        assert len(list(repository.scan("cards"))) == 1
    assert SECRET not in caplog.text
    assert SECRET not in repr(repository)
    assert "sock" not in repr(repository)


# -- servers -------------------------------------------------------------------------------------


def test_nobody_there(tmp_path: Path) -> None:
    url = Server(f"mongodb://{str(tmp_path / 'no.sock').replace('/', '%2F')}/?directConnection=true").url("x")
    begun = time.monotonic()
    with pytest.raises(UnreachableError):
        open_mongodb(url, mode="rw", options={"selection": 0.5})
    assert time.monotonic() - begun < 30


@pytest.fixture
def program() -> Path:
    found = binary()
    if found is None:
        pytest.skip("no mongod can be run here")
    return found


def test_a_server_that_stands_alone_is_told_what_to_do(program: Path, short: Path) -> None:
    socket = short / "m.sock"
    command = [str(program), "--dbpath", str(short), "--bind_ip", str(socket), "--wiredTigerCacheSizeGB", "0.5"]
    alone = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        url = f"mongodb://{str(socket).replace('/', '%2F')}/x"
        for mode in ("create", "rw"):
            with pytest.raises(UnsuitableError) as caught:
                open_mongodb(url, mode=mode, options={"selection": 30})  # type: ignore[arg-type]
            assert "rs.initiate()" in caught.value.fix()
    finally:
        alone.kill()
        alone.wait()


@pytest.mark.law("K4")
def test_a_server_killed_in_the_middle(program: Path, short: Path) -> None:
    """kill -9 of mongod three times while batches are committed: each is there whole, once, and none is a conflict."""
    mongod = Mongod(short, program)
    mongod.start()
    try:
        url = mongod.server.url("killed")
        repository = open_mongodb(url, mode="create", options={"client": {"heartbeatFrequencyMS": 500}})
        repository.declare([Collection(name="cards", fields=(IndexField(name="n", type="int"),))])
        acknowledged = 0
        wrong: list[Exception] = []
        stop = threading.Event()

        def write() -> None:
            nonlocal acknowledged
            try:
                while not stop.is_set():
                    n = acknowledged + 1
                    counter = Put("cards", "counter", encode(n), {"n": n}, "s", n - 1)
                    repository.commit(Batch((counter, put(f"{n:06}a"), put(f"{n:06}b")), f"k{n}"))
                    acknowledged = n
            except Exception as error:
                wrong.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(3):
            before = acknowledged
            until = time.monotonic() + 60
            while acknowledged < before + 20 and not wrong and time.monotonic() < until:
                time.sleep(0.005)
            mongod.kill()
            mongod.start()
        stop.set()
        writer.join()
        assert wrong == []
        assert acknowledged >= 60
        (row,) = repository.get_many([Key("cards", "counter")])
        assert row is not None
        assert row.version == acknowledged
        assert sum(1 for _ in repository.scan("cards")) == 2 * acknowledged + 1
        repository.close()
    finally:
        mongod.kill()


def test_users_and_rights(program: Path, short: Path) -> None:
    """A server that asks who is there: wrong secrets, secrets from a callable, a user who may read only and keeps his
    read events in a database of his own."""
    key = short / "key"
    key.write_text("a" * 64)
    key.chmod(0o600)
    mongod = Mongod(short, program, ["--auth", "--keyFile", str(key)])
    mongod.start()
    try:
        root = {"username": "root", "password": SECRET, "authSource": "admin"}
        with pymongo.MongoClient[dict[str, Any]](mongod.server.url("admin")) as client:
            client.admin.command("createUser", "root", pwd=SECRET, roles=["root"])
        with pymongo.MongoClient[dict[str, Any]](mongod.server.url("admin"), **root) as client:  # type: ignore[arg-type]
            hotel, own = {"db": "hotel", "role": "readWrite"}, {"db": "reads", "role": "readWrite"}
            client.admin.command("createUser", "writer", pwd=SECRET, roles=[hotel])
            client.admin.command("createUser", "reader", pwd=SECRET, roles=[{**hotel, "role": "read"}, own])
            client.admin.command("createUser", "nobody", pwd=SECRET, roles=[own])
        url = mongod.server.url("hotel")

        def options(user: str, secret: str = SECRET) -> dict[str, object]:
            return {"credentials": lambda: {"username": user, "password": secret, "authSource": "admin"}}

        with pytest.raises(CredentialsError):
            open_mongodb(url, mode="rw", options={})
        with pytest.raises(CredentialsError):
            open_mongodb(url, mode="rw", options=options("writer", "wrong"))
        writer = open_mongodb(url, mode="create", options=options("writer"))
        writer.declare([Collection(name="cards", fields=(IndexField(name="name"),))])
        writer.commit(Batch((put("a"),)))
        # What a killed process left behind is looked for without further rights.
        writer.declare([Collection(name="more")])
        with pytest.raises(CredentialsError):
            open_mongodb(url, mode="r", options=options("nobody"))
        with pytest.raises(ReadOnlyError):
            open_mongodb(url, mode="rw", options=options("reader"))
        reader = open_mongodb(url, mode="r", options=options("reader"))
        assert len(list(reader.scan("cards"))) == 1
        with pytest.raises(CredentialsError):
            reader.lane("a")
        lane = reader.lane("a", at="reads")
        lane.append([b"1"], durable=True)
        assert list(reader.read_lane("a", at="reads")) == [b"1"]
        reader.close()
        writer.close()
    finally:
        mongod.kill()


def test_what_takes_too_long(program: Path, short: Path) -> None:
    """An index build that hangs ends in a typed error and is taken up again; a transaction that outlived its time is
    run again."""
    mongod = Mongod(short, program)
    mongod.start()
    slept: list[str] = []

    def sleep_once(step: str) -> None:
        if step == "commit.part" and not slept:
            slept.append(step)
            time.sleep(4)

    try:
        url = mongod.server.url("slow")
        repository = open_mongodb(url, mode="create", options={"index_timeout": 1})
        repository.declare([Collection(name="cards", fields=(IndexField(name="name"),))])
        repository.commit(Batch((put("a"),)))
        wider = [Collection(name="cards", fields=(IndexField(name="name"), IndexField(name="later")))]
        hang = {"configureFailPoint": "hangAfterStartingIndexBuild", "mode": "alwaysOn"}
        with pymongo.MongoClient[dict[str, Any]](mongod.server.url("admin")) as client:
            client.admin.command(hang)
            with pytest.raises(UnreachableError):
                repository.declare(wider)
            client.admin.command({**hang, "mode": "off"})
            assert repository.declare(wider) == ("cards",)
            assert repository.declare(wider) == ()
            client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 1})
        slow = open_mongodb(url, mode="rw", options={"on_step": sleep_once})
        assert not slow.commit(Batch((put("a", 1), put("b")), "k")).repeated
        assert slept == ["commit.part"]
        assert [row.version for row in slow.scan("cards")] == [2, 1]
        slow.close()
        repository.close()
    finally:
        mongod.kill()
