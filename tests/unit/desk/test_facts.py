"""Facts computed from records, in views and as what files are found and ordered by."""

from __future__ import annotations

import pytest

import dossier as ds
from dossier.repository import Batch, Index
from dossier.testing.desk_place import DeskPlace

E = ds.errors


def desk_of(archive: ds.Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def test_an_amount_that_no_sum_could_count_is_refused(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲公司", kind="organization")
        for amount in ("9223372036854.775808", "-9223372036854.775808", "100000000000000000"):
            with pytest.raises(E.InputError, match=r"record\.amount"):
                desk.enter(file, ds.record("order", at="2026-03-01", amount=amount))
        with pytest.raises(E.InputError, match=r"record\.amount"):
            desk.collect(file, ds.record("payment", amount="9999999999999"))
        for _ in range(2):
            desk.enter(file, ds.record("order", at="2026-03-01", amount="9223372036854.775807"))
        assert desk.consult(file).transaction_status.total == ds.Money("18446744073709.551614")
        found = desk.find(where=ds.field("transaction_status/total") >= 1000, order="-transaction_status/total")
        assert [hit.number for hit in found] == [file.number]


@pytest.mark.row("M37")
def test_arrears_are_open_receivables_less_payments(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲公司", kind="organization")

        def trade() -> object:
            status = desk.consult(file).transaction_status
            return status.arrears, status.credit_problems

        desk.enter(file, ds.record("payment", at="2026-03-01", amount="40"))
        assert trade() == (None, None)
        first, _ = desk.enter(file, ds.record("receivable", amount="100"), ds.record("receivable", amount="60")).records
        assert trade() == (ds.Money(120), None)
        desk.enter(file, ds.record("payment", at="2026-03-02", amount="120"), ds.record("payment", amount="USD 5"))
        assert trade() == (ds.Money(0), None)
        (row,) = [row for row in desk.consult(file).records("receivable") if row.id == first]
        with pytest.raises(E.InputError, match=r"record\.state"):
            desk.follow_up(row, state="paid")
        desk.enter(file, ds.record("receivable", amount="70"))
        assert trade() == (ds.Money(70), None)
        (open_, *_) = [row for row in desk.consult(file).records("receivable") if row.id != first]
        desk.follow_up(open_, state="cancelled")
        desk.follow_up(row, state="written_off")
        assert trade()[1] == 1


def test_facts_refreshed_meanwhile_are_not_put_back(place: DeskPlace) -> None:
    """What a linked set is found by is written anew with each change; its totals are not taken from before."""
    with place.create() as archive:
        desk = desk_of(archive)
        one, other = desk.register("甲公司", kind="organization"), desk.register("甲", kind="organization")
        desk.merges.merge(one, other)
        with desk.unit() as unit:
            unit.update(one.number, ds.change("basic", industry="茶叶"))
            desk.enter(one.number, ds.record("order", at="2026-03-01", amount="300"))
        assert desk.count(ds.field("transaction_status/total") >= 300) == 1
        assert desk.count(ds.field("basic/industry") == "茶叶") == 1


def test_a_linked_set_is_found_by_its_common_totals(place: DeskPlace) -> None:
    total = ds.field("transaction_status/total")
    with place.create() as archive:
        desk = desk_of(archive)
        one, other, third = (desk.register(name, kind="organization") for name in ("甲公司", "甲", "乙"))

        def found(least: int) -> list[str]:
            return [hit.number for hit in desk.find(where=total >= ds.Money(least), order="-transaction_status/total")]

        desk.enter(one, ds.record("order", at="2026-03-01", amount="300"))
        desk.enter(other, ds.record("order", at="2026-03-01", amount="400"))
        desk.enter(third, ds.record("order", at="2026-03-01", amount="500"))
        merged = desk.merges.merge(one, other)
        assert found(500) == [one.number, third.number] and merged.number == one.number
        desk.enter(other, ds.record("order", at="2026-03-02", amount="100"))
        assert found(800) == [one.number] == [hit.number for hit in desk.find(where=total == ds.Money(800))]
        desk.merges.merge(third, one)
        assert found(1300) == found(1) == [third.number]
        desk.merges.unmerge(one, other)
        assert found(800) == [third.number] and found(1) == [third.number, other.number]
        desk.merges.unmerge(third, one)
        assert found(1) == [other.number, third.number, one.number] or found(1) == [
            third.number,
            other.number,
            one.number,
        ]
        assert found(501) == []


def test_reindexing_mends_what_files_are_ordered_by(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲公司", kind="organization")
        desk.enter(file, ds.record("order", at="2026-03-01", amount="300"))
        times = ds.field("transaction_status/times") == 1
        lost = Index("dossiers", file.id, {"transaction_status_times": None}, 2)
        archive.repository.commit(Batch((lost,)))
        assert desk.count(times) == 0
        archive.reindex()
        assert desk.count(times) == 1


def test_merged_files_are_found_once_by_what_they_show_apart(place: DeskPlace) -> None:
    taboo, number = ds.field("preferences/taboos"), ds.field("basic/id_number")
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="custodian", purpose="serve")
        one, other, third = (desk.register(name, kind="person") for name in ("单雄信", "雄信", "信"))
        desk.update(
            other, ds.change("preferences", taboos=["花生", "虾"]), ds.change("basic", id_number="11010519491231002X")
        )
        desk.merges.merge(one, other)
        assert [hit.number for hit in desk.find(where=taboo == "花生")] == [one.number], (
            "it has no such field of its own"
        )
        desk.update(third, ds.change("preferences", taboos=["花生"]))
        desk.update(one.number, ds.change("preferences", taboos=["花生", "蒜"]))
        numbers, after = [], None
        while True:
            page = desk.find(where=taboo == "花生", limit=1, after=after)
            numbers += [hit.number for hit in page]
            after = page.cursor
            if after is None:
                break
        assert sorted(numbers) == [one.number, third.number] and desk.count(taboo == "花生") == 2
        assert desk.count(taboo == "蒜") == desk.count(taboo == "虾") == 1

        desk.update(one.number, ds.change("basic", id_number="110105194912310038"), channel="document")
        assert desk.count(number == "11010519491231002X") == 0, "a value that is not shown is not found"
        assert desk.count(number == "110105194912310038") == 1
        desk.update(other.number, ds.change("preferences", taboos=ds.edit(add=["酒"])))
        assert desk.count(taboo == "酒") == 1
        assert archive.reindex() == 3 and desk.count(taboo == "酒") == 1 and desk.count(taboo == "花生") == 2
        desk.merges.unmerge(one, other)
        assert [hit.number for hit in desk.find(where=taboo == "酒")] == [other.number]
        assert desk.count(taboo == "花生") == 3 and desk.count(taboo == "蒜") == 1
        assert [hit.number for hit in desk.find(where=number == "11010519491231002X")] == [other.number]


def test_what_is_merged_stays_aside_when_it_says_something_apart_later(place: DeskPlace) -> None:
    taboo = ds.field("preferences/taboos")
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="custodian", purpose="serve")
        one, other = desk.register("单雄信", kind="person"), desk.register("雄信", kind="person")
        desk.merges.merge(one, other)
        desk.update(other, ds.change("preferences", taboos=["花生"]))
        with desk.unit() as unit:
            unit.update(one.number, ds.change("preferences", taboos=["虾"]))
            unit.update(other.number, ds.change("preferences", taboos=["蒜"]))
        for value in ("花生", "虾", "蒜"):
            assert [hit.number for hit in desk.find(where=taboo == value)] == [one.number]
            assert desk.count(taboo == value) == 1
        assert desk.merges.unmerge(one, other).preferences.taboos == ("虾",)
        assert set(desk.consult(other).preferences.taboos) == {"花生", "蒜"}
        assert [hit.number for hit in desk.find(where=taboo == "蒜")] == [other.number]


def test_a_file_is_found_by_what_is_valid_today(place: DeskPlace) -> None:
    industry = ds.field("basic/industry")
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲公司", ds.change("basic", industry="零售"), kind="organization")
        other = desk.register("甲", kind="organization")
        desk.merges.merge(file, other)
        alone = desk.register("乙公司", ds.change("basic", industry="零售"), kind="organization")
        for each in (file, alone):
            desk.update(each, ds.change("basic", industry="批发"), channel="visit", valid_to="2026-03-09")
        assert desk.count(industry == "批发") == 2 and desk.count(industry == "零售") == 0
        place.clock.forward(days=6)
        assert desk.count(industry == "批发") == 2
        place.clock.forward(days=2)
        assert desk.count(industry == "零售") == 2 and desk.count(industry == "批发") == 0
        assert {hit.basic.industry.code for hit in desk.find(where=industry == "零售")} == {"零售"}
        desk.update(alone.number, ds.change("basic", industry="物流"), channel="visit", valid_from="2026-03-12")
        assert desk.count(industry == "物流") == 0
    place.clock.forward(days=3)
    with place.open() as archive:
        desk = desk_of(archive)
        assert [hit.number for hit in desk.find(where=industry == "物流")] == [alone.number]


def test_what_a_write_answers_has_computed_facts(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file, other = desk.register("甲公司", kind="organization"), desk.register("甲", kind="organization")
        desk.enter(file, ds.record("order", at="2026-03-01", amount="300"))
        answer = desk.update(file, ds.change("basic", industry="茶叶"), request_id="一")
        assert answer.transaction_status.total == ds.Money(300)
        assert answer.token == desk.consult(file).token
        again = desk.update(file, ds.change("basic", industry="茶叶"), request_id="一")
        assert again.token == answer.token and len(again.records()) == 1
        desk.enter(other, ds.record("order", at="2026-03-01", amount="50"))
        merged = desk.merges.merge(file, other)
        assert merged.transaction_status.total == ds.Money(350)
        assert merged.token == desk.consult(file).token
        with desk.unit() as unit:
            fresh = unit.register("丙", kind="organization")
            assert fresh.transaction_status.total is None and fresh.token


def test_a_past_view_says_nothing_of_records(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲公司", kind="organization")
        desk.enter(file, ds.record("order", at="2026-03-01", amount="300"))
        for past in (desk.history(file, known=1).view, desk.history(file, on="2026-03-02").view):
            assert past.transaction_status.total is None
            with pytest.raises(E.InputError, match=r"history\.records"):
                past.records()
        assert len(desk.history(file).view.records()) == 1
