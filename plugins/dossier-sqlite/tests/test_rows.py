"""Batches, pages, search and widening of the SQLite repository."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from dossier.errors import (
    ConflictError,
    CursorError,
    DossierError,
    LimitError,
    QueryError,
)
from dossier.repository import (
    TRUE,
    And,
    Batch,
    Check,
    Collection,
    Contains,
    Delete,
    Eq,
    Expr,
    Ge,
    Has,
    In,
    Index,
    IndexField,
    Key,
    Lt,
    Not,
    Or,
    Order,
    Page,
    Prefix,
    Put,
    Query,
    Shred,
)
from dossier.repository.memory import MemoryRepository, open_memory
from dossier_sqlite import SqliteRepository
from dossier_sqlite.search import QUEUE

NASTY = "aB1单雄 .\"'*-^()\ue000\ue041\ue080ß😀\x01\u3000z"


def put(id: str, *, expect: int | None = 0, scope: str = "s", **index: object) -> Put:
    return Put("cards", id, b'{"a":1}', index, scope, expect=expect)  # type: ignore[arg-type]


def ids(page: Page) -> list[str]:
    return [row.id for row in page.rows]


@pytest.fixture
def memory(opened: Any) -> MemoryRepository:
    repository = open_memory("memory:", mode="create", options={})
    repository.declare([opened.cards, opened.events])
    return repository


def test_a_batch_is_all_or_nothing(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch((put("a"),)))
    for bad in (put("a"), put("a", expect=2), Check("cards", "a", 2), Check("cards", "x", 1), Delete("cards", "a", 2)):
        with pytest.raises(ConflictError) as caught:
            repository.commit(Batch((put("b"), Put("events", "e", b"{}", {}, ""), bad)))
        assert caught.value.__context__ is None
        assert repository.get_many([Key("cards", "b"), Key("events", "e")]) == [None, None]
    repository.commit(Batch((put("b"), put("b", expect=1), Check("cards", "b", 2), Delete("cards", "b", 2))))
    assert repository.get_many([Key("cards", "b")]) == [None]


def test_a_batch_key_takes_effect_once(opened: Any) -> None:
    repository = opened()
    assert not repository.commit(Batch((put("a"),), key="k")).repeated
    assert repository.commit(Batch((put("a"),), key="k")).repeated
    assert repository.commit(Batch((put("z"),), key="k")).repeated
    with pytest.raises(ConflictError):
        repository.commit(Batch((put("a"),), key="other"))
    assert not repository.commit(Batch((put("c"),), key="other")).repeated
    assert repository.count("cards", TRUE) == 2


def test_a_copy_keeps_versions_and_a_derived_index_its_mark(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch((attrs.evolve(put("a"), version=7),)))
    repository.commit(Batch((Index("cards", "a", {"last": 5}, mark=5), Index("cards", "gone", {"last": 1}))))
    repository.commit(Batch((Index("cards", "a", {"last": 4}, mark=4), put("a", expect=7, name="n"))))
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None
    assert (row.version, dict(row.index)) == (8, {"last": 5, "name": "n"})
    repository.commit(Batch((Index("cards", "a", {"name": "m"}, all=True),)))
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None
    assert (row.version, dict(row.index)) == (8, {"last": 5, "name": "m"}), "a re-index leaves derived fields alone"
    repository.commit(
        Batch((Index("cards", "a", {"name": "o"}, mark=9, all=True), Index("cards", "a", {"last": 6}, 5)))
    )
    (row,) = repository.get_many([Key("cards", "a")])
    assert row is not None
    assert dict(row.index) == {"last": 6, "name": "o"}, "nor has it a mark"
    with pytest.raises(QueryError):
        repository.commit(Batch((Index("cards", "a", {"last": 7}, all=True),)))


def test_what_may_not_be_written_is_refused_before_anything_is(opened: Any) -> None:
    repository = opened()
    refused: list[tuple[type[DossierError], Put]] = [
        (QueryError, put("a", nme="x")),
        (QueryError, put("a", name=1)),
        (QueryError, put("a", amount=True)),
        (QueryError, put("a", last=1)),
        (QueryError, put("a", tags=("b", "a"))),
        (LimitError, put("a", amount=2**63)),
        (LimitError, put("a", name="x" * 1025)),
        (LimitError, attrs.evolve(put("a"), body=b"x" * (4 * 1024 * 1024 + 1))),
    ]
    for error, op in refused:
        with pytest.raises(error):
            repository.commit(Batch((put("z"), op)))
    for text in ("a\0b", "a\ud800"):
        with pytest.raises(DossierError) as caught:
            repository.commit(Batch((put("z"), put("a", name=text))))
        assert caught.value.code == "repository.canonical"
    with pytest.raises(LimitError):
        repository.commit(Batch(tuple(put(f"a{i}") for i in range(1001))))
    assert repository.count("cards", TRUE) == 0


@pytest.mark.parametrize("where", [Eq("text", "a"), Lt("vip", 1), Has("name", "a"), Prefix("amount", "a"), Eq("x", 1)])
def test_a_query_outside_the_language_names_its_field(opened: Any, where: Expr) -> None:
    with pytest.raises(QueryError) as caught:
        opened().find(Query(collection="cards", where=where))
    assert where.field in str(caught.value)  # type: ignore[union-attr]


def test_a_cursor_belongs_to_its_query(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch(tuple(put(f"a{i}", amount=i % 2) for i in range(9))))
    query = Query(collection="cards", order=Order("amount", descending=True), limit=3)
    cursor = repository.find(query).cursor
    assert cursor is not None
    for other in (
        attrs.evolve(query, order=Order("amount")),
        attrs.evolve(query, where=Eq("vip", None)),
        attrs.evolve(query, collection="events", order=None),
    ):
        with pytest.raises(CursorError):
            repository.find(attrs.evolve(other, after=cursor))
    for broken in ("", "x", cursor[:-1], "A" + cursor[1:], cursor + "A"):
        with pytest.raises(CursorError):
            repository.find(attrs.evolve(query, after=broken))


def test_pages_of_a_merged_composite_join_to_the_whole(opened: Any, memory: MemoryRepository) -> None:
    repository = opened()
    dice = random.Random(5)
    rows = tuple(
        put(f"id{i:03}", name=dice.choice("abc"), vip=i % 2 == 0, **({"amount": i % 7} if i % 5 else {}))
        for i in range(300)
    )
    for store in (repository, memory):
        store.commit(Batch(rows))
    for order in (Order("amount"), Order("amount", descending=True), Order("vip", descending=True), None):
        query = Query(collection="cards", where=In("name", ("a", "c", "a")), order=order, limit=7)
        found: list[str] = []
        while True:
            page = repository.find(query)
            assert page == memory.find(query)
            found += ids(page)
            if page.cursor is None:
                break
            query = attrs.evolve(query, after=page.cursor)
        assert found == ids(memory.find(attrs.evolve(query, after=None, limit=1000)))


def test_random_operations_and_queries_agree_with_memory(opened: Any, memory: MemoryRepository) -> None:
    repository = opened()
    dice = random.Random(11)

    def text(longest: int) -> str:
        return "".join(dice.choice(NASTY) for _ in range(dice.randrange(longest)))

    def some_put() -> Put:
        index = {
            "name": dice.choice(["a", "ab", "单", "\U0010ffff", "\ud7ff", None]),
            "amount": dice.choice([0, -5, 2**63 - 1, -(2**63), None]),
            "vip": dice.choice([True, False, None]),
            "tags": tuple(sorted({dice.choice("xyz") for _ in range(dice.randrange(3))})),
            "text": text(10),
        }
        return put(f"k{dice.randrange(60):02}", expect=None, scope=dice.choice(["", "s1", "s2"]), **index)

    def leaf() -> Expr:
        return dice.choice(
            [
                Eq("name", dice.choice(["a", None])),
                Eq("vip", dice.choice([True, None])),
                Ge("name", "ab"),
                Lt("amount", 0),
                In("amount", tuple(range(30))),
                In("name", ("a", "单")),
                Prefix("name", dice.choice(["", "a", "\ud7ff", "\U0010ffff"])),
                Has("tags", "x"),
                Contains("text", text(4) or "单"),
                Eq("tags", None),
            ]
        )

    def some(depth: int) -> Expr:
        if depth == 0 or dice.random() < 0.3:
            return leaf()
        if dice.random() < 0.3:
            return Not(some(depth - 1))
        return dice.choice([And, Or])(tuple(some(depth - 1) for _ in range(dice.randrange(4))))

    for turn in range(60):
        ops = tuple(
            dice.choice([some_put(), some_put(), Delete("cards", f"k{dice.randrange(60):02}"), Shred("s1")])
            for _ in range(dice.choice([1, 3, 50]))
        )
        for store in (repository, memory):
            store.commit(Batch(ops))
        if turn % 20 == 19:
            repository.settle()
        for _ in range(10):
            order = dice.choice([None, Order("name"), Order("amount", descending=True), Order("vip")])
            query = Query(collection="cards", where=some(3), order=order, limit=dice.choice([2, 100]))
            page = memory.find(query)
            assert repository.find(query) == page, query
            if page.cursor is not None:
                query = attrs.evolve(query, after=page.cursor)
                assert repository.find(query) == memory.find(query), query
            assert repository.count("cards", query.where) == memory.count("cards", query.where)
            grouped = memory.aggregate("cards", query.where, by=["name", "vip"], sums=["amount"])
            assert repository.aggregate("cards", query.where, by=["name", "vip"], sums=["amount"]) == grouped
    assert list(repository.scan("cards")) == list(memory.scan("cards"))
    assert list(repository.scan("cards", start="k1", stop="k4", descending=True, limit=9)) == list(
        memory.scan("cards", start="k1", stop="k4", descending=True, limit=9)
    )


@pytest.mark.parametrize("settled", [False, True])
def test_search_is_exact_whatever_the_characters(opened: Any, settled: bool) -> None:
    repository = opened()
    dice = random.Random(3)
    texts = {f"k{i:04}": "".join(dice.choice(NASTY) for _ in range(dice.randrange(9))) for i in range(QUEUE - 20)}
    for start in range(0, len(texts), 20):
        part = list(texts.items())[start : start + 20]
        repository.commit(Batch(tuple(put(id, text=text) for id, text in part)))
    if settled:
        repository.settle()
    for _ in range(300):
        needle = "".join(dice.choice(NASTY) for _ in range(dice.randrange(1, 4)))
        page = repository.find(Query(collection="cards", where=Contains("text", needle), limit=1000))
        assert ids(page) == [id for id, text in texts.items() if needle in text], needle


def test_common_and_rare_needles_page_alike(opened: Any) -> None:
    """Both short cuts and the plain statement: 6,000 rows of which nearly all, a tenth and few have the needle."""
    repository = opened()
    dice = random.Random(9)
    texts: dict[str, str] = {}
    for start in range(0, 6000, 1000):
        batch = []
        for i in range(start, start + 1000):
            text = f"公司{'花园' if i % 10 == 0 else ''}{'雄信' if i % 700 == 0 else ''}{i}"
            batch.append(put(f"{dice.getrandbits(64):016x}", text=text, vip=i % 2 == 0))
            texts[batch[-1].id] = text
        repository.commit(Batch(tuple(batch)))
    for needle in ("公司", "花园", "雄信", "公", "公司花园", "没有"):
        expected = sorted(id for id, text in texts.items() if needle in text)
        query = Query(collection="cards", where=Contains("text", needle), limit=300, bodies=False)
        found: list[str] = []
        for _ in range(3):
            page = repository.find(query)
            found += ids(page)
            if page.cursor is None:
                break
            query = attrs.evolve(query, after=page.cursor)
        assert found == expected[: len(found)]
        assert len(found) == min(900, len(expected))
        narrow = And((Contains("text", needle), Eq("vip", False), Not(Contains("text", "9"))))
        both = [id for id in expected if int(texts[id].strip("公司花园雄信")) % 2 and "9" not in texts[id]]
        assert ids(repository.find(Query(collection="cards", where=narrow))) == both[:50]


def test_sums_are_exact_beyond_int64(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch(tuple(put(f"a{i}", amount=2**63 - 1) for i in range(3))))
    (group,) = repository.aggregate("cards", TRUE, sums=["amount"])
    assert (group.count, group.sums) == (3, (3 * (2**63 - 1),))
    (nothing,) = repository.aggregate("cards", Eq("name", "x"), sums=["amount"])
    assert (nothing.count, nothing.sums) == (0, (0,))


def test_a_snapshot_stays_what_it_was(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch((put("a"),)))
    with repository.snapshot() as view:
        repository.commit(Batch((put("b"), Delete("cards", "a", 1))))
        assert [row.id for row in view.scan("cards")] == ["a"]
        assert view.count("cards", TRUE) == 1
    assert [row.id for row in repository.scan("cards")] == ["b"]


def test_widening_keeps_rows_and_names_what_lacks_a_field(opened: Any) -> None:
    repository = opened()
    repository.commit(Batch((put("a", name="n"),)))
    wider = Collection(
        name="cards",
        fields=(IndexField(name="email"), IndexField(name="extra", type="search"), IndexField(name="set", many=True)),
    )
    assert repository.declare([opened.cards, opened.events]) == ()
    assert repository.declare([wider, opened.events, Collection(name="more")]) == ("cards",)
    assert repository.declare([wider]) == ()
    repository.commit(Batch((Index("cards", "a", {"email": "e", "extra": "单雄信", "set": ("x",)}, all=True),)))
    for where in (Eq("email", "e"), Contains("extra", "雄信"), Has("set", "x"), Eq("name", None)):
        assert ids(repository.find(Query(collection="cards", where=where))) == ["a"]
    with pytest.raises(QueryError):
        repository.declare([Collection(name="cards", fields=(IndexField(name="name", type="int"),))])


def test_shred_reaches_every_collection_and_the_search_index(opened: Any) -> None:
    repository: SqliteRepository = opened()
    rows = tuple(put(f"a{i}", scope="s1" if i % 2 else "s2", text="单雄信") for i in range(40))
    repository.commit(Batch((*rows, Put("events", "e", b"{}", {}, "s1"))))
    repository.commit(Batch((put("b", scope="s1", text="雄信"), Shred("s1"))))
    assert repository.count("cards", Contains("text", "雄信")) == 20
    assert repository.get_many([Key("events", "e"), Key("cards", "b"), Key("cards", "a1")]) == [None] * 3


@pytest.mark.parametrize("count", [3, 40])
def test_shred_leaves_no_text_in_a_queue_nor_in_the_file(count: int, opened: Any, tmp_path: Path) -> None:
    text = "住在二贤庄的单雄信"
    repository: SqliteRepository = opened()
    rows = (put(f"a{i}", scope="s1", text=text) for i in range(count))
    repository.commit(Batch((*rows, put("b", scope="s2", text="秦琼"))))
    repository.commit(Batch((put("a0", expect=None, scope="s1", text=text + "也"), Shred("s1"))))
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file)) as conn:
        queues = [
            name for (name,) in conn.execute("select name from sqlite_master where name like 'q\\_%' escape '\\'")
        ]
        waiting = [conn.execute(f'select * from "{name}"').fetchall() for name in queues]
    assert len(queues) == 1 and waiting == [[]]
    assert repository.count("cards", Contains("text", "秦琼")) == 1
    repository.close()
    assert text.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("a.db*"))
