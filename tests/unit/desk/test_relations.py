"""Relations: of linked files, many of them, ended, asked for twice."""

from __future__ import annotations

import pytest

import dossier as ds
from dossier.model.records import Relation
from dossier.testing.desk_place import DeskPlace

E = ds.errors


def desk_of(archive: ds.Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


@pytest.mark.row("M44")
def test_a_linked_set_has_the_ties_of_all_its_files(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        one, other, boss = (desk.register(name, kind="person") for name in ("单雄信", "雄信", "秦琼"))
        desk.relations.add(other, boss, kind="works_for")
        desk.relations.add(other, one, kind="colleague")
        desk.merges.merge(one, other)
        for file in (one.id, other.number):
            (tie,) = desk.relations.of(file)
            assert (tie.a, tie.b, tie.kind) == (one.id, boss.id, "works_for")
        desk.merges.unmerge(one, other)
        assert len(desk.relations.of(other)) == 2 and len(desk.relations.of(one)) == 1


def test_no_tie_is_left_out_however_many_there_are(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        hub = desk.register("甲公司", kind="organization")
        with desk.unit() as unit:
            other = unit.register("乙", kind="person")
            for _ in range(230):
                unit.relations.add(hub, other, kind="employs")
        assert len({tie.id for tie in desk.relations.of(hub)}) == 230


def test_a_tie_ends_on_a_day_and_keeps_what_was_said_before(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        one, other = desk.register("单雄信", kind="person"), desk.register("秦琼", kind="person")
        with pytest.raises(E.InputError, match=r"relation\.span"):
            desk.relations.add(one, other, kind="partner", since="2026-02-01", until="2026-01-31")
        desk.relations.add(one, other, kind="employs", since="2026-02-01", note="瓦岗")
        (tie,) = desk.relations.of(other)
        with pytest.raises(E.InputError, match=r"relation\.span"):
            desk.relations.end(tie, until="2026-01-31")
        for _ in range(2):
            ended = desk.relations.end(tie, until="2026-03-01", request_id="一", because="离职")
            assert (ended.a, ended.kind, ended.until) == (other.id, "works_for", "2026-03-01")
        (seen,) = desk.relations.of(one)
        assert (seen.id, seen.kind, seen.since, seen.until) == (tie.id, "employs", "2026-02-01", "2026-03-01")
        (row,) = archive.repository.scan("relations")
        assert row.version == 2 and b'"before":[{' in row.body
        for unknown in ("", "0" * 32):
            with pytest.raises(E.NotFoundError):
                desk.relations.end(Relation(id=unknown, a=one.id, b=other.id, kind="x"), until="2026-03-01")


def test_a_request_remembers_no_word_of_what_was_said(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        one, other = desk.register("单雄信", kind="person"), desk.register("秦琼", kind="person")
        ties = [desk.relations.add(one, other, kind="friend", note="贾家楼", request_id="一") for _ in range(2)]
        assert ties[0] == ties[1] and ties[0].note == "贾家楼"
        assert not any("贾家楼".encode() in row.body for row in archive.repository.scan("requests"))
