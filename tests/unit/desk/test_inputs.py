"""Bad input at the desk: a typed error with code, path, both languages and a remedy, and nothing half-written."""

from __future__ import annotations

import copy
import os
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dossier as ds
from dossier.testing.crash import can_fork, child
from dossier.testing.desk_place import DeskPlace

E = ds.errors


def manager(archive: ds.Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def problems_of(error: E.DossierError) -> list[tuple[str, str]]:
    return [(p.code, p.path) for p in getattr(error, "problems", ())]


CHANGES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "wrong type": (ds.change("basic", name=5), [("value.type", "basic/name")]),
    "unknown field": (ds.change("basic", industrie="x"), [("field.unknown", "basic/industrie")]),
    "unknown section": (ds.change("basics", name="x"), [("section.unknown", "basics")]),
    "none": (ds.change("basic", name=None), [("value.none", "basic/name")]),
    "withheld": (ds.change("basic", scope=ds.WITHHELD), [("value.withheld", "basic/scope")]),
    "surrogate": (ds.change("basic", scope="\ud800"), [("value.surrogate", "basic/scope")]),
    "nul": (ds.change("basic", scope="a\0b"), [("value.nul", "basic/scope")]),
    "seventy digits": (
        ds.change("basic", registered_capital="9" * 70), [("value.number_long", "basic/registered_capital")]
    ),
    "ten megabytes": (ds.change("basic", scope="x" * 10_000_000), [("value.too_long", "basic/scope")]),
    "impossible date": (ds.change("basic", founded="2026-02-30"), [("value.date", "basic/founded")]),
    "float money": (ds.change("basic", registered_capital=1.5), [("value.float_money", "basic/registered_capital")]),
    "computed": (ds.change("transaction_status", total="5"), [("field.computed", "transaction_status/total")]),
    "text for a set": (ds.change("basic", short_names="甲"), [("value.container", "basic/short_names")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_changes(name: str, place: DeskPlace) -> None:
    change, wanted = CHANGES[name]
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        before = archive.digest()
        calls: list[Callable[[], object]] = [
            lambda: desk.register("乙", change, kind="organization"),
            lambda: desk.update(file, change),
            lambda: desk.enter(file, ds.record("visit", at="2026-01-01"), change),
            lambda: desk.collect(file.number, change),
        ]
        for call in calls:
            with pytest.raises(E.InputError) as caught:
                call()
            found = problems_of(caught.value)
            assert [path for _, path in found] == [path for _, path in wanted]
            assert [code.partition("_")[0] for code, _ in found] == [code.partition("_")[0] for code, _ in wanted]
            for problem in caught.value.problems:
                assert problem.zh and problem.en and problem.fix_zh and problem.fix_en
        assert archive.digest() == before


def test_all_problems_in_one_pass_and_the_nearest_name(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        with pytest.raises(E.InputError) as caught:
            desk.register(
                "甲", ds.change("basic", industrie="x", founded="2026-13-01"), ds.change("characteristics", sales="?"),
                kind="organization", valid_from="gestern", told_by="x" * 300,
            )  # fmt: skip
        assert {path for _, path in problems_of(caught.value)} >= {
            "basic/industrie", "basic/founded", "characteristics/sales", "valid_from", "told_by",
        }  # fmt: skip
        assert "industry" in str(caught.value)
        with pytest.raises(E.InputError) as caught:
            desk.register("甲", kind="organization", chanel="form")  # type: ignore[call-arg]
        assert problems_of(caught.value) == [("field.unknown", "chanel")] and "channel" in str(caught.value)


def test_options(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        other = desk.register("乙", kind="person")
        row = desk.enter(file, ds.record("order", at="2026-01-01", amount=5))
        (view,) = desk.consult(file).records()
        before = archive.digest()
        said = ds.change("basic", scope="x")
        calls: list[Callable[[], object]] = [
            lambda: desk.register("丙", kind="company"),
            lambda: desk.register("丙", kind="person", stage="old", standing="none"),
            lambda: desk.update(file),
            lambda: desk.enter(file),
            lambda: desk.update(file, "basic"),  # type: ignore[arg-type]
            lambda: desk.update(file, said, said),
            lambda: desk.update(file, said, request_id=""),
            lambda: desk.update(file, said, request_id="x" * 201),
            lambda: desk.update(file, said, channel="\ud800"),
            lambda: desk.update(file, said, evidence=["x" * 201]),
            lambda: desk.update(file, said, evidence=None),  # type: ignore[arg-type]
            lambda: desk.update(file, said, observed="2027-01-01"),
            lambda: desk.update(file, said, valid_from="2026-02-02", valid_to="2026-02-01"),
            lambda: desk.update(file, said, because="x\0"),
            lambda: desk.update(file, stage="destroyed!"),
            lambda: desk.update(file, ds.change("record:order", amount=5)),
            lambda: desk.update(file, ds.change("basic", phones=ds.edit(change={"nokey": {"use": "fax"}}))),
            lambda: desk.collect(file, ds.change("basic", scope=ds.UNSET)),
            lambda: desk.enter(file, ds.record("oder", at="2026-01-01")),
            lambda: desk.enter(file, ds.record("order", amount=1.5)),
            lambda: desk.follow_up(view, state="eaten"),
            lambda: desk.follow_up(view, note="\ud800"),
            lambda: desk.follow_up(row.records[0]),  # type: ignore[arg-type]
            lambda: desk.find(limit=0),
            lambda: desk.find(limit=1001),
            lambda: desk.find(name=""),
            lambda: desk.history(file, known=0),
            lambda: desk.history(file, known="gestern"),
            lambda: desk.history(file, on="2026-02-30"),
            lambda: desk.merges.merge(file, file),
            lambda: desk.merges.merge(file, other),
            lambda: desk.merges.unmerge(file, other),
            lambda: desk.relations.add(file, other, kind=""),
            lambda: desk.claims.settle(file, "basic/key_persons[x]", same=True),
            lambda: archive.acting_as("甲", role="皇帝"),
            lambda: archive.acting_as("甲", role="sales", purpose="fun"),
            lambda: ds.create(f"{place.url}.x", zone="Mars/Olympus"),
            lambda: ds.create(f"{place.url}.x", roles={"x": "king"}),
            lambda: ds.create(f"{place.url}.x", numbers="no serial"),
            lambda: ds.create(f"{place.url}.x", level="never"),  # type: ignore[arg-type]
        ]  # fmt: skip
        for number, call in enumerate(calls):
            with pytest.raises(E.InputError) as caught:
                call()
            assert caught.value.problems, number
            assert archive.digest() == before, number
        for call in (lambda: desk.consult("KH-1-1"), lambda: desk.update("0" * 32, said), lambda: desk.consult(5)):  # type: ignore[arg-type]
            with pytest.raises(E.NotFoundError):
                call()


def test_places(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with pytest.raises(E.MissingArchiveError):
        ds.open(str(path))
    ds.create(str(path)).close()
    with pytest.raises(E.ExistsError):
        ds.create(str(path))
    with pytest.raises(E.UnknownSchemeError) as unknown:
        ds.open("mysql://x/y")
    assert "pip install" in unknown.value.fix("en")
    (tmp_path / "text.db").write_text("not a database " * 100)
    with pytest.raises(E.NotAnArchiveError):
        ds.open(str(tmp_path / "text.db"))
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("create table t (x)")
    other.commit()
    other.close()
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(E.NotAnArchiveError):
        ds.open(str(tmp_path / "other.db"))
    assert (tmp_path / "other.db").read_bytes() == before
    with pytest.raises(E.ExistsError):
        ds.create(str(tmp_path / "other.db"))


def test_read_only_archive(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        file = manager(archive).register("甲", kind="organization")
    reads = tmp_path / "reads"
    reads.mkdir()
    with place.open(mode="r", reads=str(reads)) as archive:
        desk = manager(archive)
        assert desk.consult(file.number).basic.name == "甲"
        assert [hit.number for hit in desk.find(name="甲")] == [file.number]
        for call in (
            lambda: desk.update(file, ds.change("basic", scope="x")), lambda: desk.register("乙", kind="person"),
            lambda: archive.staff.enrol("新人", roles=["service"]),
            lambda: archive.staff.dismiss("陈静", role="manager"),
            lambda: desk.enter(file, ds.record("visit", at="2026-01-01")),
        ):  # fmt: skip
            with pytest.raises(E.ReadOnlyError):
                call()
        assert desk.ledger.verify().events > 3
    assert any(reads.iterdir()), "the reads stand elsewhere"
    with place.open() as archive:
        assert [act.verb for act in manager(archive).history(file.number)] == ["register"]


def test_second_writer(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create(options={"timeout": 0.1}) as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        holder = sqlite3.connect(place.url, isolation_level=None)
        holder.execute("begin immediate")
        with pytest.raises(E.LockedError):
            desk.update(file, ds.change("basic", scope="x"))
        holder.execute("rollback")
        holder.close()
        assert desk.update(file, ds.change("basic", scope="y")).basic.scope == "y"  # type: ignore[union-attr]
        desk.ledger.verify()


def test_full(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create(options={"max_pages": 120}) as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")

        def fill() -> None:
            for number in range(2000):
                desk.update(file.id, ds.change("basic", scope=f"{number}" + "满" * 3000))

        with pytest.raises(E.StorageFullError):
            fill()
        kept = desk.history(file.id)
        acts = [act.revision for act in kept]
        assert acts == list(range(1, len(acts) + 1))
    with place.open() as archive:
        desk = manager(archive)
        assert desk.consult(file.id).revision == len(acts)
        desk.update(file.id, ds.change("basic", scope="x"))
        desk.ledger.verify()


@pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
def test_fork(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")

        def act(say: Any) -> None:
            for call in (lambda: desk.consult(file), lambda: desk.update(file, ds.change("basic", scope="x"))):
                try:
                    call()
                    say("worked")
                except E.ForkedError as error:
                    say(error.code)

        with child(act) as (_, lines):
            assert list(lines) == ["repository.forked", "repository.forked", "end"]
        assert desk.consult(file).revision == 1
    assert os.getpid()


def test_pickle_and_copy(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        for one in (archive, desk, file):
            for way in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(E.NotPicklableError):
                    way(one)
        closed = desk
    with pytest.raises(E.ClosedError):
        closed.consult(file)
    archive.close()


def test_levels(place: DeskPlace) -> None:
    with place.create(level="durable") as archive:
        file = manager(archive).register("甲", kind="organization").number
        manager(archive).consult(file)
    for level in ("committed", "session"):
        with place.open(level=level) as archive:
            desk = manager(archive)
            desk.consult(file)
            lines = desk.ledger.tail(limit=50)
            assert sum(line.verb == "consult" for line in lines) >= 2
    with place.open() as archive:
        report = manager(archive).ledger.verify()
        closed = [lane for lane in report.lanes if lane.lane.startswith("r") and lane.closed]
        assert len(closed) == 3, "each session that was closed says so"


def test_a_session_that_was_not_closed_is_a_gap(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        file = manager(archive).register("甲", kind="organization").number

    def act(say: Any) -> None:
        archive = place.open(level="session")
        for _ in range(3):
            manager(archive).consult(file)
        say("read")
        os._exit(0)

    with child(act) as (_, lines):
        assert list(lines) == ["read"]
    with place.open() as archive:
        report = manager(archive).ledger.verify()
        unclosed = [lane for lane in report.lanes if lane.lane.startswith("r") and not lane.closed]
        assert len(unclosed) == 2, "the one that was cut short, and this one"
