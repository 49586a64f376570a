"""Reads of one state: rows by key, counts, groups with exact sums, chunks of a scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson.decimal128 import Decimal128
from pymongo.client_session import ClientSession

from dossier.repository import Expr, Group, IndexScalar, Key, Row
from dossier.repository.asking import check_aggregate, check_where, shape_named
from dossier_mongodb.address import Base
from dossier_mongodb.documents import Document, Table
from dossier_mongodb.where import to_filter

Tables = Mapping[str, Table]

CHUNK = 4 * 1024 * 1024
"""Bytes of bodies that a chunk of a scan is to have, about."""


def shown(*, bodies: bool = True, index: bool = True) -> Document:
    """What of the documents is sent."""
    return {
        "grams": 0,
        **({} if bodies else {"body": 0, "bytes": 0}),
        **({} if index else {"index": 0, "derived": 0}),
    }


def table_named(tables: Tables, name: str) -> Table:
    """The table of a collection. QueryError if it is not declared."""
    table = tables.get(name)
    if table is None:
        shape_named({}, name)
        raise AssertionError
    return table


def get_many(base: Base, session: ClientSession, tables: Tables, keys: Sequence[Key], index: bool) -> list[Row | None]:
    """Rows in the order of `keys`, None for missing; one command, so one state."""
    wanted: dict[str, dict[str, None]] = {}
    for key in keys:
        table_named(tables, key.collection)
        wanted.setdefault(key.collection, {})[key.id] = None
    if not wanted:
        return []
    found: dict[tuple[str, str], Row] = {}
    sent = shown(index=index)
    names = list(wanted)
    if len(names) == 1:
        table = tables[names[0]]
        ids = list(wanted[names[0]])
        chosen: Document = {"_id": ids[0] if len(ids) == 1 else {"$in": ids}}
        for document in base[table.name].find(chosen, sent, session=session):
            found[names[0], document["_id"]] = table.row(document)
    else:
        pipeline = _some(list(wanted[names[0]]), sent, 0)
        for place, name in enumerate(names[1:], 1):
            inner = _some(list(wanted[name]), sent, place)
            pipeline.append({"$unionWith": {"coll": tables[name].name, "pipeline": inner}})
        for document in base[tables[names[0]].name].aggregate(pipeline, session=session):
            name = names[document["from"]]
            found[name, document["_id"]] = tables[name].row(document)
    return [found.get((key.collection, key.id)) for key in keys]


def _some(ids: list[str], sent: Document, place: int) -> list[Document]:
    return [{"$match": {"_id": {"$in": ids}}}, {"$project": sent}, {"$set": {"from": place}}]


def count(base: Base, session: ClientSession, tables: Tables, collection: str, where: Expr) -> int:
    """How many rows satisfy `where`."""
    table = table_named(tables, collection)
    check_where(table.shape, where)
    stages: list[Document] = [{"$match": to_filter(table, where)}, {"$count": "n"}]
    for document in base[table.name].aggregate(stages, session=session):
        return int(document["n"])
    return 0


def aggregate(
    base: Base,
    session: ClientSession,
    tables: Tables,
    collection: str,
    where: Expr,
    by: Sequence[str],
    sums: Sequence[str],
) -> list[Group]:
    """Groups sorted absent first; sums are exact: as decimals of 34 digits, for a `$sum` of integers that passes 64
    bits becomes a double."""
    table = table_named(tables, collection)
    check_aggregate(table.shape, where, by, sums)
    group: Document = {"_id": {f"k{n}": f"${table.paths[name]}" for n, name in enumerate(by)}, "n": {"$sum": 1}}
    for n, name in enumerate(sums):
        group[f"s{n}"] = {"$sum": {"$toDecimal": f"${table.paths[name]}"}}
    stages: list[Document] = [{"$match": to_filter(table, where)}, {"$group": group}]
    groups = [
        Group(
            key=tuple(_scalar(document["_id"].get(f"k{n}")) for n in range(len(by))),
            count=int(document["n"]),
            sums=tuple(_exact(document[f"s{n}"]) for n in range(len(sums))),
        )
        for document in base[table.name].aggregate(stages, session=session)
    ]
    if not groups and not by:
        return [Group(key=(), count=0, sums=(0,) * len(sums))]
    return sorted(groups, key=lambda group: tuple(_rank(value) for value in group.key))


def _scalar(value: Any) -> IndexScalar:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _exact(value: Any) -> int:
    return int(value.to_decimal()) if isinstance(value, Decimal128) else int(value)


def _rank(value: IndexScalar) -> tuple[bool, Any]:
    return (False, 0) if value is None else (True, value)


def chunk(
    base: Base,
    session: ClientSession,
    tables: Tables,
    collection: str,
    start: str,
    stop: str | None,
    beyond: str | None,
    descending: bool,
    limit: int,
    bodies: bool,
) -> list[Row]:
    """Rows of one chunk of a scan: start <= id < stop, behind the id `beyond` in the direction of the scan."""
    table = table_named(tables, collection)
    bounds: Document = {"$gte": start}
    if stop is not None:
        bounds["$lt"] = stop
    if beyond is not None and descending:
        bounds["$lt"] = beyond
    elif beyond is not None:
        del bounds["$gte"]
        bounds["$gt"] = beyond
    found = base[table.name].find({"_id": bounds}, shown(bodies=bodies), session=session)
    found.sort([("_id", -1 if descending else 1)]).limit(limit)
    return [table.row(document, bodies=bodies) for document in found]


def next_limit(rows: Sequence[Row]) -> int:
    """How many rows the next chunk may have, judged by the last one."""
    size = sum(len(row.body) for row in rows) // max(len(rows), 1) + 200
    return max(16, min(1000, CHUNK // size))
