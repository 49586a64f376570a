"""K6: find, count, joined pages and aggregates equal the reference evaluator.

Floor: testing.
"""

# The names of checks carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.errors import QueryError
from dossier.repository import (
    Batch,
    Collection,
    Contains,
    Eq,
    Expr,
    Ge,
    Has,
    In,
    Index,
    IndexField,
    IndexValue,
    Lt,
    Not,
    Order,
    Prefix,
    Put,
    Query,
    Row,
    Shred,
    encode,
    fold,
)
from dossier.testing.pair import Pair, paired
from dossier.testing.place import Places, Reach, raises, run, same
from dossier.testing.strategies import INTS, LATER, TEXTS, collections, populations, queries, reindexings

KINDS = (Eq, Lt, Ge, In, Prefix, Has, Contains, Not)
ASKED = 8


def check_K6_queries(places: Places, *, examples: int = 40, profile: settings | None = None) -> None:
    """Random queries over random declarations and rows; again after a field was declared later, when no row has it,
    and again after a re-index. At least 30 % of them return some rows and not all."""
    reach = Reach()

    @given(st.data())
    def law(data: st.DataObject) -> None:
        with paired(places, reach) as pair:
            collection = data.draw(collections())
            pair.declare(collection)
            for batch in data.draw(populations(collection)):
                pair.commit(batch)
            _ask(pair, data, collection)
            wider = attrs.evolve(collection, fields=(*collection.fields, *LATER))
            pair.declare(wider)
            _ask(pair, data, wider)
            pair.commit(data.draw(reindexings(wider, [row.id for row in pair.rows(collection.name)][:12])))
            reach["reindexed"] += 1
            _ask(pair, data, wider)

    run(law, examples=examples, profile=profile)
    reach.require(examples, "reindexed", "cursor", "foreign cursor", *(kind.__name__ for kind in KINDS), least=5)
    reach.require_share(examples, "partial", "queries", 30)
    _edges(places)
    _refusals(places)


def _ask(pair: Pair, data: st.DataObject, collection: Collection) -> None:
    rows = pair.rows(collection.name)
    asked = [_guided(pair, data, collection, rows) for _ in range(ASKED)]
    for query in asked:
        found = pair.ask(query)
        pair.reach["queries"] += 1
        pair.reach["partial"] += 0 < len(found) < len(rows)
        pair.reach.update(_names(query.where))
    with pair.repository.snapshot() as reader, pair.oracle.snapshot() as reference:
        pair.ask(asked[0], on=(reader, reference))
    for query, other in pairwise(asked):
        pair.other_cursor(query, other)
    single = [field for field in collection.fields if not field.many and field.type != "search"]
    names = data.draw(st.lists(st.sampled_from([field.name for field in single]), max_size=2, unique=True))
    pair.aggregate(asked[0], names, [field.name for field in single if field.type == "int"])
    pair.aggregate(Query(collection=collection.name), names, [])


def _guided(pair: Pair, data: st.DataObject, collection: Collection, rows: list[Row]) -> Query:
    """A query that returns some rows and not all, where one of three does."""
    for _ in range(3):
        query = data.draw(queries(collection, rows))
        if 0 < pair.oracle.count(collection.name, query.where) < len(rows):
            break
    return query


def _names(expr: Expr) -> list[str]:
    inner = getattr(expr, "terms", ()) or ((expr.term,) if isinstance(expr, Not) else ())
    return [type(expr).__name__, *(name for term in inner for name in _names(term))]


EDGES = Collection(
    name="edges",
    fields=(
        IndexField(name="text"),
        IndexField(name="int", type="int"),
        IndexField(name="bool", type="bool"),
        IndexField(name="set", many=True),
        IndexField(name="search", type="search"),
        IndexField(name="derived", type="int", derived=True),
    ),
)


