"""Operands are given as values of the field are; what cannot be answered is refused, never answered with nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import dossier as ds
from dossier.testing.desk_place import DeskPlace

E = ds.errors
F = ds.field


def manager(archive: ds.Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def numbers(desk: ds.Desk, where: Any, **options: Any) -> list[str]:
    found = [hit.number for hit in desk.find(where=where, **options)]
    assert desk.count(where) == len(found)
    return found if options else sorted(found)


def refused(call: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(E.InputError) as caught:
        call()
    for one in caught.value.problems:
        assert one.zh and one.en and one.fix_zh and one.fix_en
    return [(one.code, one.path) for one in caught.value.problems]


@pytest.mark.row("M20")
def test_phones(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        one = desk.register("甲", ds.change("basic", phones=["186 1234 5678", "0371-65678999转8001"]), kind="person")
        said = ds.change("basic", phones=["0371-65678999转8002", "030-0074321"])
        two = desk.register("乙", said, kind="organization")
        phone = F("basic/phones/number")
        for given in ("18612345678", "+86 18612345678", "0086-186-1234-5678", ds.Phone.parse("１８６１２３４５６７８")):
            assert numbers(desk, phone == given) == [one.number]
        assert numbers(desk, phone == "0371 6567 8999") == [one.number, two.number]
        assert numbers(desk, phone == "037165678999转8002") == [two.number]
        assert numbers(desk, phone == "030 0074321") == [two.number]
        assert numbers(desk, phone.one_of("18612345678", "030-0074321")) == [one.number, two.number]
        assert numbers(desk, F("basic/phones[*]/number") == "18612345678") == [one.number]
        assert numbers(desk, phone != "18612345678") == [two.number]
        assert refused(lambda: desk.find(where=phone == 18612345678)) == [("value.type", "basic/phones/number")]
        assert refused(lambda: desk.find(where=phone == "")) == [("value.empty", "basic/phones/number")]
        assert refused(lambda: desk.find(where=phone < "1")) == [("find.operator", "basic/phones/number")]
        assert refused(lambda: desk.find(where=phone.starts_with("186"))) == [("find.operator", "basic/phones/number")]


@pytest.mark.row("M24")
def test_dates_and_birthdays(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        given = ["1999-12-31", "2000", "2000-03", "2000-03-05", "5月17日", "1990-05-17"]
        files = [desk.register(f"第{text}", ds.change("basic", born=text), kind="person").number for text in given]
        born, day = F("basic/born"), F("basic/born/monthday")
        before: list[Any] = [dt.date(2000, 1, 1), "2000", "2000-01-01", "二〇〇〇年", ds.PartialDate(2000)]
        for operand in before:
            assert numbers(desk, born < operand) == [files[0], files[5]]
            assert numbers(desk, born >= operand) == files[1:4]
        assert numbers(desk, born == "2000") == files[1:4]
        assert numbers(desk, born == "2000-03") == numbers(desk, born.one_of("2000年3月")) == files[2:4]
        assert numbers(desk, born == dt.date(2000, 3, 5)) == [files[3]]
        assert numbers(desk, born > "2000-03") == [] and numbers(desk, born > "2000-02") == files[2:4]
        assert numbers(desk, born <= "2000-03") == [*files[:4], files[5]]
        assert numbers(desk, ~(born == "2000")) == numbers(desk, born != "2000") == [files[0], *files[4:]]
        assert numbers(desk, born.absent()) == [files[4]], "a birthday without a year has no place among full dates"
        assert numbers(desk, born >= "1900", order="-basic/born")[0] == files[3]
        birthdays: list[Any] = [
            ds.PartialDate(month=5, day=17), "--05-17", "5月17日", "05-17", "5-17", "1990-05-17", dt.date(2026, 5, 17),
        ]  # fmt: skip
        for operand in birthdays:
            assert numbers(desk, day == operand) == files[4:]
        assert numbers(desk, (day >= "05-01") & (day < "06-01")) == files[4:]
        for wrong in ("2000-02-30", "gestern", 5, 1.5, dt.datetime(2000, 1, 1), None):
            (found,) = refused(lambda: desk.find(where=born == wrong))  # noqa: B023
            assert found[1] == "basic/born"
        assert refused(lambda: desk.find(where=born == "05-17")) == [("value.date", "basic/born")]
        assert refused(lambda: desk.find(where=born == "5月17日")) == [("find.year", "basic/born")]
        assert refused(lambda: desk.find(where=day == "2000-03")) == [("find.monthday", "basic/born/monthday")]


def test_dates_of_the_trade(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        one = desk.register("甲", ds.change("basic", trading_since="2020-03"), kind="organization")
        desk.enter(one, ds.record("order", at="2026-02-03", amount=5))
        assert numbers(desk, F("transaction_status/last_date") == "2026-02") == [one.number]
        assert numbers(desk, F("transaction_status/last_date") < dt.date(2026, 2, 3)) == []
        assert numbers(desk, F("basic/trading_since") < "2020-03-02") == [one.number]


@pytest.mark.row("M24")
def test_names_that_are_known_in_part(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        names: list[Any] = [
            ds.PersonName(family="单"), ds.PersonName(family="单", given="雄信"),
            ds.PersonName(family="Anders", given="Maria"), "秦琼",
        ]  # fmt: skip
        files = [desk.register(None, ds.change("basic", name=name), kind="person").number for name in names]
        owner = ds.change("basic", key_persons=[{"name": names[1]}])
        firm = desk.register("单氏商行", owner, kind="organization").number
        assert sorted(hit.number for hit in desk.find(name="单")) == [*files[:2], firm]
        assert [hit.number for hit in desk.find(name="雄信")] == [files[1]]
        assert [hit.number for hit in desk.find(name="maria anders")] == [files[2]]
        name = F("basic/name")
        assert numbers(desk, name == "单雄信") == numbers(desk, name == names[1]) == [files[1]]
        assert numbers(desk, name == "MARIA  ANDERS") == [files[2]]
        assert numbers(desk, name.starts_with("单")) == [*files[:2], firm]
        assert numbers(desk, F("basic/key_persons/name") == "单雄信") == [firm]
        assert [hit.number for hit in desk.find(order="basic/name")][:3] == [files[2], files[0], firm]
        assert refused(lambda: desk.find(name=5)) == [("value.type", "basic/name")]  # type: ignore[arg-type]


@pytest.mark.row("M40")
def test_text_and_codes(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        one = desk.register(
            "Alfreds Futterkiste",
            ds.change("basic", industry="ＴＥＡ", addresses=[{"text": "x", "region": ds.Region("华东", "CN-E")}],
                      online=["Maria@Example.com"], short_names=["ALFKI"]),
            ds.change("preferences", taboos=["peanut ", "花生"]), kind="organization",
        ).number  # fmt: skip
        for taboo in ("Peanut", "PEANUT", " ｐｅａｎｕｔ", "花生 "):
            assert numbers(desk, F("preferences/taboos") == taboo) == [one]
        assert numbers(desk, F("preferences/taboos").one_of("鱼", "花生")) == [one]
        industry = F("basic/industry")
        for operand in ("tea", "TEA", ds.Term("industry", "tea")):
            assert numbers(desk, industry == operand) == [one]
        for region in ("华东", ds.Region("华东"), {"name": "华东"}):
            assert numbers(desk, F("basic/addresses/region") == region) == [one]
        assert numbers(desk, F("basic/online/account") == "maria@example.COM") == [one]
        assert numbers(desk, F("basic/short_names") == "alfki") == [one]
        assert numbers(desk, F("basic/name").starts_with("alfreds f")) == [one]
        wrong = ds.Term("form", "tea")
        assert refused(lambda: desk.find(where=industry == wrong)) == [("value.vocabulary", "basic/industry")]
        assert refused(lambda: desk.find(where=industry == ["tea"])) == [("value.type", "basic/industry")]
        assert refused(lambda: desk.find(where=industry.one_of(["tea"]))) == [("find.values", "basic/industry")]
        assert refused(lambda: desk.find(where=industry.starts_with(""))) == [("find.text", "basic/industry")]
        assert refused(lambda: desk.find(where=industry == None)) == [("find.none", "basic/industry")]  # noqa: E711


@pytest.mark.row("M141")
def test_amounts_compare_within_their_currency(place: DeskPlace) -> None:
    with place.create(indexes=[("basic/industry", "transaction_status/credit_limit")]) as archive:
        desk = manager(archive)
        given = ["CNY 500000", "USD 500000", "USD 70000.125", "CNY -3", "CNY 999999999999999999"]
        files = []
        for text in given:
            file = desk.register(f"客户{text}", ds.change("transaction_status", credit_limit=text), kind="organization")
            desk.enter(file, ds.record("receivable", at="2026-01-01", amount=text if "9999" not in text else "EUR 1"))
            files.append(file.number)
        bare = desk.register("无", kind="person").number
        limit = F("transaction_status/credit_limit")
        for operand in (500_000, "50万", Decimal(500_000), ds.Money(500_000), "￥500,000"):
            assert numbers(desk, limit == operand) == [files[0]]
            assert numbers(desk, limit >= operand) == [files[0], files[4]]
            assert numbers(desk, limit < operand) == [files[3]]
            assert numbers(desk, limit <= operand) == [files[0], files[3]]
            assert numbers(desk, limit > operand) == [files[4]]
        usd = ds.Money(70_000, "USD")
        assert numbers(desk, limit > usd) == files[1:3] and numbers(desk, limit == ds.Money(70_000, "EUR")) == []
        assert numbers(desk, limit == "USD 70000.125") == [files[2]]
        assert numbers(desk, limit.one_of(500_000, "USD 500000")) == files[:2]
        assert numbers(desk, limit != 500_000) == [*files[1:], bare]
        assert numbers(desk, F("transaction_status/credit_limit/currency") == "USD") == files[1:3]
        assert numbers(desk, F("transaction_status/credit_limit/currency").one_of("USD", "EUR")) == files[1:3]
        assert numbers(desk, F("transaction_status/arrears") >= ds.Money(70_000, "USD")) == files[1:3]
        assert numbers(desk, F("transaction_status/arrears/currency") == "EUR") == [files[4]]
        by_amount = numbers(desk, ~limit.absent(), order="-transaction_status/credit_limit")
        assert by_amount == [files[1], files[2], files[4], files[0], files[3]], "by currency, then by amount"
        path = "transaction_status/credit_limit"
        assert refused(lambda: desk.find(where=limit >= 1.5)) == [("value.float_money", path)]
        assert refused(lambda: desk.find(where=limit >= "viel")) == [("value.number", path)]
        currency = F(f"{path}/currency")
        assert refused(lambda: desk.find(where=currency == "dollar")) == [("value.currency", f"{path}/currency")]
        assert refused(lambda: desk.find(order=f"{path}/currency")) == [("find.order", f"{path}/currency")]


@pytest.mark.row("M130")
def test_what_is_kept_apart_is_asked_alone(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        one = desk.register("甲", ds.change("preferences", taboos=["花生", "鱼"]), kind="person")
        two = desk.register("乙", ds.change("basic", id_number="11010119900101123X"), kind="person")
        taboo, number = F("preferences/taboos"), F("basic/id_number")
        assert numbers(desk, (taboo == "花生") & (taboo == "鱼")) == [one.number]
        assert numbers(desk, (taboo == "花生") | (number == "11010119900101123x")) == [one.number, two.number]
        path = "preferences/taboos"
        for where in (~(taboo == "花生"), taboo.absent(), taboo != "花生", ~((taboo == "鱼") | (taboo == "花生"))):
            found = refused(lambda: desk.find(where=where))  # noqa: B023
            assert set(found) == {("find.negated", path)}
        for call in (
            lambda: desk.find(where=(taboo == "花生") & (F("basic/name") == "甲")),
            lambda: desk.find(where=(F("kind") == "person") & (taboo == "花生")),
            lambda: desk.find(name="甲", where=taboo == "花生"),
            lambda: desk.find(where=taboo == "花生", order="number"),
            lambda: desk.count((taboo == "花生") & F("basic/credit_code").absent()),
        ):
            assert refused(call) == [("find.apart", path)]
        assert refused(lambda: desk.find(order="basic/id_number", where=~(number == "1"))) == [
            ("find.negated", "basic/id_number")
        ]


def test_questions_that_are_none(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        desk.register("甲", kind="person")
        tea = F("basic/industry") == "tea"
        assert refused(lambda: desk.find(where=True)) == [("find.where", "where")]  # type: ignore[arg-type]
        assert refused(lambda: tea & True) == [("find.where", "where")]  # type: ignore[operator]
        assert refused(lambda: desk.find(order=5)) == [("value.type", "order")]  # type: ignore[arg-type]
        assert refused(lambda: F(5)) == [("value.type", "field")]  # type: ignore[arg-type]
        assert refused(lambda: desk.find(limit=True)) == [("find.limit", "limit")]
        assert refused(lambda: desk.find(order="")) == [("find.unknown", "?")]
        assert refused(lambda: desk.find(order="basic/short_names")) == [("find.order", "basic/short_names")]
        assert refused(lambda: desk.find(where=F("basic/industry").contains("e"))) == [
            ("find.contains", "basic/industry")
        ]
        with pytest.raises(E.InputError) as caught:
            desk.find(where=(F("basic/phone/number") == "1") & (F("Zx7Qm2Vw9Kp4") == "1") & (F("kind") == "persn"))
        first, second, third = caught.value.problems
        assert (first.code, first.path) == ("find.unknown", "basic/phone/number")
        assert "basic/phones/number" in first.en and "basic/phones/number" in first.fix_zh
        assert (second.code, second.path) == ("find.unknown", "?") and "Zx7Qm2Vw9Kp4" not in str(caught.value)
        assert (third.code, third.path) == ("party.word", "kind")


@pytest.mark.row("M71")
def test_a_number_that_was_absorbed_finds_the_survivor(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = manager(archive)
        taboo = ds.change("preferences", taboos=["花生"])
        one = desk.register("甲", kind="person").number
        two, three = (desk.register(name, taboo, kind="person").number for name in "乙丙")
        desk.merges.merge(two, three)
        desk.merges.merge(one, two)
        number = F("number")
        for asked in (one, two, three):
            assert numbers(desk, number == asked) == [one]
        assert numbers(desk, number.one_of(two, three)) == [one] and numbers(desk, number != three) == []
        assert numbers(desk, F("preferences/taboos") == "花生") == [one]
        desk.merges.unmerge(one, two)
        assert numbers(desk, number == three) == [two] and numbers(desk, number == one) == [one]
        assert refused(lambda: desk.find(where=number == 5)) == [("value.type", "number")]


def test_refusal_depends_on_query_and_policy_only(place: DeskPlace) -> None:
    """N2, N3: the same refusal whether the archive is empty or holds a match, and the right to read comes first."""
    with place.create() as archive:
        blind = archive.acting_as("王芳", role="service")
        said = []
        taboo, number = F("preferences/taboos"), F("basic/id_number")
        for _ in range(2):
            for where in (taboo == "花生", ~(number == 5), number.absent()):
                with pytest.raises(E.ReadableFieldError) as caught:
                    blind.find(where=where)
                assert "may not be queried" in caught.value.text("en") and "查询" in caught.value.text("zh")
                said.append(str(caught.value))
            manager(archive).register("甲", ds.change("preferences", taboos=["花生"]), kind="person")
        assert said[:3] == said[3:]
