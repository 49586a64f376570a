"""`archive.verify`: sound archives are found sound, and each planted damage is found at its place."""

from __future__ import annotations

import copy
import itertools
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dossier as ds
from dossier.desk.transfer import COPIED
from dossier.repository import Batch, Delete, Index, Key, Put, Row, decode, encode
from dossier.testing.desk_place import DeskPlace
from dossier.testing.desk_walk import Walk
from dossier.testing.law_ledger import _deal
from dossier.testing.place import Reach

DERIVED = frozenset(f"transaction_status_{name}" for name in ("total", "times", "last_date", "arrears"))


def filled(archive: ds.Archive) -> list[str]:
    """Numbers of five files with all sorts of rows."""
    desk = archive.acting_as("陈静", role="manager", purpose="manage")
    liked = ds.change("preferences", taboos=["花生"], religion="无")
    files = [desk.register(name, liked, kind="person") for name in ("单雄信", "秦琼", "程咬金", "罗成", "徐茂公")]
    numbers = [file.number for file in files]
    for number in numbers[:3]:
        desk.enter(number, ds.record("order", at="2026-01-01", amount=5), request_id=f"o{number}")
    desk.enter(numbers[3], ds.record("visit", at="2026-02-01"), ds.change("basic", title="经理"))
    (order,) = desk.consult(numbers[2]).records("order")
    desk.follow_up(order, state="delivered", note="到货", due="2026-05-01")
    desk.follow_up(order, note="再谈")
    desk.enter(numbers[1], ds.record("complaint", at="2026-02-02"), ds.record("survey", at="2026-02-02"))
    tie = desk.relations.add(numbers[0], numbers[1], kind="friend")
    desk.relations.end(tie, until="2030-01-01")
    desk.update(numbers[3], ds.change("basic", title="剑"), channel="agency", observed="2020-01-01")
    desk.merges.merge(numbers[3], numbers[4])
    desk.update(numbers[0], ds.change("preferences", taboos=ds.edit(add=["香菜"])), channel="form")
    sales = archive.acting_as("张强", role="sales")
    for name in ("谁", "尤俊达"):
        sales.collect("KH-1999-1", ds.change("basic", name=name))
    desk.unplaced.place(next(note for note in desk.unplaced.list() if "尤俊达" in str(note.what[0].values)), numbers[4])
    with pytest.raises(ds.errors.DeniedError):
        sales.count()
    return numbers


def codes(archive: ds.Archive) -> list[str]:
    return sorted({problem.code for problem in archive.verify().problems})


def test_a_sound_archive_is_found_sound(place: DeskPlace) -> None:
    seen: list[tuple[int, int]] = []
    with place.create() as archive:
        filled(archive)
        found = archive.verify(progress=lambda done, total: seen.append((done, total)))
    assert found.problems == () and found.sound
    assert (found.dossiers, found.acts) == (5, 5 + 5 + 1 + 1 + 1 + 2 + 2), "each act once a compartment that it touches"
    assert seen[-1][0] == seen[-1][1] == found.rows
    with place.open() as again:
        found = again.verify()
        assert found.sound
        assert {event.verb for event in again.recorder.events()} >= {"verify"}


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_whatever_was_done_at_a_desk_is_sound(data: st.DataObject) -> None:
    walk = Walk(DeskPlace.fresh("memory", Path()).seeded(), data.draw, Reach())
    try:
        walk.register()
        for _ in range(12):
            walk.step()
            if data.draw(st.booleans()):
                _deal(walk, data)
        assert walk.archive.verify().problems == ()
    finally:
        walk.archive.close()


def rows(archive: ds.Archive, collection: str) -> list[Row]:
    return list(archive.repository.scan(collection))


def put(row: Row, body: bytes | None = None, **changed: object) -> Batch:
    """The batch that leaves a row with other content and nothing else changed."""
    new = attrs.evolve(row, **changed)
    index = {name: value for name, value in new.index.items() if name not in DERIVED}
    kept = Index(row.collection, row.id, {n: v for n, v in row.index.items() if n in DERIVED}, 10**6)
    ops = [
        Delete(row.collection, row.id),
        Put(row.collection, row.id, body or row.body, index, new.scope, 0, new.version),
    ]
    return Batch((*ops, kept) if kept.fields else tuple(ops))


