"""The two ways to a page in some order answer alike, both are gone, and the right one is."""

from __future__ import annotations

import random
import sqlite3
from typing import Any

import pytest

from dossier.repository import And, Batch, Eq, Expr, Ge, Has, In, Lt, Not, Order, Prefix, Put, Query
from dossier.repository.memory import open_memory
from dossier_sqlite import finding
from dossier_sqlite.ways import WALK

ROWS = 900
TAGS = (*["common"] * 60, *["often"] * 25, *["seldom"] * 5, "rare")


def rows(rnd: random.Random) -> list[Put]:
    found = []
    for number in range(ROWS):
        index: dict[str, Any] = {"tags": tuple(sorted({rnd.choice(TAGS), rnd.choice(TAGS)}))}
        if rnd.random() < 0.9:
            index["amount"] = rnd.randrange(-40, 60)
        if rnd.random() < 0.9:
            index["name"] = rnd.choice(("甲", "甲乙", "丙", "丁", "戊己"))
        if rnd.random() < 0.9:
            index["vip"] = rnd.random() < 0.8
        found.append(Put("cards", f"{rnd.getrandbits(64):016x}{number}", b"{}", index, "s", expect=0))
    return found


def term(rnd: random.Random) -> Expr:
    made: Expr = rnd.choice(
        [
            Has("tags", rnd.choice(TAGS)),
            Has("tags", rnd.choice(("rare", "seldom", "nobody"))),
            Eq("name", rnd.choice(("甲", "丁", "nobody"))),
            Eq("vip", rnd.random() < 0.5),
            In("name", tuple(rnd.sample(("甲", "甲乙", "丙", "丁"), 2))),
            Prefix("name", "甲"),
            Ge("amount", rnd.randrange(-40, 60)),
            Lt("amount", rnd.randrange(-40, 60)),
        ]
    )
    return Not(made) if rnd.random() < 0.2 else made


def test_K6_both_ways_answer_as_the_evaluator_does(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rnd = random.Random(5)
    repository = opened()
    reference = open_memory("memory:", mode="create", options={})
    reference.declare([opened.cards])
    made = rows(rnd)
    for at in range(0, ROWS, 300):
        for one in (repository, reference):
            one.commit(Batch(tuple(made[at : at + 300])))
    gone: dict[str, int] = {"walk": 0, "gather": 0, "left": 0}
    way = finding.way

    def watched(*given: Any) -> int | None:
        route = way(*given)
        gone["left" if route is None else "walk" if route == WALK else "gather"] += 1
        return route

    monkeypatch.setattr(finding, "way", watched)
    for _ in range(400):
        where = And(tuple(term(rnd) for _ in range(rnd.randint(1, 3))))
        order = rnd.choice([None, *(Order(f, descending=d) for f in ("amount", "name", "vip") for d in (True, False))])
        after = None
        for _ in range(4):
            query = Query(collection="cards", where=where, order=order, limit=rnd.choice((1, 3, 20)), after=after)
            page, wanted = repository.find(query), reference.find(query)
            assert [row.id for row in page.rows] == [row.id for row in wanted.rows]
            after = page.cursor
            assert (after is None) == (wanted.cursor is None)
            if after is None:
                break
    assert min(gone.values()) > 40, gone


def test_a_walk_looks_at_few_rows(opened: Any) -> None:
    """Of what a side table rules out no row is fetched: the plan walks the index of the order alone."""
    repository = opened()
    repository.commit(Batch(tuple(rows(random.Random(6)))))
    where = And((Has("tags", "common"), Eq("vip", True)))
    query = Query(collection="cards", where=where, order=Order("amount"), limit=2)
    asked: list[str] = []
    conn: sqlite3.Connection = repository._writer
    conn.set_trace_callback(asked.append)
    finding.find(conn, repository._tables, query)
    conn.set_trace_callback(None)
    plan = [row[3] for row in conn.execute(f"explain query plan {asked[-1]}")]
    assert any("COVERING INDEX i_cards.amount" in step for step in plan), plan
    assert any("CORRELATED" in step for step in plan), plan
