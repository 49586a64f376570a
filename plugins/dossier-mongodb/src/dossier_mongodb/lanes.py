"""Lanes: read events of one process, apart from the rows, so that no read waits for a batch.

`_lanes` says who holds a lane; `_reads` has one document an append, numbered within its lane. The number is the guard:
a lane that was taken over goes on with a number of its own, and who held it before is told so by his next append.

A holder is gone if his process is (asked of the system, on the same machine), or if he gave no sign of life for
`LEASE` seconds of the server's clock (on another one).
"""

from __future__ import annotations

import os
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import attrs
import pymongo
from pymongo.errors import DuplicateKeyError, PyMongoError

from dossier.errors import (
    ClosedError,
    ForkedError,
    LockedError,
    MissingArchiveError,
    NotPicklableError,
    RepositoryError,
)
from dossier.repository.checking import check_lane, check_lines, mistyped_option
from dossier_mongodb.address import KEPT, SNAPSHOT, Base, Client, Options
from dossier_mongodb.faults import fault
from dossier_mongodb.processes import is_gone, this_process

LEASE = 60.0
"""Seconds without a sign of life after which a holder on another machine counts as gone."""
BEAT = 15.0
_MOST = 8 * 1024 * 1024
"""Bytes of lines in one document."""
_DATABASE = re.compile(r"[A-Za-z0-9_-]{1,63}\Z")


@attrs.frozen
class Held:
    """A lane that this handle holds: the token says so, `last` is the number of its last append."""

    base: Base
    name: str
    token: str
    last: int
    before: bool
    """Whether it was taken from somebody who may not know it yet."""


