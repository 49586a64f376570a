"""Rights of those who only collect; units as users meet them; request ids that stand for one thing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import dossier as ds
from dossier import errors as E


@pytest.fixture
def archive() -> Iterator[ds.Archive]:
    with ds.create("memory:", zone="Asia/Shanghai") as made:
        yield made


@pytest.fixture
def desk(archive: ds.Archive) -> ds.Desk:
    return archive.acting_as("经理", role="manager", purpose="manage")


@pytest.fixture
def company(desk: ds.Desk) -> ds.DossierView:
    said = ds.change("basic", key_persons=[{"name": "李明", "title": "经理"}])
    return desk.register("公司", said, kind="organization")


@pytest.mark.row("M75")
@pytest.mark.parametrize("edit", [{"title": ds.UNSET}, {"roles": ds.edit(remove=["owner"])}])
def test_a_collector_withdraws_nothing_inside_a_part(archive: ds.Archive, company: ds.DossierView, edit: dict) -> None:
    sales = archive.acting_as("业务员", role="sales")
    key = company.basic.key_persons[0].key  # type: ignore[union-attr]
    said = ds.change("basic", key_persons=ds.edit(change={key: edit}))
    with pytest.raises(E.DeniedError):
        sales.update(company.number, said)
    with pytest.raises(E.InputError):
        sales.collect(company.number, said)


@pytest.mark.parametrize(
    "said",
    [ds.change("basic", key_persons=ds.edit(change={"zz": {"title": "x"}})), ds.change("basic", born="1990-01-01")],
)
def test_what_the_file_does_not_take_is_answered_alike(
    archive: ds.Archive, company: ds.DossierView, said: ds.Change
) -> None:
    sales = archive.acting_as("业务员", role="sales")
    for number in (company.number, "KH-1999-00001"):
        assert isinstance(sales.collect(number, said), ds.Receipt)
    assert len(list(archive.repository.scan("unplaced"))) == 2


def test_a_collector_learns_no_state_of_a_record(
    archive: ds.Archive, desk: ds.Desk, company: ds.DossierView
) -> None:
    entered = desk.enter(company, ds.record("complaint", at="2026-01-01", text="迟到"))
    sales = archive.acting_as("业务员", role="sales")
    view = sales.follow_up(ds.RecordRef(company.id, entered.records[0]), note="又来电话")
    assert (view.state, view.entries, view.opened) == ("", 0, "") and view.content.text is ds.WITHHELD
    with pytest.raises(E.DeniedError):
        sales.follow_up(ds.RecordRef(company.id, entered.records[0]), state="answered")
    with pytest.raises(E.InputError):
        desk.follow_up(ds.RecordRef(company.id, entered.records[0]))


def test_a_unit_sees_itself_nests_and_ends(desk: ds.Desk) -> None:
    with desk.unit() as unit:
        number = unit.register("新", kind="person").number
        assert ds.reveal(unit.consult(number).basic.name) == "新"
        assert unit.update(number, ds.change("basic", title="经理")).basic.title == "经理"  # type: ignore[union-attr]
        with unit.unit() as inner:
            inner.register("内", kind="person")
    assert desk.count() == 2
    with pytest.raises(E.UnitEndedError):
        unit.register("迟", kind="person")
    assert desk.count() == 2


def test_what_a_nested_unit_said_goes_with_the_outer_one(desk: ds.Desk) -> None:
    with pytest.raises(RuntimeError), desk.unit() as unit:
        with unit.unit() as inner:
            inner.register("内", kind="person")
        raise RuntimeError
    assert desk.count() == 0


@pytest.mark.law("K5")
def test_K5_a_stale_view_in_a_unit_is_a_conflict(desk: ds.Desk, company: ds.DossierView) -> None:
    desk.update(company.number, ds.change("basic", name="丙"))
    with pytest.raises(E.ConflictError) as caught, desk.unit() as unit:
        unit.update(company, ds.change("basic", name="丁"))
    assert caught.value.fields == ("basic/name",)
    with desk.unit() as unit:
        fresh = unit.update(desk.consult(company), ds.change("basic", name="戊"))
        unit.update(fresh, ds.change("basic", name="己"))
    assert desk.consult(company).basic.name == "己"


@pytest.mark.law("K5")
def test_K5_a_request_id_stands_for_one_thing(archive: ds.Archive, desk: ds.Desk) -> None:
    first = desk.register("甲", kind="person", request_id="r")
    colleague = archive.acting_as("同事", role="service")
    assert colleague.register("甲", kind="person", request_id="r").number == first.number
    with pytest.raises(E.InputError) as caught:
        desk.register("乙", kind="person", request_id="r")
    assert [p.code for p in caught.value.problems] == ["request.reused"]
    with desk.unit() as unit:
        one = unit.register("丙", kind="person", request_id="u")
        assert unit.register("丙", kind="person", request_id="u").number == one.number
    assert desk.count() == 2


def test_claims_in_a_unit_stand_on_what_it_said_before(desk: ds.Desk, company: ds.DossierView) -> None:
    (old,) = desk.claims.of(company, "basic/name")
    with desk.unit() as unit:
        unit.update(company.number, ds.change("basic", name="乙"), channel="document")
        unit.claims.dispute(old)
    view = desk.consult(company)
    assert view.basic.name == "乙"
    assert desk.history(company, on="2999-01-01").view.basic.name == "乙"


@pytest.mark.parametrize(
    "call",
    [
        lambda desk, view: desk.update(view, {"basic": {}}),
        lambda desk, view: desk.enter(view, "order"),
        lambda desk, view: desk.register("x", kind=["person"]),
        lambda desk, view: desk.update(view, stage=["active"]),
        lambda desk, view: desk.update(view, stage="destroyed"),
    ],
)
def test_what_is_no_change_is_an_input_error(desk: ds.Desk, company: ds.DossierView, call: object) -> None:
    with pytest.raises(E.InputError):
        call(desk, company)  # type: ignore[operator]
