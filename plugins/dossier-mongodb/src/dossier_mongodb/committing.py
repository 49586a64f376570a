"""One batch on its way: transactions, retries, and what becomes of a commit that is not answered."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pymongo
from bson.errors import BSONError
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, PyMongoError, ServerSelectionTimeoutError

from dossier.errors import ConflictError, LimitError, LockedError, OutcomeUnknown, RepositoryError, UnreachableError
from dossier.repository import Batch, Check, Receipt, Shred
from dossier_mongodb.address import KEPT, SNAPSHOT
from dossier_mongodb.documents import Table
from dossier_mongodb.faults import UNKNOWN_COMMIT, fault, is_again
from dossier_mongodb.processes import free
from dossier_mongodb.writing import Name, Unmet, apply, believed, parts_of, removed_and_met, slotted, unslot

if TYPE_CHECKING:
    from dossier_mongodb.repository import MongoRepository

GRACE = 2.0
"""Seconds for which, when the time is over, a batch of unknown outcome is still asked for by its key."""
STUCK = 0.15
"""Seconds of write conflicts after which it is looked whether a killed process left them."""
CROWD = 2
"""Attempts after which the rows that a batch checks get slots."""
_PAUSES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064)


class Commit:
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
            turn = pause(turn)

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
            turn = pause(turn)
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


def pause(turn: int) -> int:
    """Wait a little, longer each time, and by chance more or less, so that two do not meet again and again."""
    longest = _PAUSES[min(turn, len(_PAUSES) - 1)]
    time.sleep(longest * (0.5 + os.urandom(1)[0] / 256))
    return turn + 1
