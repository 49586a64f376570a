"""The repository itself: sessions, transactions, deadlines; what is said to MongoDB stands in the modules beside it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import pymongo
from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from dossier.errors import ClosedError, ForkedError, NotPicklableError, ReadOnlyError, RepositoryError
from dossier.repository import Batch, Capabilities, Collection, Receipt
from dossier.repository.checking import Shape, check_batch, widen
from dossier_mongodb import opening
from dossier_mongodb.address import Base, Client, Options
from dossier_mongodb.committing import Commit, pause
from dossier_mongodb.documents import Table
from dossier_mongodb.faults import CATALOGUE_CHANGED, fault
from dossier_mongodb.lanes import LaneKeeper, MongoLane
from dossier_mongodb.processes import free
from dossier_mongodb.reader import MongoReader
from dossier_mongodb.writing import Name

STEPS = (
    "create.claimed",
    "create.marked",
    "declare.indexed",
    "declare.after",
    "commit.part",
    "commit.after",
    "lane.before",
    "lane.after",
)
"""Names that `on_step` is called with, between the commands of what they are named after."""

_T = TypeVar("_T")


class _Snapshot(MongoReader):
    """Reads of one moment; one thread at a time."""

    def __init__(self, owner: MongoRepository, session: ClientSession, tables: dict[str, Table]) -> None:
        self._owner, self._session, self._tables = owner, session, tables
        self._lock = threading.Lock()
        self.over = False

    def _awake(self) -> None:
        self._owner._awake()
        if self.over:
            raise ClosedError

    def _read(self, verb: Callable[..., _T], *args: Any, many: bool = False) -> _T:
        with self._lock:
            self._awake()
            return self._owner._asked(verb, self._session, self._tables, args)


class MongoRepository(MongoReader, LaneKeeper):
    """See `Repository`, `Aggregates`, `Lanes`."""

    def __init__(self, client: Client, base: Base, options: Options, *, read_only: bool) -> None:
        self._client, self._base, self._options, self._read_only = client, base, options, read_only
        self._pid = os.getpid()
        self._closed = False
        self._seen: Timestamp | None = None
        self._clock = threading.Lock()
        self._declaring = threading.Lock()
        self._opened: list[MongoLane] = []
        self._slotted: set[Name] = set()
        self._tables: dict[str, Table] = {}
        self._shapes: dict[str, Shape] = {}
        self._adopt(self._read(lambda base, session, _: opening.load_declared(base, session)))

    @property
    def capabilities(self) -> Capabilities:
        """Durable, for several processes, lanes, aggregation. Backups are the server's; `Shred` reaches live rows."""
        return Capabilities(durable=True, processes=True, lanes=True, aggregate=True)

    # -- sessions

    @contextmanager
    def _session(self) -> Iterator[ClientSession]:
        """A causal session: what it reads is never older than anything this handle has seen or written."""
        with self._client.start_session(causal_consistency=True) as session:
            if self._seen is not None:
                session.advance_operation_time(self._seen)
            try:
                yield session
            finally:
                now = session.operation_time
                if now is not None:
                    with self._clock:
                        if self._seen is None or now > self._seen:
                            self._seen = now

    # -- reads

    def _read(self, verb: Callable[..., _T], *args: Any, many: bool = False) -> _T:
        self._awake()
        if many:
            with self._pinned() as session:
                return self._asked(verb, session, self._tables, args)
        with self._session() as session:
            return self._asked(verb, session, self._tables, args)

    def _asked(self, verb: Callable[..., _T], session: ClientSession, tables: object, args: tuple[Any, ...]) -> _T:
        deadline = time.monotonic() + self._options.timeout
        turn = 0
        while True:
            try:
                with pymongo.timeout(max(deadline - time.monotonic(), 0.001)):
                    return verb(self._base, session, tables, *args)
            except PyMongoError as error:
                failure = fault(error)
                again = getattr(error, "code", None) in CATALOGUE_CHANGED
            if not again or time.monotonic() > deadline:
                raise failure
            turn = pause(turn)

    @contextmanager
    def _pinned(self) -> Iterator[ClientSession]:
        """A session whose reads all see the state of the first of them, not older than anything this handle has
        seen."""
        with self._session() as session:
            self._asked(_look, session, self._tables, ())
        with self._client.start_session(snapshot=True) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[MongoReader]:
        """See `Repository.snapshot`. MongoDB keeps the state of a moment for some minutes (five, unless the server is
        told otherwise); reads after that are ExpiredError."""
        self._awake()
        with self._pinned() as session:
            self._asked(_look, session, self._tables, ())
            view = _Snapshot(self, session, self._tables)
            try:
                yield view
            finally:
                view.over = True

    # -- writes

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """See `Repository.commit`. Every batch waits until a majority has it in its journal, `durable` or not: without
        the journal MongoDB answers later, not sooner."""
        self._awake(writing=True)
        tables = self._tables
        check_batch(self._shapes, batch)
        return Commit(self, tables, batch).run()

    def declare(self, collections: Sequence[Collection]) -> tuple[str, ...]:
        """See `Repository.declare`. Each collection is indexed, then published, one after the other. UnreachableError
        if an index is not built by a majority within the option `index_timeout`."""
        self._awake()
        known = {name: table.collection for name, table in self._tables.items()}
        if all(widen(known.get(new.name), new)[0] == known.get(new.name) for new in collections):
            return ()
        if self._read_only:
            raise ReadOnlyError
        lacking: dict[str, None] = {}
        failure: RepositoryError | None = None
        with self._declaring:
            free(self._client)
            for new in collections:
                try:
                    with pymongo.timeout(self._options.index_timeout), self._session() as session:
                        if opening.widen_collection(self._base, session, new, self._step):
                            lacking[new.name] = None
                except PyMongoError as error:
                    failure = fault(error)
                if failure is not None:
                    raise failure
            self._adopt(self._read(lambda base, session, _: opening.load_declared(base, session)))
        return tuple(lacking)

    def _adopt(self, known: dict[str, Collection]) -> None:
        tables = opening.tables_of(known)
        self._shapes = {name: table.shape for name, table in tables.items()}
        self._tables = tables

    def _step(self, name: str) -> None:
        if self._options.on_step is not None:
            self._options.on_step(name)

    # -- life

    def close(self) -> None:
        """See `Repository.close`. In a forked child it does nothing."""
        if self._pid != os.getpid() or self._closed:
            return
        self._release()
        self._closed = True
        self._client.close()

    def _awake(self, *, writing: bool = False) -> None:
        if self._pid != os.getpid():
            raise ForkedError
        if self._closed:
            raise ClosedError
        if writing and self._read_only:
            raise ReadOnlyError

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NotPicklableError(what="MongoRepository")


def _look(base: Base, session: ClientSession, tables: object) -> None:
    base["_archive"].find_one({"_id": "archive"}, session=session)