def first_core(archive: ds.Archive, numbers: list[str]) -> Row:
    return next(row for row in rows(archive, "dossiers") if row.index["number"] == numbers[0])


def acts_of(archive: ds.Archive, numbers: list[str]) -> list[Row]:
    core = first_core(archive, numbers)
    return [row for row in rows(archive, "acts") if row.id.startswith(core.id) and not row.id.endswith("~special")]


def apart_of(archive: ds.Archive, numbers: list[str]) -> list[str]:
    """The ids of a file's acts in the other compartment: two."""
    core = first_core(archive, numbers)
    found = [row.id for row in rows(archive, "acts") if row.id.startswith(core.id) and row.id.endswith("~special")]
    assert len(found) == 2
    return found


def last_write(archive: ds.Archive) -> list[Row]:
    return [row for row in rows(archive, "events") if row.id.startswith("w")]


def follow_up(archive: ds.Archive) -> Row:
    return next(row for row in rows(archive, "entries") if b'"follow_up"' in row.body)


def fact_of(archive: ds.Archive) -> Row:
    return next(row for row in rows(archive, "facts") if b'"times":1' in row.body)


def told(archive: ds.Archive) -> dict[str, Any]:
    return dict(decode(fact_of(archive).body)["transaction_status"])


def false_fact(archive: ds.Archive) -> Batch:
    row = fact_of(archive)
    body = row.body.replace(b'"times":1', b'"times":8')
    index = Index("dossiers", row.id, {"transaction_status_times": 8}, row.version)
    return Batch((Put("facts", row.id, body, {}, row.scope, row.version), index))


def told_otherwise(archive: ds.Archive, word: str, other: str) -> Batch:
    """One claim of an act changed; the state that it left stays as it was."""
    row = next(row for row in rows(archive, "acts") if f'"{word}"'.encode() in row.body and b'"asserts"' in row.body)
    return put(row, row.body.replace(f'"{word}"'.encode(), f'"{other}"'.encode(), 1))


def both(*batches: Batch) -> Batch:
    return Batch(tuple(op for batch in batches for op in batch.ops))


def without(archive: ds.Archive, record: Row) -> Batch:
    """A record and its entries gone together."""
    lines = [row for row in rows(archive, "entries") if row.id.startswith(record.id)]
    return Batch(tuple(Delete(row.collection, row.id) for row in (record, *lines)))


def first_of_two(archive: ds.Archive) -> Row:
    """The first record, by id, of a file with two."""
    held = rows(archive, "records")
    return next(one for one, two in itertools.pairwise(held) if one.index["dossier"] == two.index["dossier"])


