"""How a repository opens, closes, refuses and what it offers beyond the contract: drivers, forks, lanes, backups.

Floor: testing.
"""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from contextlib import closing
from functools import partial

from dossier.errors import (
    ClosedError,
    ExistsError,
    ForkedError,
    InputError,
    LockedError,
    MissingArchiveError,
    NotAnArchiveError,
    NotPicklableError,
    QueryError,
    ReadOnlyError,
)
from dossier.repository import (
    TRUE,
    Aggregates,
    BacksUp,
    Batch,
    Checks,
    Collection,
    Delete,
    Index,
    IndexField,
    Key,
    Lanes,
    Put,
    Query,
    Repository,
    encode,
)
from dossier.testing.crash import Say, child, kill
from dossier.testing.law_crash import FIRST, batches
from dossier.testing.oracle import Oracle
from dossier.testing.pair import Pair
from dossier.testing.place import Place, Places, fail, holds, raises, same

COLLECTION = Collection(name="plain", fields=(IndexField(name="name"), IndexField(name="n", type="int", derived=True)))
PUT = Put("plain", "a", encode({}), {"name": "x"}, "s")


def check_driver(places: Places) -> None:
    """`create` never overwrites, `open` never creates, `r` never writes, an unknown option is named."""
    place = places()
    for mode in ("rw", "r"):
        raises(MissingArchiveError, place.open, "opening what is not there", mode)
    raises(InputError, lambda: place.create(no_such_option=1), "an option that nobody knows")
    raises(MissingArchiveError, place.open, "opening after a refused creation")
    with closing(place.create()) as repository:
        same("a fresh declaration lacks nothing", repository.declare([COLLECTION]), ())
        same("declared again", repository.declare([COLLECTION]), ())
        repository.commit(Batch((PUT,)))
        raises(ExistsError, place.create, "creating over an open store")
    raises(ExistsError, place.create, "creating over a store")
    raises(InputError, lambda: place.open(no_such_option=1), "an option that nobody knows")
    with closing(place.open("r")) as repository:
        same("rows read", len(list(repository.scan("plain"))), 1)
        for op in (Delete("plain", "a"), Index("plain", "a", {"n": 1}), PUT):
            raises(ReadOnlyError, repository.commit, "writing in mode r", Batch((op,)))
    with closing(place.open()) as repository:
        same("the row after refusals", [row.version for row in repository.scan("plain")], [1])
        for call in (lambda: repository.scan("nobody"), lambda: repository.count("nobody", TRUE)):
            raises(QueryError, call, "a collection that was not declared")
        raises(QueryError, lambda: repository.get_many([Key("nobody", "a")]), "a collection that was not declared")


def check_foreign(place: Place) -> None:
    """What is there and is no archive is refused, by `open` and by `create`, and stays as it is."""
    for mode in ("rw", "r"):
        raises(NotAnArchiveError, place.open, "opening what is no archive", mode)
    raises(ExistsError, place.create, "creating over what is no archive")


def check_life(places: Places) -> None:
    """Closed twice is closed once; every call after it is a ClosedError; pickling and copying are refused."""
    place = places()
    repository = place.create()
    repository.declare([COLLECTION])
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        raises(NotPicklableError, copied, "a pickled or copied repository", repository)
    repository.close()
    repository.close()
    for name, call in calls(repository).items():
        raises(ClosedError, call, f"{name} after close")


def calls(repository: Repository) -> dict[str, Callable[[], object]]:
    """One call of every verb of the contract, by name."""

    def snapshot() -> None:
        with repository.snapshot() as reader:
            reader.get_many([Key("plain", "a")])

    return {
        "get_many": lambda: repository.get_many([Key("plain", "a")]),
        "find": lambda: repository.find(Query(collection="plain")),
        "count": lambda: repository.count("plain", TRUE),
        "scan": lambda: list(repository.scan("plain")),
        "snapshot": snapshot,
        "commit": lambda: repository.commit(Batch((PUT,))),
        "declare": lambda: repository.declare([COLLECTION]),
    }


def check_fork(places: Places) -> None:
    """In a forked child every verb is a ForkedError, whichever is first; the parent goes on unharmed. A child that
    opens the store itself may write, where several processes may."""
    place = places()
    with closing(place.create()) as repository:
        repository.declare([COLLECTION])
        repository.commit(Batch((PUT,)))
        verbs = calls(repository)

        def inherited(say: Say) -> None:
            for name, call in verbs.items():
                raises(ForkedError, call, f"{name} in a child")
                raises(ForkedError, call, f"{name} in a child, again")
                say(name)
            if repository.capabilities.processes:
                with closing(place.open()) as own:
                    own.commit(Batch((Put("plain", "child", encode({}), {"name": "y"}, "s"),)))

        with child(inherited) as (_, lines):
            same("what a child did", list(lines), [*verbs, "end"])
        repository.commit(Batch((Put("plain", "a", encode({"b": 1}), {}, "s", 1),)))
        wanted = {"a": 2, "child": 1} if repository.capabilities.processes else {"a": 2}
        same("rows after the child", {row.id: row.version for row in repository.scan("plain")}, wanted)


