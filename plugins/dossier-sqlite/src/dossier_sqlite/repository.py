"""The repository itself: connections, locks, transactions; what is said in SQL stands in the modules beside it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

from dossier.errors import (
    ClosedError,
    DamagedError,
    ForkedError,
    LockedError,
    MissingArchiveError,
    NotPicklableError,
    OutcomeUnknown,
    ReadOnlyError,
    RepositoryError,
    StorageFullError,
)
from dossier.repository import (
    Batch,
    Capabilities,
    Collection,
    Key,
    Receipt,
    Row,
)
from dossier.repository.checking import Shape, check_batch, widen
from dossier_sqlite import lanes, reading
from dossier_sqlite.backup import write_backup
from dossier_sqlite.checking import check
from dossier_sqlite.faults import fault, system_fault
from dossier_sqlite.locking import Turnstile
from dossier_sqlite.modes import mode_of
from dossier_sqlite.opening import connect, is_immutable, load_declared, sweep
from dossier_sqlite.reader import SqliteReader
from dossier_sqlite.tables import Table, tables_of
from dossier_sqlite.writing import DRAIN, Writer

STEPS = (
    "create.made",
    "create.named",
    "declare.begin",
    "declare.table",
    "declare.before",
    "declare.after",
    "commit.begin",
    "commit.op",
    "commit.drain",
    "commit.before",
    "commit.after",
    "drain.begin",
    "drain.before",
    "drain.after",
    "backup.copied",
    "backup.named",
    "lane.before",
    "lane.written",
    "lane.synced",
)
"""Names that `on_step` is called with, between the physical steps of what they are named after."""

_KEEP_KEY = "insert or ignore into batches(key) values (?)"
WRITE_CACHE_KIB = 16_384
READ_CACHE_KIB = 8_192
IDLE = 16
"""Connections kept for the next reads; those of a greater crowd are closed when it is over."""

Step = Callable[[str], None]
_T = TypeVar("_T")

_alive: weakref.WeakSet[SqliteRepository] = weakref.WeakSet()
_inherited: list[sqlite3.Connection] = []
"""Connections of the parent: a child neither uses nor closes them."""


class _Snapshot(SqliteReader):
    """Reads inside one read transaction; the connection is its own, one thread at a time."""

    def __init__(self, owner: SqliteRepository) -> None:
        self._owner, self._tables = owner, owner._tables
        self._lock = threading.Lock()
        self._conn: sqlite3.Connection | None = None

    def __enter__(self) -> SqliteReader:
        conn = self._owner._borrow()
        failure: RepositoryError | None = None
        try:
            conn.execute("begin")
            conn.execute("select 1 from declared limit 1").fetchall()
            self._conn = conn
        except sqlite3.Error as error:
            failure = fault(error)
        finally:
            if self._conn is None:
                self._owner._return(conn)
        if failure is not None:
            raise failure
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            conn, self._conn = self._conn, None
        if conn is not None:
            self._owner._return(conn)

    def _borrow(self) -> sqlite3.Connection:
        self._owner._awake()
        self._lock.acquire()
        if self._conn is None:
            self._lock.release()
            raise ClosedError
        return self._conn

    def _return(self, conn: sqlite3.Connection) -> None:
        self._lock.release()


class SqliteRepository(SqliteReader):
    """See `Repository`, `Aggregates`, `Lanes`, `BacksUp`, `Checks`."""

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool,
        timeout: float,
        max_pages: int | None,
        frozen: bool,
        on_step: Step | None,
    ) -> None:
        self._path, self._read_only, self._timeout, self._step = path, read_only, timeout, on_step
        self._max_pages = max_pages
        self._pid = os.getpid()
        self._closed = False
        self._idle: list[sqlite3.Connection] = []
        self._opened: list[lanes.FileLane] = []
        self._lock = threading.Lock()
        self._turnstile: Turnstile | None = None
        self._writer: sqlite3.Connection | None = None
        self._durable = True
        self._tables: dict[str, Table] = {}
        self._shapes: dict[str, Shape] = {}
        failure: RepositoryError | None = None
        try:
            self._frozen = frozen or (read_only and is_immutable(path))
            conn = self._connect()
            self._adopt(tables_of(load_declared(conn)))
            self._idle.append(conn)
        except sqlite3.Error as error:
            failure = fault(error)
        except OSError as error:
            failure = system_fault(error)
        if isinstance(failure, MissingArchiveError) and read_only and path.exists():
            # The file is there, but what SQLite needs beside it is not and cannot be made.
            failure = ReadOnlyError()
        if failure is not None:
            raise failure
        _alive.add(self)

    @property
    def capabilities(self) -> Capabilities:
        """All of the optional ones; `Shred` reaches the rows of this file, not its backups."""
        return Capabilities(durable=True, processes=True, lanes=True, backup=True, aggregate=True)

    # -- reads

    def _connect(self, *, checking: bool = False) -> sqlite3.Connection:
        """A connection for reads. Where writing is allowed it may write too, so that the last one to close leaves no
        log behind; `query_only` keeps it from doing so (`checking`: it makes temporary tables)."""
        mode: Literal["rw", "ro"] = "ro" if self._read_only else "rw"
        conn = connect(
            self._path, mode=mode, timeout=self._timeout, cache_kib=READ_CACHE_KIB, frozen=self._frozen
        )
        if not checking:
            conn.execute("pragma query_only=on")
        return conn

    def _borrow(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            raise ForkedError
        if self._closed:
            raise ClosedError
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self._connect()
        except sqlite3.Error as error:
            failure = fault(error)
        raise failure

    def _return(self, conn: sqlite3.Connection) -> None:
        if conn.in_transaction:
            _rollback(conn)
        if len(self._idle) >= IDLE:
            conn.close()
        else:
            self._idle.append(conn)
        if self._closed:
            self._close_idle()

    def get_many(self, keys: Sequence[Key], *, index: bool = True) -> list[Row | None]:
        """See `Reader.get_many`. Whole rows are mostly read to be changed: through the write connection if nobody uses
        it, for commits of this process leave what it has read in its cache, and only in its."""
        if not index or self._writer is None or not self._lock.acquire(blocking=False):
            return super().get_many(keys, index=index)
        try:
            self._awake()
            conn, _ = self._writing()
            try:
                return reading.get_many(conn, self._tables, keys)
            except sqlite3.Error as error:
                failure = fault(error)
            finally:
                _rollback(conn)  # whatever went wrong: the next commit must not meet an open transaction
        finally:
            self._lock.release()
        raise failure

    def snapshot(self) -> AbstractContextManager[SqliteReader]:
        """See `Repository.snapshot`."""
        return _Snapshot(self)

    # -- writes

    def commit(self, batch: Batch, *, durable: bool = True) -> Receipt:
        """See `Repository.commit`. `durable=False` skips the fsync: kept over kill -9, not over loss of power."""
        self._awake(writing=True)
        tables = self._tables
        check_batch(self._shapes, batch)
        return self._transact("commit", lambda conn: self._apply(conn, tables, batch), durable=durable, key=batch.key)

    def _apply(self, conn: sqlite3.Connection, tables: dict[str, Table], batch: Batch) -> Receipt:
        if batch.key is not None and not conn.execute(_KEEP_KEY, (batch.key,)).rowcount:
            return Receipt(repeated=True)
        Writer(conn, tables, self._step).apply(batch)
        return Receipt()

    def declare(self, collections: Sequence[Collection]) -> tuple[str, ...]:
        """See `Repository.declare`."""
        self._awake()
        known = {name: table.collection for name, table in self._tables.items()}
        if all(widen(known.get(new.name), new)[0] == known.get(new.name) for new in collections):
            return ()
        if self._read_only:
            raise ReadOnlyError
        lacking = self._transact("declare", lambda conn: self._widen(conn, collections))
        self._adopt(self._read(lambda conn, _: tables_of(load_declared(conn))))
        return lacking

    def _widen(self, conn: sqlite3.Connection, collections: Sequence[Collection]) -> tuple[str, ...]:
        from dossier_sqlite.schema import widen_table

        known = load_declared(conn)
        lacking: list[str] = []
        for new in collections:
            old = known.get(new.name)
            merged, added = widen(old, new)
            if merged == old:
                continue
            filled = old is not None and conn.execute(f"select 1 from {Table(old).sql} limit 1").fetchall()
            if filled and added and new.name not in lacking:
                lacking.append(new.name)
            widen_table(conn, old, merged, added, self._step)
            known[new.name] = merged
        return tuple(lacking)

    def _adopt(self, tables: dict[str, Table]) -> None:
        self._shapes = {name: table.shape for name, table in tables.items()}
        self._tables = tables

    def settle(self) -> None:
        """Move every text that waits for the search index into it (finds are right before and after)."""
        self._awake(writing=True)
        for table in self._tables.values():
            for index in table.texts.values():
                while self._transact("drain", partial(index.drain, limit=DRAIN)) == DRAIN:
                    pass

    def _transact(
        self, name: str, work: Callable[[sqlite3.Connection], _T], *, durable: bool = True, key: str | None = None
    ) -> _T:
        """Run `work` in a write transaction of this process's turn and commit it."""
        deadline = time.monotonic() + self._timeout
        if not self._lock.acquire(timeout=self._timeout):
            raise LockedError
        try:
            self._awake()
            conn, turnstile = self._writing()
            turnstile.acquire(deadline)
            try:
                return self._committed(name, conn, work, durable, key)
            finally:
                turnstile.release()
        finally:
            self._lock.release()

    def _committed(
        self,
        name: str,
        conn: sqlite3.Connection,
        work: Callable[[sqlite3.Connection], _T],
        durable: bool,
        key: str | None,
    ) -> _T:
        step = self._step
        failure: RepositoryError
        doubtful = False
        committing = False
        try:
            if durable is not self._durable:
                conn.execute(f"pragma synchronous={'full' if durable else 'normal'}")
                self._durable = durable
            conn.execute("begin immediate")
            if step is not None:
                step(f"{name}.begin")
            result = work(conn)
            if step is not None:
                step(f"{name}.before")
            committing = True
            conn.execute("commit")
            committing = False
            if step is not None:
                step(f"{name}.after")
            return result
        except sqlite3.Error as error:
            failure = fault(error)
            # SQLite takes a commit back itself when there is no room; after any other error nobody knows yet.
            doubtful = committing and not conn.in_transaction and not isinstance(failure, StorageFullError)
            _rollback(conn)
        except BaseException:
            _rollback(conn)
            raise
        kept = _holds_key(conn, key) if doubtful and key is not None else None
        if kept:
            return result
        if doubtful and kept is None:
            raise OutcomeUnknown
        raise failure

    def _writing(self) -> tuple[sqlite3.Connection, Turnstile]:
        """The write connection and the turnstile, opened by the first write."""
        if self._writer is None or self._turnstile is None:
            failure: RepositoryError | None = None
            try:
                self._turnstile = self._turnstile or Turnstile(self._path)
                self._writer = connect(
                    self._path,
                    mode="rw",
                    timeout=self._timeout,
                    cache_kib=WRITE_CACHE_KIB,
                    max_pages=self._max_pages,
                )
                self._durable = True
            except sqlite3.Error as error:
                failure = fault(error)
            except OSError:
                failure = ReadOnlyError()
            if failure is not None:
                raise failure
        assert self._writer is not None
        assert self._turnstile is not None
        return self._writer, self._turnstile

    # -- backup and lanes

    def backup(self, target: str, *, then: Batch | None = None) -> None:
        """See `BacksUp.backup`. Writers go on meanwhile; the copy is one state."""
        tables = self._tables
        apply = None if then is None else lambda copy: Writer(copy, tables, None).apply(then)
        conn = self._borrow()
        try:
            write_backup(conn, Path(target), self._step, apply)
        finally:
            self._return(conn)

    def check(self) -> Iterator[str]:
        """See `Checks.check`: `file`, `set.COLLECTION.FIELD`, `search.COLLECTION.FIELD`. Others may write meanwhile."""
        self._awake()
        conn = self._connect(checking=True)
        failure: RepositoryError | None = None
        try:
            yield from check(conn, self._tables)
        except sqlite3.Error as error:
            failure = fault(error)
        finally:
            conn.close()
        if isinstance(failure, DamagedError):
            yield "file"
        elif failure is not None:
            raise failure

    def lane(self, name: str, *, at: str | None = None) -> lanes.FileLane:
        """See `Lanes.lane`. The folder is `at`, or the archive's name with `.lanes`."""
        self._awake()
        opened = lanes.FileLane(self._folder(at), name, self._step, mode=mode_of(self._path))
        self._opened = [*(lane for lane in self._opened if not lane.closed), opened]
        return opened

    def idle_lanes(self, *, at: str | None = None) -> list[str]:
        """See `Lanes.idle_lanes`."""
        self._awake()
        return lanes.idle_lanes(self._folder(at))

    def read_lane(self, name: str, *, at: str | None = None) -> Iterator[bytes]:
        """See `Lanes.read_lane`. MissingArchiveError if there is no such lane."""
        self._awake()
        return lanes.read_lane(self._folder(at), name)

    def drop_lane(self, name: str, *, at: str | None = None) -> None:
        """See `Lanes.drop_lane`. A lane that is not there is passed over."""
        self._awake()
        lanes.drop_lane(self._folder(at), name)

    def _folder(self, at: str | None) -> Path:
        return Path(at) if at is not None else Path(f"{self._path}.lanes")

    # -- life

    def close(self) -> None:
        """See `Repository.close`. In a forked child it does nothing."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._closed = True
            for lane in self._opened:
                lane.close()
            self._opened.clear()
            self._close_idle()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._read_only and not self._frozen:
                sweep(self._path)
            if self._turnstile is not None:
                self._turnstile.close()
                self._turnstile = None

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _awake(self, *, writing: bool = False) -> None:
        if self._pid != os.getpid():
            raise ForkedError
        if self._closed:
            raise ClosedError
        if writing and self._read_only:
            raise ReadOnlyError

    def _forked(self) -> None:
        """In a child: let go of lock files (so that the parent's locks end with it), keep connections unused."""
        if self._turnstile is not None:
            self._turnstile.close()
        for lane in self._opened:
            lane.close()
        _inherited.extend(self._idle)
        if self._writer is not None:
            _inherited.append(self._writer)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NotPicklableError(what="SqliteRepository")


def _rollback(conn: sqlite3.Connection) -> None:
    try:
        if conn.in_transaction:
            conn.execute("rollback")
    except sqlite3.Error:
        pass


def _holds_key(conn: sqlite3.Connection, key: str) -> bool | None:
    """Whether a batch of this key was committed; None if the store does not say."""
    try:
        return conn.execute("select 1 from batches where key = ?", (key,)).fetchone() is not None
    except sqlite3.Error:
        return None


def _after_fork() -> None:
    for repository in list(_alive):
        repository._forked()


os.register_at_fork(after_in_child=_after_fork)
