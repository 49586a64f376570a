"""Rows of the requirements that the desk shows, each with its number; and that every row of the kernel has a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dossier as ds
from dossier.model.numbering import FilingScheme
from dossier.testing.desk_place import DeskPlace

E = ds.errors
NAMED = [
    *range(1, 7), 15, 17, *range(19, 28), *range(29, 38), 39, 40, 44, 62, *range(65, 69), 72, 107, 115, 118, 124, 126,
    130, 165, 174,
]  # fmt: skip


def desk_of(archive: ds.Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def test_every_row_of_the_kernel_has_a_test() -> None:
    tests = Path(__file__).parents[2]
    found: set[str] = set()
    for path in tests.rglob("test_*.py"):
        found.update(re.findall(r'(?:row\(|^    )"(M\d+)"[):]', path.read_text(encoding="utf-8"), re.M))
    assert [f"M{number}" for number in NAMED if f"M{number}" not in found] == []


@pytest.mark.row("M1")
@pytest.mark.row("M2")
@pytest.mark.row("M3")
@pytest.mark.row("M5")
@pytest.mark.row("M174")
def test_one_customer_one_file_one_number(place: DeskPlace) -> None:
    with place.create(numbers="{kind}-{year}-{serial:04}", zone="Asia/Shanghai") as archive:
        desk = desk_of(archive)
        person = desk.register("张三", kind="person")
        firm = desk.register("甲公司", kind="organization", stage="prospect")
        group = desk.register("豫园团", kind="group")
        assert (person.number, firm.number, group.number) == (
            "person-2026-0001", "organization-2026-0001", "group-2026-0001",
        )  # fmt: skip
        assert firm.stage == "prospect" and firm.standing == "customer"
        assert desk.register("李四", kind="person", request_id="门店-1").number == "person-2026-0002"
        assert desk.register("李四", kind="person", request_id="门店-1").number == "person-2026-0002"
        assert [act.revision for act in desk.history(person)] == [1], "no page is missing"


@pytest.mark.row("M4")
@pytest.mark.row("M6")
def test_standing_and_stage(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", kind="organization", standing="indirect", stage="active").number
        assert desk.count(ds.field("standing") == "customer") == 0
        assert desk.update(file, stage="dormant").stage == "dormant"
        assert desk.consult(file).basic.name == "甲", "who stopped trading keeps his file"
        assert desk.update(file, stage="active", standing="customer").standing == "customer"
        assert desk.count((ds.field("stage") == "active") & (ds.field("standing") == "customer")) == 1
        with pytest.raises(E.InputError):
            desk.update(file, stage="prospect")
        assert [act.moved for act in desk.history(file)][1] == ("stage=dormant",)
        assert desk.history(file, known=2).view.stage == "dormant"


@pytest.mark.row("M15")
def test_filing_keys_sort_as_people_shelve() -> None:
    scheme = FilingScheme()
    shelf = ["住宅-3-B2-1", "住宅-3-B1-1", "住宅-3-2-9", "住宅-3-2-10", "住宅-3-12-1203", "住宅-10-1-1", "商业-1-1-1"]
    assert sorted({*shelf}, key=scheme.sort_key) == shelf
    with pytest.raises(E.InputError):
        scheme.sort_key("住宅-3")


@pytest.mark.row("M17")
@pytest.mark.row("M62")
def test_a_card_that_grows(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", kind="organization")
        for day in range(1, 29):
            desk.enter(file, ds.record("visit", at=f"2026-02-{day:02}", text=f"第{day}次"))
        letter = ds.record("correspondence", at="2026-02-03")
        desk.enter(file, ds.record("complaint", at="2026-02-03", text="晚"), letter)
        assert desk.consult(file).revision == 1, "a record does not change the file's version"
        visits, after = [], None
        while True:
            page = desk.consult(file).records("visit", limit=10, after=after)
            visits += [row.content.text for row in page]
            after = page.cursor
            if after is None:
                break
        assert visits == [f"第{day}次" for day in range(28, 0, -1)]
        assert len(desk.consult(file).records()) == 30


@pytest.mark.row("M19")
@pytest.mark.row("M65")
@pytest.mark.row("M67")
def test_when_and_how_it_was_had(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", kind="organization")
        told = {"told_by": "李敏", "evidence": ["名片 17"], "because": "展会", "observed": "2026-02-27"}
        view = desk.update(file, ds.change("basic", industry="tea"), channel="小红书", **told)  # type: ignore[arg-type]
        origin = view.origin("basic/industry")
        assert origin is not None
        assert (origin.channel, origin.told_by, origin.evidence) == ("小红书", "李敏", ("名片 17",))
        assert origin.observed.startswith("2026-02-27T15:59:59") and origin.at > origin.observed
        assert [act.because for act in desk.history(file)][1] == "展会"
        for channel in ds.CHANNELS:
            desk.update(file.id, ds.change("basic", short_names=[channel]), channel=channel)
        assert set(desk.consult(file).basic.short_names) <= set(ds.CHANNELS)  # type: ignore[union-attr,arg-type]


@pytest.mark.row("M25")
def test_supporting_documents_are_evidence(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        code = ds.change("basic", credit_code="91410100MA3X0000XX")
        file = desk.register("甲", code, kind="organization", channel="document", evidence=["营业执照 扫描 3"])
        origin = file.origin("basic/credit_code")
        assert origin is not None and origin.evidence == ("营业执照 扫描 3",) and origin.channel == "document"


@pytest.mark.row("M33")
@pytest.mark.row("M34")
@pytest.mark.row("M35")
@pytest.mark.row("M36")
@pytest.mark.row("M37")
def test_dealings(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", kind="organization")
        line = {"product": "茶叶", "model": "A-1", "colour": "绿", "style": "袋", "price": "10.505",
                "quantity": {"amount": "2.5", "unit": "kg"}}  # fmt: skip
        order = desk.enter(
            file, ds.record("order", at="2026-02-01", due="2026-02-10", ref="D-1", amount="26.2625", lines=[line])
        )
        desk.enter(
            file,
            ds.record("contract", at="2026-01-01", ref="HT-1", amount="100"),
            ds.record("receivable", at="2026-02-01", due="2026-03-01", amount="26.2625"),
            ds.record("payment", at="2026-02-20", amount="20", method="cash"),
            ds.record("return_case", at="2026-02-21", amount="3", reason="破损", responsibility="承运方"),
            ds.record("survey", at="2026-02-22", rating={"value": 4, "scale": 5}),
        )
        view = desk.consult(file)
        trade = view.transaction_status
        assert (trade.total, trade.times, trade.arrears) == (ds.Money("26.2625"), 1, ds.Money("6.2625"))
        assert trade.last_date == ds.PartialDate(2026, 2, 1) and trade.satisfaction == ds.Rating(4, 5)
        (shown,) = view.records("order")
        assert shown.id == order.records[0] and shown.content.lines[0].colour == "绿"
        assert shown.content.lines[0].quantity == ds.Quantity.parse("2.5 kg")

        followed = desk.follow_up(shown, state="delivered", note="到货", due="2026-02-12")
        assert (followed.state, followed.entries) == ("delivered", 2)
        with pytest.raises(E.InputError):
            desk.follow_up(shown, state="open")
        assert [(entry.verb, entry.state, entry.note) for entry in desk.entries(shown)] == [
            ("enter", "open", ""), ("follow_up", "delivered", "到货"),
        ]  # fmt: skip
        (receivable,) = view.records("receivable")
        desk.follow_up(receivable, state="written_off")
        trade = desk.consult(file).transaction_status
        assert trade.arrears is None and trade.credit_problems == 1
        cancelled = desk.enter(file, ds.record("order", at="2026-02-25", amount="500"))
        assert desk.consult(file).transaction_status.total == ds.Money("526.2625")
        (row,) = [row for row in desk.consult(file).records("order") if row.id == cancelled.records[0]]
        desk.follow_up(row, state="cancelled")
        assert desk.consult(file).transaction_status.total == ds.Money("26.2625")
        assert desk.update(file, ds.change("basic", industry="tea")).revision == 2


@pytest.mark.row("M44")
def test_relations_from_both_ends(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        buyer, decider = desk.register("李敏", kind="person"), desk.register("王总", kind="person")
        desk.relations.add(buyer, decider, kind="buys_for", since="2026-01-01", note="华东区")
        desk.relations.add(buyer, decider, kind="colleague", request_id="一次")
        desk.relations.add(buyer, decider, kind="colleague", request_id="一次")
        here, there = desk.relations.of(buyer), desk.relations.of(decider.number)
        assert sorted((tie.a, tie.b, tie.kind) for tie in here) == sorted(
            [(buyer.id, decider.id, "buys_for"), (buyer.id, decider.id, "colleague")]
        )
        assert {(tie.a, tie.kind) for tie in there} == {(decider.id, "decides_for"), (decider.id, "colleague")}
        assert {tie.note for tie in there} == {"华东区", ""}
        with pytest.raises(E.NotFoundError):
            desk.relations.add(buyer, "0" * 32, kind="friend")


@pytest.mark.row("M68")
def test_nothing_without_a_source(place: DeskPlace) -> None:
    """Every shown value has an act, and an act has somebody who did it (desk-invented archives are forbidden)."""
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", ds.change("basic", industry="tea", phones=["0371-65678999"]), kind="organization")
        for act in desk.history(file):
            assert act.by == "陈静" and act.at
            for said in act.said:
                origin = file.origin(said.path)
                assert origin is not None and origin.act == act.id and origin.channel == "desk"
        seen = desk.update(file, ds.change("characteristics", potential=ds.Rating(5)), channel="form")
        assert seen.characteristics.potential is None, "an opinion of ours is not told by the customer"
        assert seen.rivals("characteristics/potential")[0].value == ds.Rating(5)


@pytest.mark.row("M107")
@pytest.mark.row("M26")
def test_what_is_outdated_goes_and_stays_in_the_history(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", ds.change("basic", phones=["0371-1"], industry="tea"), kind="organization").number
        desk.update(file, ds.change("basic", scope="批发"), valid_to="2026-03-05")
        desk.update(file, ds.change("basic", phones=ds.edit(remove=["0371-1"], add=["0371-2"]), industry=ds.UNSET))
        view = desk.consult(file)
        assert [part.number.given for part in view.basic.phones] == ["0371-2"]  # type: ignore[union-attr]
        assert view.basic.industry is None and view.basic.scope == "批发"  # type: ignore[union-attr]
        assert desk.history(file, known=1).view.basic.industry is not None  # type: ignore[union-attr]
        place.clock.forward(days=10)
        assert desk.consult(file).basic.scope is None  # type: ignore[union-attr]
        assert desk.history(file, on="2026-03-04").view.basic.scope == "批发"  # type: ignore[union-attr]


@pytest.mark.row("M115")
@pytest.mark.row("M72")
def test_questions_and_checks(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        known = ds.change("basic", key_persons=[{"name": "李敏", "phones": ["1"]}])
        file = desk.register("甲", known, kind="organization")
        person = file.basic.key_persons[0]  # type: ignore[union-attr,index]
        moved = desk.update(
            file, ds.change("basic", key_persons=ds.edit(change={person.key: {"title": "经理", "phones": ["2"]}}))
        )
        (one,) = moved.basic.key_persons  # type: ignore[union-attr]
        assert one.title == "经理" and {part.number.given for part in one.phones} == {"1", "2"}
        statements = desk.claims.of(file.number, "basic/key_persons")
        assert {statement.shown for statement in statements} == {True}
        checked = desk.claims.verify(statements[0], because="名片")
        origin = checked.origin(statements[0].path)
        assert origin is not None and origin.checked and not origin.proven


def test_absence_has_reasons(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("张三", ds.change("basic", employer=ds.Absence.NONE), kind="person").number
        view = desk.consult(file)
        assert view.basic.employer is None and view.absence("basic/employer") is ds.Absence.NONE  # type: ignore[union-attr]
        assert view.absence("basic/title") is None
        view = desk.update(file, ds.change("basic", employer="甲公司"), channel="document")
        assert view.basic.employer == "甲公司" and view.absence("basic/employer") is None  # type: ignore[union-attr]
        assert [rival.value for rival in view.rivals()] == [ds.Absence.NONE]
        declined = desk.update(file, ds.change("preferences", religion=ds.Absence.DECLINED))
        assert declined.absence("preferences/religion") is ds.Absence.DECLINED


@pytest.mark.row("M165")
def test_the_card(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        phones, taboos = ds.change("basic", phones=["18612345678"]), ds.change("preferences", taboos=["花生"])
        file = desk.register("单雄信", phones, taboos, kind="person")
        zh, en = desk.card(file), desk.card(file, lang="en")
        assert zh.startswith(f"客户档案卡  {file.number}  [个人") and "花生" in zh and "18612345678" in zh
        assert en.startswith(f"Customer card  {file.number}") and "taboos" in en
        plain = archive.acting_as("王芳", role="service").card(file)
        assert "花生" not in plain and "不予显示" in plain
