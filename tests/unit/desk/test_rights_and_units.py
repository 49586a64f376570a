"""Rights of those who only collect; units as users meet them; request ids that stand for one thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import dossier as ds
from dossier import errors as error


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
    with pytest.raises(error.DeniedError):
        sales.update(company.number, said)
    with pytest.raises(error.InputError):
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


def test_a_collector_learns_no_state_of_a_record(archive: ds.Archive, desk: ds.Desk, company: ds.DossierView) -> None:
    entered = desk.enter(company, ds.record("complaint", at="2026-01-01", text="迟到"))
    sales = archive.acting_as("业务员", role="sales")
    view = sales.follow_up(ds.RecordRef(company.id, entered.records[0]), note="又来电话")
    assert (view.state, view.entries, view.opened) == ("", 0, "") and view.content.text is ds.WITHHELD
    with pytest.raises(error.DeniedError):
        sales.follow_up(ds.RecordRef(company.id, entered.records[0]), state="answered")
    with pytest.raises(error.InputError):
        desk.follow_up(ds.RecordRef(company.id, entered.records[0]))


def test_a_unit_sees_itself_nests_and_ends(desk: ds.Desk) -> None:
    with desk.unit() as unit:
        number = unit.register("新", kind="person").number
        assert ds.reveal(unit.consult(number).basic.name) == "新"
        assert unit.update(number, ds.change("basic", title="经理")).basic.title == "经理"  # type: ignore[union-attr]
        with unit.unit() as inner:
            inner.register("内", kind="person")
    assert desk.count() == 2
    with pytest.raises(error.UnitEndedError):
        unit.register("迟", kind="person")
    assert desk.count() == 2


def test_what_a_nested_unit_said_goes_with_the_outer_one(desk: ds.Desk) -> None:
    def said_and_given_up() -> None:
        with desk.unit() as unit:
            with unit.unit() as inner:
                inner.register("内", kind="person")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        said_and_given_up()
    assert desk.count() == 0


@pytest.mark.law("K5")
def test_K5_a_stale_view_in_a_unit_is_a_conflict(desk: ds.Desk, company: ds.DossierView) -> None:
    desk.update(company.number, ds.change("basic", name="丙"))
    with pytest.raises(error.ConflictError) as caught, desk.unit() as unit:
        unit.update(company, ds.change("basic", name="丁"))
    assert caught.value.fields == ("basic/name",)
    with desk.unit() as unit:
        fresh = unit.update(desk.consult(company), ds.change("basic", name="戊"))
        unit.update(fresh, ds.change("basic", name="己"))
    assert desk.consult(company).basic.name == "己"


@pytest.mark.law("K5")
def test_K5_a_request_id_stands_for_one_thing(archive: ds.Archive, desk: ds.Desk) -> None:
    first = desk.register("甲", kind="person", request_id="r")
    assert desk.register("甲", kind="person", request_id="r").number == first.number
    # Another actor's ids are his own: guessing what somebody said tells nothing.
    colleague = archive.acting_as("同事", role="service")
    assert colleague.register("甲", kind="person", request_id="r").number != first.number
    with pytest.raises(error.InputError) as caught:
        desk.register("乙", kind="person", request_id="r")
    assert [p.code for p in caught.value.problems] == ["request.reused"]
    with desk.unit() as unit:
        one = unit.register("丙", kind="person", request_id="u")
        assert unit.register("丙", kind="person", request_id="u").number == one.number
    assert desk.count() == 3


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
    with pytest.raises(error.InputError):
        call(desk, company)  # type: ignore[operator]


@pytest.mark.row("M75")
def test_what_no_file_took_waits_and_is_placed(archive: ds.Archive, desk: ds.Desk) -> None:
    doorman = archive.acting_as("门童", role="sales")
    said = ds.change("preferences", taboos=["花生"], religion=ds.Absence.DECLINED).via("friend", told_by="朋友")
    doorman.collect("KH-1999-00007", said, ds.record("visit", at="2026-01-01", text="来访"), evidence=["条 7"])
    (note,) = desk.unplaced.list()
    assert note.by == "门童" and len(note.what) == 2
    guest = desk.register("单", kind="person")
    with pytest.raises(error.DeniedError):
        doorman.unplaced.place(note, guest)
    desk.unplaced.place(note, guest)
    view = desk.consult(guest)
    assert view.preferences.taboos == ("花生",)
    assert view.absence("preferences/religion") is ds.Absence.DECLINED
    (taboo,) = desk.claims.of(guest, "preferences/taboos")
    assert (taboo.origin.channel, taboo.origin.told_by) == ("friend", "朋友")
    assert [record.kind for record in view.records()] == ["visit"]
    assert desk.unplaced.list() == ()


@pytest.mark.row("M129")
def test_a_brief_does_not_say_none_where_nobody_asked(archive: ds.Archive, desk: ds.Desk) -> None:
    service = archive.acting_as("服务员", role="service", purpose="serve")
    guest = desk.register("单", kind="person")
    assert service.brief(guest).taboos is None and "未询问" in service.brief(guest).text()
    desk.update(guest.number, ds.change("preferences", taboos=ds.Absence.NONE))
    assert service.brief(guest).taboos is ds.Absence.NONE and "无" in service.brief(guest).text()
    desk.update(guest.number, ds.change("preferences", taboos=["花生"]))
    assert service.brief(guest).taboos == ("花生",)


def test_a_reason_is_withheld_with_what_it_explains(archive: ds.Archive, desk: ds.Desk) -> None:
    guest = desk.register("单", kind="person", because="新客")
    desk.update(guest.number, ds.change("preferences", taboos=["花生"]), because="客户说对花生过敏")
    service = archive.acting_as("服务员", role="service")
    assert [act.because for act in service.history(guest)] == [ds.WITHHELD, ds.WITHHELD]
    assert [act.because for act in desk.history(guest)] == ["新客", "客户说对花生过敏"]


def test_the_same_phone_twice_in_one_change_is_one_phone(desk: ds.Desk) -> None:
    said = ds.change("basic", phones=["13800000000", "13800000000", "13900000000"])
    assert len(desk.register("甲", said, kind="person").basic.phones) == 2  # type: ignore[arg-type]


@pytest.mark.law("K9")
def test_K9_what_is_withdrawn_from_a_merged_file_is_withdrawn_where_it_was_said(desk: ds.Desk) -> None:
    one = desk.register("甲", ds.change("basic", industry="tea"), kind="organization")
    two = desk.register("乙", ds.change("basic", industry="toys", scope="批发"), kind="organization", channel="agency")
    desk.merges.merge(one, two)
    view = desk.update(one.number, ds.change("basic", industry=ds.UNSET, scope=ds.UNSET), because="有误")
    assert view.basic.industry is None and view.basic.scope is None  # type: ignore[union-attr]
    assert desk.consult(one).basic.industry is None  # type: ignore[union-attr]
    assert len({act.id for act in desk.history(one) if act.because == "有误"}) == 1
    desk.merges.unmerge(one, two)
    assert desk.consult(two).basic.industry is None and desk.consult(two).basic.scope is None  # type: ignore[union-attr]
    assert desk.ledger.verify().events


def test_what_waits_is_shown_as_far_as_it_may_be_read(archive: ds.Archive, desk: ds.Desk) -> None:
    sales = archive.acting_as("业务员", role="sales")
    said = (
        ds.change("preferences", religion="buddhist", interests=["围棋"]),
        ds.change("basic", phones=["13800000000"]),
    )
    sales.collect("KH-1999-00001", *said, told_by="他的朋友")
    service = archive.acting_as("服务员", role="service")
    (note,) = service.unplaced.list()
    assert note.what[0].values == {"religion": ds.WITHHELD, "interests": ["围棋"]} and note.told_by is ds.WITHHELD
    assert desk.unplaced.list()[0].what[0].values["religion"] == "buddhist"
    guest = desk.register("甲", kind="person")
    service.unplaced.place(note, guest)
    assert desk.consult(guest).preferences.religion == ds.Term("religion", "buddhist")


@pytest.mark.law("K2")
def test_K2_a_record_of_an_unknown_kind_is_kept_and_withheld(tmp_path: Path) -> None:
    import attrs

    from dossier.model.fields import one, section

    @section("record:check", zh="检查", en="check")
    @attrs.frozen(kw_only=True)
    class Check:
        text: str | None = one("内容", "content", row="M62")

    known = ds.registry()
    known.register(Check)
    with ds.create(tmp_path / "a.db", sections=known) as archive:
        desk = archive.acting_as("经理", role="manager")
        guest = desk.register("甲", kind="person")
        desk.enter(guest, ds.record("check", text="在册"))
        digest = archive.digest()
    with ds.open(tmp_path / "a.db") as archive:
        desk = archive.acting_as("经理", role="manager")
        (record,) = desk.consult(guest.number).records()
        assert record.kind == "check" and record.content is ds.WITHHELD
        assert "甲" in desk.card(guest.number) and len(desk.entries(record)) == 1
        assert archive.digest() == digest
