"""Whether a database holds an archive, and what one starts with; which collections are declared and indexed.

Beside a collection for each declared one there are `_archive` (one document: the format), `_declared` (what is
declared), `_batches` (keys of batches), `_checks` (see `writing`), `_lanes` and `_reads` (read events).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pymongo
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from dossier.errors import (
    ExistsError,
    LimitError,
    MissingArchiveError,
    NewerFormatError,
    NotAnArchiveError,
    ReadOnlyError,
    RepositoryError,
    UnsuitableError,
)
from dossier.repository import Collection
from dossier.repository.checking import widen
from dossier_mongodb.address import Base, Client, Step
from dossier_mongodb.documents import Table, declaration, declared, table_of
from dossier_mongodb.faults import DENIED, EXISTS, fault, no_replica_set

FORMAT = 1
WIRE = 13
"""MongoDB 5.0: the first whose reads outside a transaction show one state."""
MAX_INDEXES = 64
SINGLE = 44
MAJORITY = ReadConcern("majority")
_KEPT = {"w": "majority", "j": True}


def check_server(client: Client) -> None:
    """UnsuitableError for a server without a replica set or too old; UnreachableError, CredentialsError."""
    failure: RepositoryError | None = None
    hello: Mapping[str, Any] = {}
    try:
        hello = client.admin.command("hello")
    except PyMongoError as error:
        failure = fault(error)
    if failure is None and not hello.get("setName") and hello.get("msg") != "isdbgrid":
        failure = no_replica_set()
    if failure is None and hello.get("maxWireVersion", 0) < WIRE:
        failure = UnsuitableError(what="it is older than MongoDB 5.0", remedy="use MongoDB 5.0 or later")
    if failure is not None:
        raise failure


def create_archive(base: Base, step: Step | None) -> None:
    """Make an archive in a database that holds nothing. ExistsError if anything is there, also if another process is
    just making one."""
    failure: RepositoryError | None = None
    try:
        if any(not name.startswith("system.") for name in base.list_collection_names()):
            failure = ExistsError()
        else:
            # Of several who come this far one makes the first collection.
            base.command("create", "_archive", writeConcern=_KEPT)
            if step is not None:
                step("create.claimed")
            for name in ("_batches", "_checks"):  # others come with their first document
                base.command("create", name, writeConcern=_KEPT)
            base["_archive"].insert_one({"_id": "archive", "format": FORMAT})
            if step is not None:
                step("create.marked")
    except OperationFailure as error:
        failure = ExistsError() if error.code == EXISTS else fault(error)
    except PyMongoError as error:
        failure = fault(error)
    if failure is not None:
        raise failure


def check_archive(base: Base, *, writing: bool) -> None:
    """MissingArchiveError where the database holds nothing, NotAnArchiveError where it holds something else,
    ReadOnlyError where `writing` is not permitted."""
    failure: RepositoryError | None = None
    mark: Mapping[str, Any] | None = None
    try:
        mark = base["_archive"].with_options(read_concern=MAJORITY).find_one({"_id": "archive"})
        if mark is None:
            failure = NotAnArchiveError() if base.list_collection_names() else MissingArchiveError()
        elif not isinstance(mark.get("format"), int):
            failure = NotAnArchiveError()
        elif mark["format"] > FORMAT:
            failure = NewerFormatError(needed=mark["format"], known=FORMAT)
        elif writing:
            base["_archive"].update_one({"_id": "nobody"}, {"$set": {"format": FORMAT}})
    except OperationFailure as error:
        failure = ReadOnlyError() if writing and mark is not None and error.code == DENIED else fault(error)
    except PyMongoError as error:
        failure = fault(error)
    if failure is not None:
        raise failure


# -- declarations --------------------------------------------------------------------------------


def load_declared(base: Base, session: ClientSession | None) -> dict[str, Collection]:
    """What is declared, by name."""
    found = base["_declared"].with_options(read_concern=MAJORITY).find({}, session=session)
    return {document["_id"]: declaration(document) for document in found}


def widen_collection(base: Base, session: ClientSession, new: Collection, step: Callable[[str], None]) -> bool:
    """Index and then publish a declaration; whether rows lack a field that this call added.

    Indexes come first: once a declaration can be seen, its fields are indexed.
    """
    published = base["_declared"].with_options(read_concern=MAJORITY)
    while True:
        document = published.find_one({"_id": new.name}, session=session)
        old = None if document is None else declaration(document)
        merged, added = widen(old, new)
        if merged == old:
            return False
        table = table_of(merged)
        base.command(
            "createIndexes",
            table.name,
            indexes=[index.document for index in indexes(table)],
            commitQuorum="majority",
            writeConcern=_KEPT,
            session=session,
        )
        step("declare.indexed")
        rows = base[table.name].with_options(read_concern=MAJORITY)
        filled = rows.find_one({}, {"_id": 1}, session=session) is not None
        if document is None:
            try:
                published.insert_one({"_id": new.name, **declared(merged), "revision": 1}, session=session)
            except DuplicateKeyError:
                continue
        else:
            known = {"_id": new.name, "revision": document["revision"]}
            change = {"$set": declared(merged), "$inc": {"revision": 1}}
            if not published.update_one(known, change, session=session).matched_count:
                continue
        step("declare.after")
        return old is not None and bool(added) and filled


def indexes(table: Table) -> list[pymongo.IndexModel]:
    """The indexes of a declared collection; each ends in the id, so that ties are found in order.

    MongoDB has 64 a collection. The first `SINGLE` plain fields have one each, for ever, since a declaration only grows
    at its end; those after them share one over all values. LimitError where the others are too many.
    """
    collection = table.collection
    plain: list[tuple[str, ...]] = []
    others: list[tuple[str, ...]] = [tuple(table.paths[name] for name in one.fields) for one in collection.composites]
    for field in collection.fields:
        if field.name not in collection.unindexed:
            path = (table.grams.get(field.name, table.paths[field.name]),)
            (others if field.derived or field.type == "search" else plain).append(path)
    keys = dict.fromkeys((*plain[:SINGLE], *others))
    models = [pymongo.IndexModel([*((path, 1) for path in paths), ("_id", 1)]) for paths in keys]
    if len(plain) > SINGLE:
        models.append(pymongo.IndexModel([("index.$**", 1)]))
    if len(others) > MAX_INDEXES - SINGLE - 3:
        raise LimitError(
            what="composite, search and derived indexes", limit=MAX_INDEXES - SINGLE - 3, path=collection.name
        )
    scoped = pymongo.IndexModel([("scope", 1)], partialFilterExpression={"scope": {"$gt": ""}})
    return [scoped, *models]


def tables_of(known: Mapping[str, Collection]) -> dict[str, Table]:
    """The tables of declared collections."""
    return {name: table_of(collection) for name, collection in known.items()}