Damage = Callable[[ds.Archive, list[str]], Batch]
DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "a value in a state": (
        lambda a, n: put(row := first_core(a, n), row.body.replace("单雄信".encode(), "单雄性".encode())),
        {"verify.state", "verify.index"},
    ),
    "a state that is none": (lambda a, n: put(first_core(a, n), b'{"a":1}'), {"verify.body"}),
    "a section that is none": (
        lambda a, n: put(row := first_core(a, n), row.body.replace('"full":"单雄信"'.encode(), b'"full":1')),
        {"verify.state", "verify.body"},
    ),
    "a row of another version": (lambda a, n: put(first_core(a, n), version=9), {"verify.version"}),
    "a row of another scope": (lambda a, n: put(first_core(a, n), scope="x:core"), {"verify.scope"}),
    "an index value": (
        lambda a, n: put(row := first_core(a, n), index={**row.index, "search_name": "别人"}),
        {"verify.index"},
    ),
    "an index value that is missing": (
        lambda a, n: put(row := first_core(a, n), index={k: v for k, v in row.index.items() if k != "search_name"}),
        {"verify.index"},
    ),
    "a computed fact": (
        lambda a, n: Batch((Index("dossiers", (row := fact_of(a)).id, {"transaction_status_times": 9}, row.version),)),
        {"verify.index"},
    ),
    "a fact falsified in its row": (
        lambda a, n: put(row := fact_of(a), row.body.replace(b'"times":1', b'"times":8')),
        {"verify.index"},
    ),
    "a fact falsified in both places": (lambda a, n: false_fact(a), {"verify.facts"}),
    "a fact that is no column": (
        lambda a, n: put(fact_of(a), encode({"transaction_status": {**told(a), "credit_problems": 3}})),
        {"verify.facts"},
    ),
    "computed facts gone with their index values": (
        lambda a, n: Batch(
            (
                Delete("facts", (row := fact_of(a)).id),
                Index("dossiers", row.id, dict.fromkeys(DERIVED), row.version),
            )
        ),
        {"verify.facts"},
    ),
    "a record begun by another act": (
        lambda a, n: put(row := rows(a, "records")[0], altered(decode(row.body), ("opened",), "0" * 32)),
        {"verify.entries"},
    ),
    "a record begun at another time": (
        lambda a, n: put(row := rows(a, "records")[0], row.body.replace(b'"at":"2026-03', b'"at":"2026-02')),
        {"verify.entries"},
    ),
    "an index value apart": (
        lambda a, n: put(row := rows(a, "special")[0], index={**row.index, "into": "x"}),
        {"verify.index"},
    ),
    "a compartment that is gone": (lambda a, n: Batch((Delete("special", first_core(a, n).id),)), {"verify.state"}),
    "a compartment that says something else": (
        lambda a, n: put(row := rows(a, "special")[0], row.body.replace("花生".encode(), "花茶".encode())),
        {"verify.state"},
    ),
    "a compartment gone with all its acts": (
        lambda a, n: Batch((Delete("special", first_core(a, n).id), *(Delete("acts", id) for id in apart_of(a, n)))),
        {"verify.version"},
    ),
    "the acts of a compartment gone": (
        lambda a, n: Batch(tuple(Delete("acts", id) for id in apart_of(a, n))),
        {"verify.version"},
    ),
    "the first act of a compartment gone": (
        lambda a, n: Batch((Delete("acts", apart_of(a, n)[0]),)),
        {"verify.version"},
    ),
    "the last act of a compartment gone": (
        lambda a, n: Batch((Delete("acts", apart_of(a, n)[-1]),)),
        {"verify.state"},
    ),
    "a compartment of another version": (
        lambda a, n: put(rows(a, "special")[0], version=9),
        {"verify.version"},
    ),
    "the last act gone": (
        lambda a, n: Batch((Delete("acts", acts_of(a, n)[-1].id),)),
        {"verify.version", "verify.state", "verify.event"},
    ),
    "the first act gone": (
        lambda a, n: Batch((Delete("acts", acts_of(a, n)[0].id),)),
        {"verify.version", "verify.event"},
    ),
    "an act that nobody did": (
        lambda a, n: Batch((Put("acts", acts_of(a, n)[-1].id[:-1] + "9", acts_of(a, n)[-1].body, {}, "", 0),)),
        {"verify.version", "verify.scope", "verify.act"},
    ),
    "an act told otherwise": (
        lambda a, n: put(row := acts_of(a, n)[-1], row.body.replace(b'"verb":"update"', b'"verb":"revise"')),
        {"verify.act", "verify.event"},
    ),
    "a dossier gone": (
        lambda a, n: Batch((Delete("dossiers", first_core(a, n).id),)),
        {"verify.orphan", "verify.event"},
    ),
    "a record in another state": (
        lambda a, n: put(row := rows(a, "records")[0], row.body.replace(b'"state":"', b'"state":"x')),
        {"verify.entries", "verify.index"},
    ),
    "a record indexed otherwise": (
        lambda a, n: put(row := rows(a, "records")[0], index={**row.index, "kind": "foe"}),
        {"verify.index"},
    ),
    "a record of another scope": (
        lambda a, n: both(
            put(row := rows(a, "records")[0], scope="x"),
            *(put(line, scope="x") for line in rows(a, "entries") if line.id.startswith(row.id)),
        ),
        {"verify.scope"},
    ),
    "an act apart of another scope": (
        lambda a, n: put(next(row for row in rows(a, "acts") if row.id.endswith("~special")), scope="x"),
        {"verify.scope"},
    ),
    "a record gone with its entries, of an act that said more": (
        lambda a, n: without(a, next(row for row in rows(a, "records") if row.index["kind"] == "visit")),
        {"verify.event"},
    ),
    "a record gone with its entries, of an act with another": (
        lambda a, n: without(a, next(row for row in rows(a, "records") if row.index["kind"] == "survey")),
        {"verify.event"},
    ),
    "a record gone before another of its file": (
        lambda a, n: Batch((Delete("records", first_of_two(a).id),)),
        {"verify.orphan"},
    ),
    "a record gone": (lambda a, n: Batch((Delete("records", rows(a, "records")[0].id),)), {"verify.orphan"}),
    "an entry gone": (lambda a, n: Batch((Delete("entries", follow_up(a).id),)), {"verify.entries", "verify.event"}),
    "an entry of another scope": (lambda a, n: put(rows(a, "entries")[0], scope="x"), {"verify.entries"}),
    "a tie indexed otherwise": (
        lambda a, n: put(row := rows(a, "relations")[0], index={**row.index, "kind": "foe"}),
        {"verify.index"},
    ),
    "a tie gone": (lambda a, n: Batch((Delete("relations", rows(a, "relations")[0].id),)), {"verify.event"}),
    "a person under another name": (
        lambda a, n: put(row := rows(a, "staff")[0], index={**row.index, "name": "谁"}),
        {"verify.index"},
    ),
    "a claim of an act": (lambda a, n: told_otherwise(a, "经理", "总管"), {"verify.claims"}),
    "a claim of an act apart": (lambda a, n: told_otherwise(a, "香菜", "香葱"), {"verify.claims"}),
    "a claim of an act that does not show": (lambda a, n: told_otherwise(a, "剑", "刀"), {"verify.claims"}),
    "a source of an act": (lambda a, n: told_otherwise(a, "form", "visit"), {"verify.claims"}),
    "a state that was left in between": (
        lambda a, n: put(
            row := next(row for row in rows(a, "acts") if "经理".encode() in row.body),
            row.body.replace("罗成".encode(), "罗城".encode()),
        ),
        {"verify.claims"},
    ),
    "a number given twice": (
        lambda a, n: put(
            row := first_core(a, n), row.body.replace(n[0].encode(), n[1].encode()), index={**row.index, "number": n[1]}
        ),
        {"verify.number", "verify.state"},
    ),
    "a lease that falls back": (
        lambda a, n: put(row := rows(a, "leases")[0], row.body.replace(b'"next":65', b'"next":5')),
        {"verify.number"},
    ),
    "a lease gone": (lambda a, n: Batch((Delete("leases", rows(a, "leases")[0].id),)), {"verify.number"}),
    "a lane cut in the middle": (
        lambda a, n: Batch((Delete("events", last_write(a)[3].id),)),
        {"verify.ledger", "verify.act"},
    ),
    "what was handed in, gone": (
        lambda a, n: Batch((Delete("unplaced", rows(a, "unplaced")[0].id),)),
        {"verify.event"},
    ),
    "what was handed in, by nobody": (
        lambda a, n: put(row := rows(a, "unplaced")[0], row.body.replace(b'"at":"2026', b'"at":"2025')),
        {"verify.act", "verify.event"},
    ),
    "the end of a lane cut off": (
        lambda a, n: Batch(tuple(Delete("events", row.id) for row in last_write(a)[-3:])),
        {"verify.act"},
    ),
    "a lane rewritten": (
        lambda a, n: put(row := last_write(a)[3], row.body.replace(b'"outcome":"allowed"', b'"outcome":"refused"')),
        {"verify.ledger", "verify.act"},
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(damage: str, place: DeskPlace) -> None:
    plant, wanted = DAMAGES[damage]
    with place.create() as archive:
        numbers = filled(archive)
        archive.repository.commit(plant(archive, numbers))
        found = archive.verify()
        assert {problem.code for problem in found.problems} >= wanted
        assert not found.sound
        shown = json.dumps([str(problem) for problem in found.problems], ensure_ascii=False)
        assert "单雄" not in shown and "花生" not in shown
        ids = {row.id for row in rows(archive, "dossiers")}
        assert not any(id in shown for id in ids), "a file is named by its pseudonym"


REMEDIED = [name for name, (_, wanted) in DAMAGES.items() if wanted <= {"verify.index", "verify.facts"}]


@pytest.mark.parametrize("damage", REMEDIED)
def test_the_remedy_of_what_is_indexed_or_computed_is_true(damage: str, place: DeskPlace) -> None:
    with place.create() as archive:
        numbers = filled(archive)
        assert archive.reindex() == 5
        archive.repository.commit(DAMAGES[damage][0](archive, numbers))
        assert not archive.verify().sound
        archive.reindex()
        assert archive.verify().problems == ()


@pytest.mark.parametrize("collection", ["acts", "dossiers", "entries", "facts", "leases", "records", "relations",
                                        "requests", "special", "staff", "unplaced"])  # fmt: skip
def test_a_byte_flipped_on_the_disk_is_found(collection: str, tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        filled(archive)
    conn = sqlite3.connect(place.url)
    (rid, body), *_ = conn.execute(f"select rid, body from c_{collection} order by rid desc").fetchall()
    at = len(body) // 2
    flipped = body[:at] + bytes([body[at] ^ 0x80]) + body[at + 1 :]
    conn.execute(f"update c_{collection} set body = ? where rid = ?", (flipped, rid))
    conn.commit()
    conn.close()
    with place.open(mode="r", reads=str(tmp_path / "reads")) as archive:
        assert "verify.body" in codes(archive)


def test_what_was_imported_is_sound(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(
        "id,name,order,day,sum\n" + "".join(f"c{n % 40},客户{n % 40},o{n},2026-01-05,{n}\n" for n in range(400)),
        encoding="utf-8",
    )
    plan = tmp_path / "shop.toml"
    plan.write_text(
        'name = "shop"\nkind = "person"\ntold_by = "shop"\n[tables.rows]\nkey = "id"\n[tables.rows.fields]\n'
        '"basic/name" = "name"\n[[tables.rows.records]]\nkind = "order"\nkey = "order"\n[tables.rows.records.set]\n'
        'at = "day"\namount = { column = "sum", currency = "CNY" }\n',
        encoding="utf-8",
    )
    with ds.create("memory:") as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        desk.imports.plan(plan, table).apply()
        table.write_text(table.read_text("utf-8").replace("o7,2026-01-05,7", "o7,2026-01-05,8"), encoding="utf-8")
        desk.imports.plan(plan, table).apply()
        assert archive.verify().problems == ()


def test_survivors_that_are_merged_themselves_are_sound(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        below, middle, top = (desk.register(name, kind="organization").number for name in ("甲", "乙", "丙"))
        desk.update(below, ds.change("basic", industry="toys"))
        desk.merges.merge(middle, below)
        assert archive.verify().problems == ()
        desk.merges.merge(top, middle)
        assert archive.verify().problems == ()
        assert [hit.number for hit in desk.find(where=ds.field("basic/industry") == "toys")] == [top]
        desk.merges.unmerge(top, middle)
        assert [hit.number for hit in desk.find(where=ds.field("basic/industry") == "toys")] == [middle]
        assert archive.verify().problems == ()


def test_an_archive_in_use_is_sound_at_every_moment(place: DeskPlace) -> None:
    stop = threading.Event()
    with place.create() as archive:
        numbers = filled(archive)

        def work() -> None:
            desk = archive.acting_as("王芳", role="manager", purpose="manage")
            turn = 0
            while not stop.is_set():
                turn += 1
                desk.register(f"新客{turn}", ds.change("preferences", taboos=["葱"]), kind="person")
                desk.enter(numbers[0], ds.record("order", at="2026-03-01", amount=turn))
                desk.update(numbers[1], ds.change("basic", title=f"经理{turn}"))
                desk.consult(numbers[2])

        worker = threading.Thread(target=work)
        worker.start()
        try:
            for _ in range(6):
                assert archive.verify().problems == ()
        finally:
            stop.set()
            worker.join()


def keys_of(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to all keys within a body; of a list the last member is looked at."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*way, key)
            yield from keys_of(inner, (*way, key))
    elif isinstance(value, list) and value:
        yield from keys_of(value[-1], (*way, len(value) - 1))


def altered(value: Any, way: tuple[str | int, ...], new: object) -> bytes:
    """The body with another value behind a way, or none where it is `...`."""
    made = copy.deepcopy(value)
    holder = made
    for step in way[:-1]:
        holder = holder[step]
    if new is ...:
        del holder[way[-1]]
    else:
        holder[way[-1]] = new
    return encode(made)


@pytest.mark.parametrize("collection", [name for name in COPIED if name != "events"])
def test_no_body_breaks_the_verification(collection: str) -> None:
    """Every key of every sort of body, left out and put otherwise, once."""
    seen: set[tuple[str | int, ...]] = set()
    with ds.create("memory:") as archive:
        filled(archive)
        for row in rows(archive, collection):
            value = decode(row.body)
            for way in keys_of(value):
                if way in seen:
                    continue
                seen.add(way)
                for new in (..., 7, "x", [{}]):
                    (now,) = archive.repository.get_many([Key(collection, row.id)])
                    assert now is not None
                    body = altered(value, way, new)
                    archive.repository.commit(put(now, body))
                    archive.verify()
                    (now,) = archive.repository.get_many([Key(collection, row.id)])
                    assert now is not None
                    archive.repository.commit(put(now, row.body))
        assert archive.verify().sound, "as it was"


def spoil(lines: list[bytes]) -> list[bytes]:
    """A line in the middle of a lane, changed in place."""
    assert len(lines) > 3
    return [*lines[:2], lines[2].replace(b'"outcome":"allowed"', b'"outcome":"refused"'), *lines[3:]]


def read_lane(tmp_path: Path) -> tuple[DeskPlace, Path]:
    """An archive at rest, and the one file with what was read in it."""
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        filled(archive)
    (lane,) = [path for path in Path(f"{place.url}.lanes").iterdir() if path.stat().st_size]
    return place, lane


@pytest.mark.parametrize("folded", [False, True])
def test_a_lane_of_reads_is_walked_as_a_file_and_as_rows(folded: bool, tmp_path: Path) -> None:
    place, lane = read_lane(tmp_path)
    if folded:
        with place.open() as archive:
            held = [row for row in rows(archive, "events") if row.id.startswith("r")]
            bodies = spoil([row.body for row in held])
            archive.repository.commit(both(*(put(row, body) for row, body in zip(held, bodies, strict=True))))
            problems = archive.verify().problems
    else:
        lane.write_bytes(b"".join(spoil(lane.read_bytes().splitlines(keepends=True))))
        with place.open(mode="r", reads=str(lane.parent)) as archive:
            problems = archive.verify().problems
    assert [(problem.code, problem.path.rpartition("/")[2]) for problem in problems] == [("verify.ledger", "3")]


@pytest.mark.parametrize("folded", [False, True])
def test_a_lane_of_reads_without_its_end_is_a_gap(folded: bool, tmp_path: Path) -> None:
    place, lane = read_lane(tmp_path)
    with place.open(mode="r", reads=str(lane.parent)) as archive:
        assert archive.verify().gaps == ()
    lane.write_bytes(b"".join(lane.read_bytes().splitlines(keepends=True)[:-2]))
    with place.open(**({} if folded else {"mode": "r", "reads": str(lane.parent)})) as archive:
        found = archive.verify()
        assert found.sound and [gap.partition("/")[0] for gap in found.gaps] == ["events"]
        archive.acting_as("陈静", role="manager", purpose="manage").count()
        assert archive.verify().gaps == found.gaps, "who is at work has not closed yet"
