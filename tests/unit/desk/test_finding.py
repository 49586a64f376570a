"""Finding: refusals, cursors, both compartments, what a linked file is found by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dossier as ds
from dossier.testing.desk_place import DeskPlace

E = ds.errors


@pytest.mark.row("M2")
def test_find_by_part_and_by_field(place: DeskPlace) -> None:
    with place.create(indexes=[("basic/industry", "transaction_status/total")]) as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        for number in range(7):
            file = desk.register(
                f"第{number}公司",
                ds.change(
                    "basic",
                    industry="tea" if number % 2 else "toys",
                    addresses=[{"text": f"郑州市{number}号", "region": "河南"}],
                ),
                kind="organization",
            )
            desk.enter(file, ds.record("order", at="2026-02-01", amount=number * 10))  # fmt: skip
        assert len(desk.find(name="公司")) == 7 and len(desk.find(name="第3")) == 1 and not len(desk.find(name="无"))
        tea = ds.field("basic/industry") == "tea"
        rich = ds.field("transaction_status/total") >= 30
        found = desk.find(where=tea & rich, order="-transaction_status/total")
        assert [hit.transaction_status.total for hit in found] == [ds.Money(50), ds.Money(30)]
        assert desk.count(tea) == 3 and desk.count(~tea) == 4 and desk.count(tea | rich) == 5 and desk.count() == 7
        assert desk.count(ds.field("basic/industry").one_of()) == 0
        assert desk.count(ds.field("basic/addresses/region") == "河南") == 7
        assert desk.count(ds.field("basic/addresses").contains("郑州市3")) == 1
        assert desk.count(ds.field("number").starts_with("KH-2026-")) == 7
        assert desk.count(ds.field("basic/credit_code").absent()) == 7
        joined, after = [], None
        while True:
            page = desk.find(where=~tea, order="basic/name", limit=3, after=after)
            joined += [hit.number for hit in page]
            after = page.cursor
            if after is None:
                break
        assert joined == [hit.number for hit in desk.find(where=~tea, order="basic/name", limit=100)]


def test_a_cursor_belongs_to_one_actor_and_one_query(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        for number in range(4):
            desk.register(f"公司{number}", kind="organization")
        cursor = desk.find(limit=2).cursor
        assert cursor is not None and len(desk.find(limit=2, after=cursor)) == 2
        other = archive.acting_as("王芳", role="manager", purpose="manage")
        calls: list[Callable[[], object]] = [
            lambda: other.find(limit=2, after=cursor),
            lambda: desk.find(name="公司", limit=2, after=cursor),
            lambda: desk.find(limit=2, after=cursor[:-2] + "xx"),
            lambda: desk.find(limit=2, after="没有"),
        ]
        for call in calls:
            with pytest.raises(E.CursorError):
                call()


@pytest.mark.row("M130")
def test_a_field_that_may_not_be_read_is_refused_not_dropped(place: DeskPlace) -> None:
    with place.create() as archive:
        manager = archive.acting_as("陈静", role="manager", purpose="manage")
        file = manager.register("单雄信", ds.change("preferences", taboos=["花生"]), kind="person")
        taboo = ds.field("preferences/taboos") == "花生"
        assert [hit.number for hit in manager.find(where=taboo)] == [file.number]
        service = archive.acting_as("王芳", role="service", purpose="serve")
        assert service.count(taboo) == 1
        blind = archive.acting_as("王芳", role="service")
        name = ds.field("basic/name") == "单雄信"
        calls: list[Callable[[], object]] = [
            lambda: blind.find(where=taboo), lambda: blind.find(where=name & ~taboo), lambda: blind.count(taboo),
            lambda: blind.find(where=taboo | name), lambda: blind.claims.of(file, "preferences/taboos"),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(E.ReadableFieldError) as caught:
                call()
            assert "花生" not in str(caught.value)
        with pytest.raises(E.InputError):
            manager.find(where=taboo & name)
        for wrong in ("basic/nam", "basic/scope", "total"):
            with pytest.raises(E.InputError):
                manager.find(where=ds.field(wrong) == "x")
        with pytest.raises(E.InputError):
            manager.find(order="basic/short_names")
        with pytest.raises(TypeError):
            bool(taboo)
        refusals = [line for line in manager.ledger.tail(limit=100) if line.outcome == "refused"]
        assert len(refusals) >= 4


def test_a_linked_file_is_found_once_by_what_it_shows(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        taboo = ds.change("preferences", taboos=["花生"])
        one = desk.register("甲公司", taboo, kind="organization", channel="form")
        two = desk.register("乙公司", taboo, kind="organization", channel="document")
        desk.merges.merge(one, two)
        assert [hit.number for hit in desk.find(name="乙")] == [one.number] and not len(desk.find(name="甲"))
        assert len(desk.find(where=ds.field("preferences/taboos") == "花生")) == 1
        desk.update(two.number, ds.change("basic", industry="tea"))
        assert [hit.number for hit in desk.find(where=ds.field("basic/industry") == "tea")] == [one.number]
        archive.reindex()
        assert [hit.number for hit in desk.find(name="乙")] == [one.number]
        desk.merges.unmerge(one.number, two.number)
        assert [hit.number for hit in desk.find(name="甲")] == [one.number]
        assert [hit.number for hit in desk.find(where=ds.field("basic/industry") == "tea")] == [two.number]
