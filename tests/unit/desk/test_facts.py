"""Facts computed from records, in views and as what files are found and ordered by."""

from __future__ import annotations

import pytest

import dossier as ds
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
