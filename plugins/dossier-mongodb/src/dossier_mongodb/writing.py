"""Applying the operations of a batch inside a transaction, with few commands.

A batch is split into parts in which no two operations meet; within a part the order says nothing, so that each
collection gets one command for its new rows, one for its changes, one for its removals. What must not have changed
comes last: a row that many batches check is then held for the shortest time.

A snapshot transaction allows write skew: of two that each read the row that the other writes, both commit. So `Check`
writes: it counts up a hidden field of the row, or puts and removes the row that must be absent; MongoDB then lets one
of two such transactions begin anew.

So do two that only check the same row, though they exclude nothing. A row for which that happens is given *slots*:
documents in `_checks` that carry its version too. Each check writes one of them, by chance; who changes the row writes
them all. That a row has slots stands in the row (`slotted`), and every write of a row says what it believes of that, so
that nobody can miss them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from pymongo import DeleteOne, InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from dossier.repository import Check, Delete, Index, Op, Put, Shred
from dossier_mongodb.address import Base
from dossier_mongodb.documents import Document, Table, stored_body
from dossier_mongodb.faults import DUPLICATE

Write = InsertOne[dict[str, Any]] | UpdateOne | DeleteOne
Name = tuple[str, str]
"""Collection and id of a row."""

CHECKS = "_checks"
SLOTS = 32
_PLAIN: Document = {"slotted": {"$exists": False}}


class Unmet(Exception):
    """An expectation was not met, or a row has slots where it was believed to have none, or the other way round."""

    def __init__(self, path: str) -> None:
        self.path = path


class Part:
    """The commands of operations that do not meet. `slotted`: the rows that have slots, as far as is known; `making`:
    rows that get them now."""

    def __init__(
        self, tables: Mapping[str, Table], ops: Sequence[Op], slotted: AbstractSet[Name], making: AbstractSet[Name]
    ) -> None:
        self._tables, self._slotted, self._making = tables, slotted, making
        self.scopes: list[str] = []
        self.removed: dict[str, list[str]] = {}
        self.lists: dict[tuple[int, str, str], list[Write]] = {}
        """Writes by turn, collection, and the collection they are about; see the numbers of the turns below."""
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
            self._delete(op)
        else:
            self._check(op)

    def _delete(self, op: Delete) -> None:
        row = self._row(op)
        if op.expect is None:
            self._list(_REMOVED, op.collection).append(DeleteOne(row))
            self.removed.setdefault(op.collection, []).append(op.id)
        else:
            self._list(_TAKEN, op.collection).append(DeleteOne({**row, "version": op.expect}))
        self._each_slot(op, None)

    def _check(self, op: Check) -> None:
        name = (op.collection, op.id)
        known = {"version": op.expect}
        if name in self._slotted:
            slot = _slots(name)[os.urandom(1)[0] % SLOTS]
            change: Document = {"$inc": {"checks": 1}}
            self._list(_CHECKED, CHECKS, op.collection).append(UpdateOne({"_id": slot, **known}, change))
        elif name in self._making:
            change = {"$set": {"slotted": True}}
            self._list(_CHECKED, op.collection).append(UpdateOne({**self._row(op), **known}, change))
            self._list(_NEW, CHECKS, op.collection).extend(InsertOne({"_id": slot, **known}) for slot in _slots(name))
        else:
            change = {"$inc": {"checks": 1}}
            self._list(_CHECKED, op.collection).append(UpdateOne({**self._row(op), **known}, change))

    def _row(self, op: Put | Delete | Check) -> Document:
        """The filter of a row whose version changes or is looked at: its id, and what is believed of its slots."""
        if (op.collection, op.id) in self._slotted:
            return {"_id": op.id, "slotted": True}
        return {"_id": op.id, **_PLAIN}

    def _each_slot(self, op: Put | Delete, change: Document | None) -> None:
        name = (op.collection, op.id)
        if name in self._slotted:
            writes: list[Write] = [
                DeleteOne({"_id": slot}) if change is None else UpdateOne({"_id": slot}, change)
                for slot in _slots(name)
            ]
            turn = _TAKEN if change is None else _EXPECTED
            self._list(turn, CHECKS, op.collection).extend(writes)

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
        counted: Document = {"$inc": {"version": 1}}
        if put.expect is not None or put.version is not None:
            fields["version"] = put.version or (put.expect or 0) + 1
            counted = {"$set": {"version": fields["version"]}}
        else:
            change["$inc"] = {"version": 1}
        row, name = self._row(put), table.collection.name
        if put.expect is not None:
            self._list(_EXPECTED, name).append(UpdateOne({**row, "version": put.expect}, change))
        else:
            # A row that has slots is there; one that has none may be made.
            plain = "slotted" not in row or row["slotted"] is not True
            self._list(_CHANGED if plain else _EXPECTED, name).append(UpdateOne(row, change, upsert=plain))
        self._each_slot(put, counted)

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

    def _list(self, turn: int, collection: str, about: str = "") -> list[Write]:
        return self.lists.setdefault((turn, collection, about or collection), [])


def _slots(name: Name) -> list[str]:
    # No name of a collection has a slash.
    return [f"{slot:02}/{name[0]}/{name[1]}" for slot in range(SLOTS)]


_TAKEN, _REMOVED, _NEW, _EXPECTED, _CHANGED, _ABSENT, _CHECKED = range(7)
"""Turns: removals, new rows, changes, then what is only looked at. In `_CHANGED` and `_ABSENT` a write may find no row,
in `_REMOVED` too; everywhere else it must."""


def parts_of(
    tables: Mapping[str, Table], ops: Sequence[Op], slotted: AbstractSet[Name], making: AbstractSet[Name]
) -> list[Part]:
    """The parts of a batch, in order."""
    slotted = slotted - removed_and_met(ops)
    return [Part(tables, part, slotted, making) for part in _apart(ops)]


def removed_and_met(ops: Sequence[Op]) -> set[Name]:
    """Rows that a batch removes (or may, by their scope), writes, and speaks of besides. What is believed of their
    slots cannot hold for the whole batch, so they lose them first. Rows that are only checked are not among them:
    whoever checks them meanwhile would take it for a change."""
    met = Counter((op.collection, op.id) for op in ops if isinstance(op, Put | Delete | Check))
    shreds = any(isinstance(op, Shred) for op in ops)
    found: set[Name] = set()
    for op in ops:
        if isinstance(op, Put | Delete):
            name = (op.collection, op.id)
            if (met[name] > 1 and (shreds or isinstance(op, Delete))) or (shreds and op.expect is None):
                found.add(name)
    return found


def unslot(base: Base, session: ClientSession, tables: Mapping[str, Table], name: Name) -> None:
    """Take its slots from a row. Unmet if it has none (any more)."""
    row = {"_id": name[1], "slotted": True}
    if not base[tables[name[0]].name].update_one(row, {"$unset": {"slotted": ""}}, session=session).matched_count:
        raise Unmet(name[0])
    base[CHECKS].delete_many({"_id": {"$in": _slots(name)}}, session=session)


def believed(ops: Sequence[Op]) -> dict[str, list[str]]:
    """Collections and ids of the rows of whose slots a batch must have a belief."""
    found: dict[str, list[str]] = {}
    for op in ops:
        if isinstance(op, Put | Delete | Check) and op.expect != 0:
            found.setdefault(op.collection, []).append(op.id)
    return found


def slotted(base: Base, session: ClientSession, tables: Mapping[str, Table], ids: Mapping[str, list[str]]) -> set[Name]:
    """Which of the rows have slots."""
    return {
        (name, document["_id"])
        for name, some in ids.items()
        for document in base[tables[name].name].find(
            {"_id": {"$in": some}, "slotted": True}, {"_id": 1}, session=session
        )
    }


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
    """Send the commands of a part. Unmet where an expectation is not met."""
    for scope in part.scopes:
        for table in tables.values():
            _shred(base, session, table, scope)
    for turn, name, about in sorted(part.lists):
        writes = part.lists[turn, name, about]
        met = _send(base, session, name if name == CHECKS else tables[name].name, writes)
        if met == len(writes) or (met >= 0 and turn in (_CHANGED, _ABSENT)):
            continue
        # What was to be removed may have been absent, which is as well, or have slots that nobody knew of.
        if turn == _REMOVED and not slotted(base, session, tables, {name: part.removed[name]}):
            continue
        raise Unmet(about)


def _shred(base: Base, session: ClientSession, table: Table, scope: str) -> None:
    rows = base[table.name]
    for document in rows.find({"scope": scope, "slotted": True}, {"_id": 1}, session=session):
        slots = _slots((table.collection.name, document["_id"]))
        base[CHECKS].delete_many({"_id": {"$in": slots}}, session=session)
    rows.delete_many({"scope": scope}, session=session)


def _send(base: Base, session: ClientSession, name: str, writes: list[Write]) -> int:
    """How many of the writes met their row; -1 where a new one was there already."""
    try:
        done = base[name].bulk_write(writes, session=session)
    except BulkWriteError as error:
        codes = {one.get("code") for one in (error.details or {}).get("writeErrors", ())}
        if codes & set(DUPLICATE):
            return -1
        raise
    return done.inserted_count + done.matched_count + done.upserted_count + done.deleted_count