def check_capabilities(places: Places) -> None:
    """What is declared is there, and what is there is declared."""
    with closing(places().create()) as repository:
        offered = repository.capabilities
        same("lanes", isinstance(repository, Lanes), offered.lanes)
        same("backup", isinstance(repository, BacksUp), offered.backup)
        same("aggregate", isinstance(repository, Aggregates), offered.aggregate)


def check_lanes(places: Places, folder: str) -> None:
    """Lanes keep whole lines in order, one holder at a time, beside the store or in a folder of the caller's choice."""
    place = places()
    with closing(place.create()) as repository:
        lanes = _lanes(repository)
        same("no lanes at first", lanes.idle_lanes(), [])
        for at in (None, folder):
            lane = lanes.lane("b-1", at=at)
            lane.append([b'{"n":1}', b'{"n":2}'], durable=True)
            lane.append([], durable=False)
            lane.append(['{"n":"单"}'.encode()], durable=False)
            raises(LockedError, partial(lanes.lane, at=at), "a lane that is held", "b-1")
            raises(LockedError, partial(lanes.drop_lane, at=at), "dropping a lane that is held", "b-1")
            same("idle lanes while held", lanes.idle_lanes(at=at), [])
            lines = [b'{"n":1}', b'{"n":2}', '{"n":"单"}'.encode()]
            same("lines of a held lane", list(lanes.read_lane("b-1", at=at)), lines)
            lane.close()
            lane.close()
            raises(ClosedError, partial(lane.append, durable=False), "appending to a closed lane", [b"1"])
            lanes.lane("a", at=at).close()
            same("idle lanes", sorted(lanes.idle_lanes(at=at)), ["a", "b-1"])
            with closing(lanes.lane("b-1", at=at)) as again:
                again.append([b"4"], durable=False)
            same("a lane taken up again", list(lanes.read_lane("b-1", at=at)), [*lines, b"4"])
            lanes.drop_lane("b-1", at=at)
            same("idle lanes after a drop", lanes.idle_lanes(at=at), ["a"])


def check_lane_killed(places: Places) -> None:
    """A process that is killed while it appends loses no acknowledged line and leaves the lane idle and readable."""
    place = places()
    with closing(place.create()):
        pass
    acknowledged = 0
    with child(lambda say: _append(place, say)) as (pid, said):
        for line in said:
            acknowledged = int(line)
            if acknowledged == 40:
                with closing(place.open()) as repository:
                    same("idle lanes while a process holds it", _lanes(repository).idle_lanes(), [])
                kill(pid)
    with closing(place.open()) as repository:
        same("idle lanes after a kill", _lanes(repository).idle_lanes(), ["killed"])
        lines = list(_lanes(repository).read_lane("killed"))
        same("lines", lines, [encode({"n": n}) for n in range(1, len(lines) + 1)])
        holds(f"{len(lines)} of {acknowledged} acknowledged lines are there", len(lines) >= acknowledged)
        with closing(_lanes(repository).lane("killed")) as lane:
            lane.append([b"0"], durable=False)
        same("a line after a kill", list(_lanes(repository).read_lane("killed")), [*lines, b"0"])


def _append(place: Place, say: Say) -> None:
    lane = _lanes(place.open()).lane("killed")
    for n in range(1, 100_000):
        lane.append([encode({"n": n})], durable=False)
        say(str(n))


def _lanes(repository: object) -> Lanes:
    if not isinstance(repository, Lanes):
        fail("the repository offers no lanes")
    return repository


def check_backup(places: Places, target: str) -> None:
    """A backup opens by itself and equals the store at that moment; it never overwrites."""
    place = places()
    oracle = Oracle()
    with closing(place.create()) as repository:
        repository.declare(FIRST)
        oracle.declare(FIRST)
        for batch in batches():
            repository.commit(batch)
            oracle.commit(batch)
        if not isinstance(repository, BacksUp):
            fail("the repository offers no backup")
        repository.backup(target)
        raises(ExistsError, lambda: repository.backup(target), "a backup over another")
        repository.commit(Batch((Delete("events", "e00001"),)))
    scheme = place.url.partition(":")[0]
    with closing(Place(place.driver, f"{scheme}:{target}").open()) as copied:
        copied.declare(FIRST)
        pair = Pair(copied, oracle, FIRST)
        pair.state()
        same("a batch key in the backup", copied.commit(batches()[0]).repeated, True)


def check_checks(place: Place, spoil: Callable[[], bool]) -> bool:
    """The store's own check tells nothing of a sound store, and something of one that `spoil` damaged while it was
    closed (it says whether it could); what it tells are codes. Whether the repository has such a check."""
    with closing(place.create()) as repository:
        if not isinstance(repository, Checks):
            return False
        repository.declare(FIRST)
        same("what an empty store tells", list(repository.check()), [])
        for batch in batches():
            repository.commit(batch)
            same("what a sound store tells", list(repository.check()), [])
    if spoil():
        with closing(place.open("r")) as repository:
            holds("the repository is the same", isinstance(repository, Checks))
            told = list(repository.check()) if isinstance(repository, Checks) else []
        holds("a damaged store tells of it", bool(told))
        holds("a code has no value in it", all(re.fullmatch(r"[a-z0-9_.:-]+", code) for code in told))
    return True
