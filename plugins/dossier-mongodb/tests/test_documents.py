"""What stands in the database: documents that a person can read and ask for, and the very bytes."""

from __future__ import annotations

from typing import Any

import bson
import pymongo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.errors import DamagedError, LimitError, QueryError
from dossier.repository import (
    MAX_BODY,
    TRUE,
    Batch,
    Collection,
    Composite,
    Contains,
    Eq,
    Has,
    Index,
    IndexField,
    Key,
    Order,
    Prefix,
    Put,
    Query,
    encode,
)
from dossier_mongodb.documents import body_of, pairs, stored_body


def through(body: bytes) -> bytes:
    """The bytes after BSON was there and back."""
    return body_of(bson.decode(bson.encode(stored_body(body))))


ODD = {
    "reference": b'{"a":{"$id":1,"$ref":"x"}}',
    "operator": b'{"$set":{"a":1}}',
    "nul in a name": b'{"a\\u0000b":1}',
    "no name": b'{"":1}',
    "beyond 64 bits": b"[123456789012345678901234567890]",
    "unsorted": b'{"b":1,"a":2}',
    "blanks": b'{"a": 1}',
    "twice": b'{"a":1,"a":2}',
    "no json": b"\xff\x00",
    "escape": b'"\\u0041"',
    "exponent": b"1e400",
    "deep": b"[" * 500 + b"]" * 500,
    "very deep": b"[" * 5000 + b"]" * 5000,
    "long list": b"[" + b",".join([b"1"] * 1_200_000) + b"]",
}
PLAIN = {
    "text": b'"x"',
    "null": b"null",
    "large": b'{"n":[9007199254740991,-9007199254740991,2147483648,9223372036854775807]}',
    "dollar in a value": b'{"price":"$5","text":"{\\"$ref\\":1}"}',
    "nul in a value": b'{"a":"\\u0000"}',
    "dots": b'{"a.b":1}',
    "order": b'{"a":1,"a0":2,"a:b":3,"a_b":4}',
    "deep enough": b"[" * 64 + b"]" * 64,
    "empty": b'{"a":{},"b":[]}',
}


@pytest.mark.law("K1")
@pytest.mark.parametrize("name", [*ODD, *PLAIN])
def test_bytes_come_back(name: str) -> None:
    body = {**ODD, **PLAIN}[name]
    assert through(body) == body
    assert ("body" in stored_body(body)) is (name in PLAIN)


_names = st.sampled_from(["a", "$ref", "$id", "", "a.b", "core:name", "z"])
_values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=4) | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
)


@pytest.mark.law("K1")
@given(_values)
def test_bytes_of_any_json_come_back(value: Any) -> None:
    try:
        body = encode(value)
    except Exception:
        return
    assert through(body) == body


def test_a_document_that_somebody_spoiled_is_damaged() -> None:
    for document in ({}, {"body": bson.ObjectId()}, {"body": bson.DBRef("a", 1)}):
        with pytest.raises(DamagedError):
            body_of(document)


def test_each_character_begins_a_pair() -> None:
    assert pairs("单雄信") == ["信", "单雄", "雄信"]
    assert pairs("aa") == ["a", "aa"]
    assert pairs("") == []


def test_a_person_can_read_and_ask(opened: Any) -> None:
    repository = opened()
    basic = {"name": "单雄信", "phones": [{"text": "0371-65678999转8001"}]}
    body = {"basic": basic, "preferences": {"taboos": ["花生"]}}
    index = {"name": "单雄信", "tags": ("x", "y"), "amount": 7, "text": "单雄信 郑州"}
    repository.commit(Batch((Put("cards", "a", encode(body), index, "a:core"),)))
    repository.commit(Batch((Index("cards", "a", {"last": 2**40}, 1),)))
    with pymongo.MongoClient[dict[str, Any]](opened.url) as client:
        cards = client.get_default_database()["cards"]
        document = cards.find_one({"body.preferences.taboos": "花生", "body.basic.phones.text": {"$regex": "^0371"}})
        assert document is not None
        assert document["body"] == body
        assert {name: document[name] for name in ("_id", "version", "scope", "index", "derived")} == {
            "_id": "a",
            "version": 1,
            "scope": "a:core",
            "index": {"name": "单雄信", "tags": ["x", "y"], "amount": 7, "text": "单雄信 郑州"},
            "derived": {"last": 2**40},
        }
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None
    assert row.index == {**index, "last": 2**40}
    assert type(row.index["last"]) is int