def _edges(places: Places) -> None:
    """What random queries may miss, each asked once: every edge text as operand of every operator, ties on every
    page border, a Put that must keep derived fields, an older mark, terms of a shredded or rewritten row."""
    with paired(places, Reach()) as pair:
        pair.declare(EDGES)
        folded = [fold(text) for text in TEXTS]
        puts = [
            _edge(f"{n:03}", {"text": text, "set": (text,), "search": folded[n], "int": INTS[n % len(INTS)]})
            for n, text in enumerate(TEXTS)
        ]
        puts += [
            _edge("none", {"text": None, "set": (), "search": None}),
            _edge("left", {}),
            _edge("bool", {"bool": True}),
        ]
        for n, number in enumerate(INTS):
            puts.append(_edge(f"int{n}", {"int": number, "set": (str(n),)}))
        joined = fold("".join(TEXTS))
        pair.commit(Batch((*puts, _edge("joined", {"search": joined, "bool": False}))))
        for text in sorted({*TEXTS, *folded}):
            for where in (Eq("text", text), Lt("text", text), Ge("text", text), Prefix("text", text), Has("set", text)):
                pair.ask(Query(collection="edges", where=where, limit=1000))
            if text:
                pair.ask(Query(collection="edges", where=Contains("search", text), limit=1000))
        for number in INTS:
            for bound in (Eq("int", number), Lt("int", number), Ge("int", number), Not(Ge("int", number))):
                pair.ask(Query(collection="edges", where=bound, limit=1000))
        for start in range(0, len(joined), 3):
            pair.ask(Query(collection="edges", where=Contains("search", joined[start : start + 5]), limit=1000))
        for name in ("text", "int", "bool", "derived"):
            for descending in (False, True):
                for limit in (1, 4, 7):
                    pair.ask(Query(collection="edges", order=Order(name, descending), limit=limit))
        for fact in (In("text", ()), Not(In("text", ())), Eq("set", None), Not(Eq("int", 0)), Eq("text", None)):
            pair.ask(Query(collection="edges", where=fact, limit=3))
        _life(pair)


def _life(pair: Pair) -> None:
    life: list[Batch] = [
        Batch((Index("edges", "left", {"derived": 5}, 2), Index("edges", "nobody", {"derived": 5}, 2))),
        Batch((Put("edges", "left", encode({}), {"search": "abcdef", "text": "left"}, "s", 1),)),
        Batch((Index("edges", "left", {"derived": 4}, 1),)),
        Batch((Index("edges", "left", {"derived": 6}, 2),)),
        Batch((Put("edges", "left", encode({}), {"search": "defghi", "set": ("x", "y")}, "s", 2),)),
        Batch((Index("edges", "left", {"search": "xyz", "set": ("y",)}, 9, True),)),
        Batch((Index("edges", "left", {"derived": 7}, 1),)),
        Batch((Index("edges", "left", {"derived": None}, 2),)),
        Batch((Put("edges", "left", encode({}), {"search": "xyz", "set": ("z",)}, "shredded", 3),)),
        Batch((Shred("shredded"),)),
    ]
    words = [Contains("search", word) for word in ("abc", "def", "ghi", "xyz", "e")]
    members = [Has("set", member) for member in ("x", "y", "z")]
    for batch in life:
        pair.commit(batch)
        facts: list[Expr] = [Eq("derived", n) for n in (4, 5, 6, 7, None)]
        for where in (*facts, *words, *members, Eq("text", "left")):
            pair.ask(Query(collection="edges", where=where, limit=1000))


def _edge(id: str, index: Mapping[str, IndexValue]) -> Put:
    return Put("edges", id, encode({"n": id}), index, "s")


def _refusals(places: Places) -> None:
    """What is not declared, or not of the language, is a QueryError and not an empty answer."""
    bad: tuple[Expr, ...] = (
        Eq("nobody", "a"),
        Not(Eq("nobody", None)),
        Eq("search", "a"),
        Eq("set", "a"),
        Eq("int", "a"),
        Eq("text", 1),
        Lt("set", "a"),
        Lt("int", "a"),
        Prefix("int", "1"),
        Has("text", "a"),
        Contains("text", "a"),
        Contains("search", ""),
    )
    with paired(places, Reach()) as pair:
        pair.declare(EDGES)
        repository = pair.repository
        for where in bad:
            raises(QueryError, repository.find, f"{where!r}", Query(collection="edges", where=where))
            raises(QueryError, repository.count, f"{where!r}", "edges", where)
        for query in (
            Query(collection="nobody"),
            Query(collection="edges", limit=0),
            Query(collection="edges", limit=1001),
            Query(collection="edges", order=Order("set")),
            Query(collection="edges", order=Order("search")),
            Query(collection="edges", order=Order("nobody")),
        ):
            raises(QueryError, repository.find, f"{query!r}", query)
        same("rows", repository.count("edges", Not(Eq("text", "a"))), 0)
