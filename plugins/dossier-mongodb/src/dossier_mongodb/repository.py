"""The repository itself: sessions, transactions, deadlines; what is said to MongoDB stands in the modules beside it."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import pymongo
from bson.errors import BSONError
from bson.timestamp import Timestamp
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, PyMongoError, ServerSelectionTimeoutError

from dossier.errors import (
    ClosedError,
    ConflictError,
    ForkedError,
    LimitError,
    LockedError,
    NotPicklableError,
    OutcomeUnknown,
    ReadOnlyError,
    RepositoryError,
    UnreachableError,
)
from dossier.repository import Batch, Capabilities, Check, Collection, Receipt, Shred
from dossier.repository.checking import Shape, check_batch, widen
from dossier_mongodb import opening
from dossier_mongodb.address import KEPT, SNAPSHOT, Base, Client, Options
from dossier_mongodb.documents import Table
from dossier_mongodb.faults import CATALOGUE_CHANGED, UNKNOWN_COMMIT, fault, is_again
from dossier_mongodb.lanes import LaneKeeper, MongoLane
from dossier_mongodb.processes import free
from dossier_mongodb.reader import MongoReader
from dossier_mongodb.writing import (
    Name,
    Unmet,
    apply,
    believed,
    parts_of,
    removed_and_met,
    slotted,
    unslot,
)

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

GRACE = 2.0
"""Seconds for which, when the time is over, a batch of unknown outcome is still asked for by its key."""
STUCK = 0.15
"""Seconds of write conflicts after which it is looked whether a killed process left them."""
CROWD = 2
"""Attempts after which the rows that a batch checks get slots."""
_PAUSES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064)

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
            turn = _pause(turn)

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
        return _Commit(self, tables, batch).run()

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


class _Commit:
    """One batch on its way: as many transactions as it takes, of which at most one is kept.

    A transaction that MongoDB gave up (a write conflict, a primary that went) is run again until the time is over. A
    commit that was not answered is asked again, in the same transaction, until the answer is known. If it stays
    unknown, the key of the batch is looked up; without a key, or without an answer, it is OutcomeUnknown.
    """

    def __init__(self, owner: MongoRepository, tables: dict[str, Table], batch: Batch) -> None:
        self._owner, self._tables, self._ops, self._key = owner, tables, batch.ops, batch.key
        self._slotted, self._making = frozenset(owner._slotted), frozenset[Name]()
        self._parts = parts_of(tables, batch.ops, self._slotted, self._making)
        self._token = uuid.uuid4().hex
        self._deadline = time.monotonic() + owner._options.timeout
        self._unknown = False
        self._lsid: Mapping[str, Any] = {}

    def run(self) -> Receipt:
        """Until the batch is kept, refused, or the time is over."""
        turn = 0
        waiting: RepositoryError | None = None
        freed = time.monotonic() + STUCK
        while True:
            receipt, failure = self._attempt()
            if receipt is not None:
                return receipt
            if self._unknown:
                return self._settled()
            over = time.monotonic() >= self._deadline
            if isinstance(failure, _Again):
                waiting = failure.instead
            if over and waiting is not None:
                raise waiting
            if not isinstance(failure, _Again):
                assert failure is not None
                raise failure
            if turn == CROWD:
                self._make_slots()
            if time.monotonic() >= freed:
                free(self._owner._client)
                freed = time.monotonic() + STUCK
            turn = _pause(turn)

    def _attempt(self) -> tuple[Receipt | None, Exception | None]:
        owner = self._owner
        owner._awake(writing=True)
        failure: Exception | None = None
        unmet: str | None = None
        try:
            with pymongo.timeout(self._left()), owner._session() as session:
                self._lsid = session.session_id
                session.start_transaction(read_concern=SNAPSHOT, write_concern=KEPT)
                self._write(session)
                return self._commit(session)
        except Unmet as error:
            unmet = error.path
        except _Repeated:
            pass
        except (BSONError, OverflowError):
            failure = LimitError(what="version", limit=2**63 - 1)
        except PyMongoError as error:
            failure = _failure(error)
        if unmet is not None:
            return None, self._learn(unmet)
        if failure is None:
            return self._repeated()
        return None, failure

    def _learn(self, path: str) -> Exception:
        """An expectation was not met. If it was because of slots that were not known, or are gone, the batch is made
        ready anew and run again; otherwise it is a conflict."""
        owner, ids = self._owner, believed(self._ops)
        try:
            with pymongo.timeout(self._left()), owner._session() as session:
                found = slotted(owner._base, session, self._tables, ids)
        except PyMongoError as error:
            return _failure(error)
        names = {(name, id) for name, some in ids.items() for id in some}
        if found == self._slotted & names:
            return ConflictError(path=path)
        owner._slotted = owner._slotted - names | found
        self._slotted, self._making = self._slotted - names | found, frozenset()
        self._parts = parts_of(self._tables, self._ops, self._slotted, self._making)
        return _Again(LockedError())

    def _make_slots(self) -> None:
        """Many want to check the same row at once: it gets slots with the next attempt, unless this batch speaks of it
        more than once."""
        if not any(isinstance(op, Shred) for op in self._ops):
            met = Counter((op.collection, op.id) for op in self._ops if not isinstance(op, Shred))
            checked = {(op.collection, op.id) for op in self._ops if isinstance(op, Check) and op.expect > 0}
            self._making = frozenset(name for name in checked - self._slotted if met[name] == 1)
            self._parts = parts_of(self._tables, self._ops, self._slotted, self._making)

    def _write(self, session: ClientSession) -> None:
        owner = self._owner
        if self._key is not None:
            try:
                owner._base["_batches"].insert_one({"_id": self._key, "by": self._token}, session=session)
                known = False
            except DuplicateKeyError:
                known = True
            if known:
                raise _Repeated
        for name in removed_and_met(self._ops) & self._slotted:
            unslot(owner._base, session, self._tables, name)
        for part in self._parts:
            apply(owner._base, session, self._tables, part)
            owner._step("commit.part")

    def _commit(self, session: ClientSession) -> tuple[Receipt | None, Exception | None]:
        turn = 0
        while True:
            try:
                session.commit_transaction()
                break
            except PyMongoError as error:
                unknown = error.has_error_label(UNKNOWN_COMMIT)
                failure = _failure(error)
            if not unknown:
                # MongoDB says that nothing of this transaction was kept, nor ever will be.
                return None, failure
            if self._left() <= 0.001:
                self._unknown = True
                return None, failure
            turn = _pause(turn)
        self._owner._slotted = self._owner._slotted | self._making
        self._owner._step("commit.after")
        return Receipt(), None

    def _repeated(self) -> tuple[Receipt | None, Exception | None]:
        """The key is known; whether a majority knows it, and from whom."""
        try:
            by = self._look_up(max(self._left(), GRACE))
        except PyMongoError as error:
            by, failure = None, _failure(error)
            return None, failure
        if by is None:
            return None, _Again(UnreachableError())
        return Receipt(repeated=by != self._token), None

    def _settled(self) -> Receipt:
        """The time is over and the last commit was not answered: the key of the batch knows."""
        by = None
        try:
            # Ends the transaction if it is still open: nobody waits for its rows, and the key is not late.
            with pymongo.timeout(GRACE):
                self._owner._client.admin.command("killSessions", [self._lsid])
            by = self._look_up(GRACE)
        except PyMongoError:
            pass
        if by is None:
            raise OutcomeUnknown
        return Receipt(repeated=by != self._token)

    def _look_up(self, seconds: float) -> str | None:
        if self._key is None:
            return None
        with pymongo.timeout(seconds), self._owner._session() as session:
            found = self._owner._base["_batches"].find_one({"_id": self._key}, session=session)
        return None if found is None else str(found["by"])

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)


class _Again(Exception):
    """Nothing was kept and it may be run again; `instead` is raised when there is no time left for it."""

    def __init__(self, instead: RepositoryError) -> None:
        self.instead = instead


class _Repeated(Exception):
    """The key of the batch was committed before."""


def _failure(error: PyMongoError) -> Exception:
    if isinstance(error, ServerSelectionTimeoutError):
        return fault(error)  # it was looked for long enough
    if is_again(error):
        found = fault(error)
        return _Again(LockedError() if type(found) is RepositoryError else found)
    return fault(error)


def _look(base: Base, session: ClientSession, tables: object) -> None:
    base["_archive"].find_one({"_id": "archive"}, session=session)


def _pause(turn: int) -> int:
    """Wait a little, longer each time, and by chance more or less, so that two do not meet again and again."""
    longest = _PAUSES[min(turn, len(_PAUSES) - 1)]
    time.sleep(longest * (0.5 + os.urandom(1)[0] / 256))
    return turn + 1