def test_declared_indexes_are_real_and_used(opened: Any) -> None:
    repository = opened()
    indexes = [{"name": f"n{n % 5}", "amount": n, "tags": (f"t{n % 7}",), "text": f"text {n}"} for n in range(200)]
    puts = tuple(Put("cards", f"{n:03}", b"1", index, "s") for n, index in enumerate(indexes))
    repository.commit(Batch(puts))
    with pymongo.MongoClient[dict[str, Any]](opened.url) as client:
        base = client.get_default_database()
        keys = [tuple(one["key"]) for one in base["cards"].list_indexes()]
        assert keys == [
            ("_id",),
            ("scope",),
            ("index.name", "_id"),
            ("index.amount", "_id"),
            ("index.vip", "_id"),
            ("index.tags", "_id"),
            ("index.name", "index.amount", "_id"),
            ("grams.text", "_id"),
            ("derived.last", "_id"),
        ]
        for where, order, most in (
            ({"index.name": "n1"}, [("index.amount", -1), ("_id", -1)], 6),
            ({"index.tags": "t3"}, [("_id", 1)], 6),
            ({}, [("index.amount", -1), ("_id", -1)], 5),
            ({"grams.text": {"$all": ["19", "99"]}}, [("_id", 1)], 6),
        ):
            plan = base["cards"].find(where).sort(order).limit(5).explain()
            assert plan["executionStats"]["totalDocsExamined"] <= most, where
            assert "SORT" not in str(plan["queryPlanner"]["winningPlan"]), where


def test_more_fields_than_mongodb_has_indexes(opened: Any) -> None:
    repository = opened()
    fields = tuple(IndexField(name=f"f{n}", many=n % 2 > 0) for n in range(90))
    first = Collection(name="wide", fields=fields[:40])
    whole = Collection(name="wide", fields=fields, composites=(Composite(fields=("f0", "f88")),))
    repository.declare([first])
    repository.declare([whole])
    for start in (0, 100):
        indexes = [{f"f{k}": (f"v{n}",) if k % 2 else f"v{n}" for k in range(90)} for n in range(start, start + 100)]
        puts = (Put("wide", f"{n:03}", b"1", each, "s") for n, each in enumerate(indexes, start))
        repository.commit(Batch(tuple(puts)))
    for where in (Eq("f2", "v7"), Has("f3", "v7"), Eq("f88", "v7"), Has("f89", "v7"), Prefix("f88", "v10")):
        wanted = 11 if isinstance(where, Prefix) else 1
        assert len(repository.find(Query(collection="wide", where=where, order=Order("f86", True))).rows) == wanted
    with pymongo.MongoClient[dict[str, Any]](opened.url) as client:
        wide = client.get_default_database()["wide"]
        assert len(list(wide.list_indexes())) == 48
        for path in ("index.f2", "index.f88"):
            assert wide.find({path: "v7"}).sort("_id").explain()["executionStats"]["totalDocsExamined"] == 1


def test_falling_order_within_equal_values(opened: Any) -> None:
    repository = opened()
    puts = tuple(Put("cards", f"{n:03}", b"1", {"amount": n // 4} if n < 20 else {}, "s") for n in range(30))
    repository.commit(Batch(puts))
    for limit in (1, 2, 3, 4, 5, 7, 30):
        seen: list[str] = []
        after = None
        while True:
            query = Query(collection="cards", order=Order("amount", True), limit=limit, after=after, index=False)
            page = repository.find(query)
            assert all(row.index == {} for row in page.rows)
            seen += [row.id for row in page.rows]
            after = page.cursor
            if after is None:
                break
        rising = [f"{n:03}" for n in range(30)]
        assert seen == sorted(rising[:20], key=lambda id: (-(int(id) // 4), id)) + rising[20:]


def test_names_with_dots_and_of_the_system(opened: Any) -> None:
    repository = opened()
    odd = Collection(name="system.users", fields=(IndexField(name="a.b"), IndexField(name="t.x", type="search")))
    assert repository.declare([odd]) == ()
    repository.commit(Batch((Put("system.users", "1", b"1", {"a.b": "v", "t.x": "abc"}, "s"),)))
    (row,) = repository.find(Query(collection="system.users", where=Contains("t.x", "bc"), order=Order("a.b"))).rows
    assert row.index == {"a.b": "v", "t.x": "abc"}


def test_limits(opened: Any) -> None:
    repository = opened()
    with pytest.raises(LimitError):
        repository.declare(
            [Collection(name="wide", fields=tuple(IndexField(name=f"f{n}", type="search") for n in range(18)))]
        )
    with pytest.raises(QueryError):
        repository.declare([Collection(name="cards", fields=(IndexField(name="name", type="int"),))])
    largest = b"[" + b",".join([b"1"] * (MAX_BODY // 2 - 1)) + b"]"
    repository.commit(Batch((Put("cards", "a", largest, {}, "s"),)))
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None
    assert row.body == largest


def test_exact_sums(opened: Any) -> None:
    repository = opened()
    most = 2**63 - 1
    puts = tuple(Put("cards", f"{n}", b"1", {"amount": most - n, "name": "a"}, "s") for n in range(9))
    repository.commit(Batch(puts))
    (group,) = repository.aggregate("cards", TRUE, by=("name",), sums=("amount",))
    assert group.sums == (sum(most - n for n in range(9)),)