class MongoLane:
    """See `Lane`. One document an append, in the journal of a majority, `durable` or not."""

    def __init__(self, held: Held, ask: Callable[[Callable[[], Any]], Any], step: Callable[[str], None]) -> None:
        self.held, self._ask, self._step = held, ask, step
        self._last = held.last
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self.closed = False

    def append(self, lines: Sequence[bytes], *, durable: bool) -> None:
        """See `Lane.append`. LockedError if another took the lane over; after an error it takes nothing more."""
        if self._pid != os.getpid():
            raise ForkedError
        check_lines(lines)
        with self._lock:
            if self.closed:
                raise ClosedError
            self._step("lane.before")
            kept = False
            try:
                for part in _parts(lines):
                    document = {"_id": _number(self.held.name, self._last + 1), "lines": part}
                    self._ask(lambda document=document: self.held.base["_reads"].insert_one(document))  # type: ignore[misc]
                    self._last += 1
                kept = True
            finally:
                if not kept:
                    # Nobody knows whether the number is taken.
                    self.closed = True
            self._step("lane.after")

    def close(self) -> None:
        """See `Lane.close`."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self.closed = True
            known = {"_id": self.held.name, "token": self.held.token}
            self._ask(lambda: self.held.base["_lanes"].update_one(known, {"$unset": {"token": ""}}))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NotPicklableError(what="MongoLane")


class LaneKeeper:
    """The lanes of a repository; see `Lanes`. `at` names another database of the same servers."""

    _client: Client
    _base: Base
    _options: Options
    _opened: list[MongoLane]
    _beating: threading.Event | None = None

    def lane(self, name: str, *, at: str | None = None) -> MongoLane:
        """See `Lanes.lane`."""
        check_lane(name)
        held = self._take(self._place(at), name)
        opened = MongoLane(held, self._told, self._step)
        self._opened = [*(lane for lane in self._opened if not lane.closed), opened]
        self._beat()
        return opened

    def idle_lanes(self, *, at: str | None = None) -> list[str]:
        """See `Lanes.idle_lanes`."""
        found = _holders(self._place(at), self._told, {})
        return sorted(document["_id"] for document in found if not _is_held(document))

    def read_lane(self, name: str, *, at: str | None = None) -> Iterator[bytes]:
        """See `Lanes.read_lane`. The lines are those of this moment; it may take some minutes to read them."""
        check_lane(name)
        base = self._place(at)
        if not _holders(base, self._told, {"_id": name}):
            raise MissingArchiveError
        lines = self._lines(base, name)
        next(lines)
        return lines

    def _lines(self, base: Base, name: str) -> Iterator[bytes]:
        """First b"" (so that all is closed whatever becomes of the iterator), then each line."""
        with self._client.start_session(causal_consistency=True) as session:
            # Whoever is primary now tells how far it is, and the read waits until a majority is that far: a lane that
            # is folded and dropped must not end early because another member has just become primary.
            self._told(lambda: self._client.admin.command("ping", session=session))
            with base["_reads"].find({"_id": _range(name)}, session=session).sort([("_id", 1)]) as cursor:
                document = self._told(lambda: next(cursor, None))
                yield b""
                while document is not None:
                    yield from map(bytes, document["lines"])
                    document = self._told(lambda: next(cursor, None))

    def drop_lane(self, name: str, *, at: str | None = None) -> None:
        """See `Lanes.drop_lane`. A lane that is not there is passed over."""
        check_lane(name)
        base = self._place(at)
        if not _holders(base, self._told, {"_id": name}):
            return
        held = self._take(base, name)
        # The number that keeps out who may not know yet that the lane was taken from him stays.
        stop = _number(name, held.last) if held.before else f"{name}0"
        self._told(lambda: base["_reads"].delete_many({"_id": {**_range(name), "$lt": stop}}))
        self._told(lambda: base["_lanes"].delete_one({"_id": name, "token": held.token}))

    # -- holding

    def _take(self, base: Base, name: str) -> Held:
        token = uuid.uuid4().hex
        change = {"$set": {"token": token, "holder": this_process()}, "$currentDate": {"beat": True}}
        before = False
        try:
            self._told(lambda: base["_lanes"].update_one({"_id": name, "token": None}, change, upsert=True))
            locked = False
        except LockedError:
            locked = True
        if locked:
            found = _holders(base, self._told, {"_id": name})
            if not found or found[0].get("token") is None or _is_held(found[0]):
                raise LockedError
            known = {"_id": name, "token": found[0]["token"]}
            if not self._told(lambda: base["_lanes"].update_one(known, change)).matched_count:
                raise LockedError
            before = is_gone(found[0]["holder"]) is None
        rows = self._told(lambda: list(base["_reads"].find({"_id": _range(name)}).sort([("_id", -1)]).limit(1)))
        last = int(rows[0]["_id"].rpartition("/")[2]) if rows else 0
        if before:
            last += 1
            guard = {"_id": _number(name, last), "lines": []}
            self._told(lambda: base["_reads"].insert_one(guard))
        return Held(base, name, token, last, before)

    def _beat(self) -> None:
        """Say every now and then that the lanes are held, from a thread of their own, until `close`."""
        if self._beating is not None:
            return
        over = self._beating = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT):
                for lane in [lane for lane in self._opened if not lane.closed]:
                    known = {"_id": lane.held.name, "token": lane.held.token}
                    try:
                        lane.held.base["_lanes"].update_one(known, {"$currentDate": {"beat": True}})
                    except PyMongoError:
                        pass  # the next one may get through

        threading.Thread(target=beat, name="dossier-lanes", daemon=True).start()

    def _release(self) -> None:
        """Let go of every lane."""
        if self._beating is not None:
            self._beating.set()
        for lane in self._opened:
            if not lane.closed:
                try:
                    lane.close()
                except RepositoryError:
                    pass  # it is idle when its time is over
        self._opened = []

    def _place(self, at: str | None) -> Base:
        self._awake()
        if at is None:
            return self._base
        if not _DATABASE.match(at):
            raise mistyped_option("reads", zh="同一服务器上的数据库名", en="the name of a database of the same servers")
        return self._client.get_database(
            at, codec_options=self._base.codec_options, write_concern=KEPT, read_concern=SNAPSHOT
        )

    def _told(self, call: Callable[[], Any]) -> Any:
        """What a call to MongoDB gives, within the time of the options. LockedError where a number or name is taken."""
        self._awake()
        failure: RepositoryError
        try:
            with pymongo.timeout(self._options.timeout):
                return call()
        except DuplicateKeyError:
            failure = LockedError()
        except PyMongoError as error:
            failure = fault(error)
        raise failure

    def _awake(self) -> None:
        raise NotImplementedError

    def _step(self, name: str) -> None:
        raise NotImplementedError


def _holders(
    base: Base, ask: Callable[[Callable[[], Any]], Any], known: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The documents of lanes, with `late`: whether the last sign of life is too long ago."""
    late = {"$lt": ["$beat", {"$subtract": ["$$NOW", int(LEASE * 1000)]}]}
    stages: list[dict[str, Any]] = [{"$match": dict(known)}, {"$set": {"late": late}}]
    found: list[dict[str, Any]] = ask(lambda: list(base["_lanes"].aggregate(stages)))
    return found


def _is_held(document: Mapping[str, Any]) -> bool:
    if document.get("token") is None:
        return False
    gone = is_gone(document["holder"])
    return not document["late"] if gone is None else not gone


def _number(name: str, number: int) -> str:
    return f"{name}/{number:012d}"


def _range(name: str) -> dict[str, str]:
    return {"$gt": f"{name}/", "$lt": f"{name}0"}  # "0" follows "/"


def _parts(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and size + len(line) > _MOST:
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part
