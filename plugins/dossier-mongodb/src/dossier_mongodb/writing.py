"""Applying the operations of a batch inside a transaction, with few commands.

A batch is split into parts in which no two operations meet; within a part the order says nothing, so that each
collection gets one command for its new rows, one for its changes, one for its removals. What must not have changed
comes last: a row that many batches check is then held for the shortest time.

A snapshot transaction allows write skew: of two that each read the row that the other writes, both commit. So `Check`
writes: it counts up a hidden field of the row, or puts and removes the row that must be absent; MongoDB then lets one
of two such transactions wait for the other or begin anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pymongo import DeleteOne, InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from dossier.errors import ConflictError
from dossier.repository import Delete, Index, Op, Put, Shred
from dossier_mongodb.address import Base
from dossier_mongodb.documents import Document, Table, stored_body
from dossier_mongodb.faults import DUPLICATE

Write = InsertOne[dict[str, Any]] | UpdateOne | DeleteOne


class Part:
    """The commands of operations that do not meet."""

    def __init__(self, tables: Mapping[str, Table], ops: Sequence[Op]) -> None:
        self._tables = tables
        self.scopes: list[str] = []
        self.lists: dict[tuple[int, str], list[Write]] = {}
        """Writes by turn and collection; see the numbers of the turns below."""
        for op in ops:
            self._add(op)

    def _add(self, op: Op) -> None:
        if isinstance(op, Shred):
            self.scopes.append(op.scope)
            return
        table = self._tables[op.collection]
        if isinstance(op, Put):
            if op.expect == 0:
                self._list(_NEW, op.collection).append(InsertOne(table.document(op, op.version or 1)))
            else:
                self._put(table, op)
        elif isinstance(op, Index):
            self._index(table, op)
        elif op.expect == 0:
            self._list(_NEW, op.collection).append(InsertOne({"_id": op.id, "version": 0, "scope": "", "index": {}}))
            self._list(_ABSENT, op.collection).append(DeleteOne({"_id": op.id}))
        elif isinstance(op, Delete):
            if op.expect is None:
                self._list(_REMOVED, op.collection).append(DeleteOne({"_id": op.id}))
            else:
                self._list(_TAKEN, op.collection).append(DeleteOne({"_id": op.id, "version": op.expect}))
        else:
            self._list(_CHECKED, op.collection).append(
                UpdateOne({"_id": op.id, "version": op.expect}, {"$inc": {"checks": 1}})
            )

    def _put(self, table: Table, put: Put) -> None:
        index, grams = table.columns(put.index)
        body = stored_body(put.body)
        fields: Document = {"scope": put.scope, "index": index, **body}
        gone: Document = {"bytes": ""} if "body" in body else {"body": ""}
        if grams:
            fields["grams"] = grams
        elif table.grams:
            gone["grams"] = ""
        change: Document = {"$set": fields, "$unset": gone}
        if put.version is not None:
            fields["version"] = put.version
        elif put.expect is None:
            change["$inc"] = {"version": 1}
        else:
            fields["version"] = put.expect + 1
        if put.expect is None:
            self._list(_CHANGED, table.collection.name).append(UpdateOne({"_id": put.id}, change, upsert=True))
        else:
            known = {"_id": put.id, "version": put.expect}
            self._list(_EXPECTED, table.collection.name).append(UpdateOne(known, change))

    def _index(self, table: Table, op: Index) -> None:
        known: Document = {"_id": op.id}
        if op.all:
            index, grams = table.columns(op.fields)
            change: Document = {"$set": {"index": index}}
            if grams:
                change["$set"]["grams"] = grams
            elif table.grams:
                change["$unset"] = {"grams": ""}
        else:
            # The mark of a row that has none is 0, and it only rises.
            if op.mark < 0:
                return
            known["mark"] = {"$not": {"$gt": op.mark}}
            change = {"$set": {"mark": op.mark}}
            for name, value in op.fields.items():
                if value is None or value == ():
                    change.setdefault("$unset", {})[table.paths[name]] = ""
                else:
                    change["$set"][table.paths[name]] = value
        self._list(_CHANGED, table.collection.name).append(UpdateOne(known, change))

    def _list(self, turn: int, collection: str) -> list[Write]:
        return self.lists.setdefault((turn, collection), [])


_TAKEN, _REMOVED, _NEW, _EXPECTED, _CHANGED, _ABSENT, _CHECKED = range(7)
"""Turns: removals, new rows, changes, then what must be as expected. In `_MET` every write must find its row."""
_MET = (_TAKEN, _EXPECTED, _CHECKED)


def parts_of(tables: Mapping[str, Table], ops: Sequence[Op]) -> list[Part]:
    """The parts of a batch, in order."""
    return [Part(tables, part) for part in _apart(ops)]


def _apart(ops: Sequence[Op]) -> Iterator[list[Op]]:
    part: list[Op] = []
    seen: set[tuple[str, str]] = set()
    for op in ops:
        if isinstance(op, Shred):
            if part:
                yield part
            yield [op]
            part, seen = [], set()
            continue
        key = (op.collection, op.id)
        if key in seen:
            yield part
            part, seen = [], set()
        part.append(op)
        seen.add(key)
    if part:
        yield part


def apply(base: Base, session: ClientSession, tables: Mapping[str, Table], part: Part) -> None:
    """Send the commands of a part. ConflictError where an expectation is not met."""
    for scope in part.scopes:
        for table in tables.values():
            base[table.name].delete_many({"scope": scope}, session=session)
    for turn, name in sorted(part.lists):
        writes = part.lists[turn, name]
        if not _send(base, session, tables[name].name, writes, met=turn in _MET):
            raise ConflictError(path=name)


def _send(base: Base, session: ClientSession, name: str, writes: list[Write], *, met: bool) -> bool:
    """Whether every expectation of the writes was met."""
    try:
        done = base[name].bulk_write(writes, session=session)
    except BulkWriteError as error:
        codes = {one.get("code") for one in (error.details or {}).get("writeErrors", ())}
        if codes & set(DUPLICATE):
            return False
        raise
    return not met or done.matched_count + done.deleted_count == len(writes)
