"""What people write is read, and what cannot be is refused with the reason."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.errors import InputError
from dossier.model.problems import BadValue
from dossier.model.values import (
    Money,
    PartialDate,
    Per,
    PersonName,
    Phone,
    Quantity,
    Rating,
    Ref,
    Region,
    Span,
    Term,
    parse_period,
)
from dossier.model.withheld import reveal
from dossier.testing.values import STRATEGIES, dates, moneys, periods

READ: list[tuple[Callable[[str], Any], str, Any]] = [
    (Money.parse, "50万", Money("500000")),
    (Money.parse, "￥500,000.50", Money("500000.50")),
    (Money.parse, "1.2亿", Money(120_000_000)),
    (Money.parse, "1.2亿元", Money(120_000_000)),
    (Money.parse, "人民币3千万", Money(30_000_000)),
    (Money.parse, "USD 12.505", Money("12.505", "USD")),
    (Money.parse, "12.505 KWD", Money("12.505", "KWD")),
    (Money.parse, "１２，０００", Money(12_000)),
    (Money.parse, "-3", Money(-3)),
    (Phone.parse, "0371-65678999转8001", Phone("0371-65678999转8001", "+8637165678999", "8001")),
    (Phone.parse, "１８６１２３４５６７８", Phone("１８６１２３４５６７８", "+8618612345678")),
    (Phone.parse, "+86 186 1234 5678", Phone("+86 186 1234 5678", "+8618612345678")),
    (Phone.parse, "186****5678", Phone("186****5678")),
    (Phone.parse, "(5) 555-4729", Phone("(5) 555-4729")),
    (Phone.parse, "030-0074321", Phone("030-0074321")),
    (Phone.parse, "(171) 555-7788 ext. 12", Phone("(171) 555-7788 ext. 12", None, "12")),
    (Phone.parse, "400-820-8820", Phone("400-820-8820", "+864008208820")),
    (PersonName.parse, "单雄信", PersonName(full="单雄信", family="单", given="雄信")),
    (PersonName.parse, "欧阳修", PersonName(full="欧阳修", family="欧阳", given="修")),
    (PersonName.parse, "单", PersonName(full="单", family="单")),
    (PersonName.parse, "Maria Anders", PersonName(full="Maria Anders")),
    (PartialDate.parse, "2020-03-05", PartialDate(2020, 3, 5)),
    (PartialDate.parse, "2020/3", PartialDate(2020, 3)),
    (PartialDate.parse, "2020", PartialDate(2020)),
    (PartialDate.parse, "20200305", PartialDate(2020, 3, 5)),
    (PartialDate.parse, "2020年3月5日", PartialDate(2020, 3, 5)),
    (PartialDate.parse, "二〇二〇年三月", PartialDate(2020, 3)),
    (PartialDate.parse, "二零二零年十二月三十一日", PartialDate(2020, 12, 31)),
    (PartialDate.parse, "民国114年3月", PartialDate(2025, 3)),
    (PartialDate.parse, "民国元年", PartialDate(1912)),
    (PartialDate.parse, "3月5日", PartialDate(None, 3, 5)),
    (PartialDate.parse, "--02-29", PartialDate(None, 2, 29)),
    (Span.parse, "2019-03~2021", Span(PartialDate(2019, 3), PartialDate(2021))),
    (Span.parse, "2019年至今", Span(PartialDate(2019))),
    (Span.parse, "~2021", Span(None, PartialDate(2021))),
    (Quantity.parse, "26℃", Quantity(26, "°C")),
    (Quantity.parse, "3箱", Quantity(3, "箱")),
    (Rating.parse, "4/5", Rating(4, 5)),
    (Region.parse, "河南省", Region("河南省")),
    (Ref.parse, "record:7f", Ref("record", "7f")),
    (parse_period, "2026年第一季度", "2026-Q1"),
    (parse_period, "2026年3月", "2026-03"),
    (parse_period, "2026年上半年", "2026-H1"),
    (parse_period, "2026q4", "2026-Q4"),
    (parse_period, "2026", "2026"),
]

REFUSED: list[tuple[Callable[[Any], Any], Any, str]] = [
    (Money, 3.5, "value.float_money"),
    (Money, True, "value.type"),
    (Money, None, "value.none"),
    (Money, Decimal("NaN"), "value.not_finite"),
    (Money, Decimal("1e30"), "value.number_long"),
    (Money.parse, "7" * 70, "value.number_long"),
    (Money.parse, "NaN", "value.not_finite"),
    (Money.parse, "much", "value.number"),
    (Money.parse, "1,00", "value.number"),
    (Money.parse, "￥5 USD", "value.currency"),
    (PartialDate.parse, "2023-02-29", "value.date_leap"),
    (PartialDate.parse, "1900-02-29", "value.date_leap"),
    (PartialDate.parse, "2023-13-01", "value.date_month"),
    (PartialDate.parse, "2023-04-31", "value.date_day"),
    (PartialDate.parse, "0000", "value.date_year"),
    (PartialDate.parse, "yesterday", "value.date"),
    (PartialDate.parse, "2020-03-05T10:00", "value.date"),
    (Span.parse, "2021~2019", "value.span"),
    (Span.parse, "~", "value.span"),
    (Phone.parse, "13812345678/13912345678", "value.phone_two"),
    (Phone.parse, "0371-65678999、0371-65678998", "value.phone_two"),
    (Phone.parse, "13812345678 13912345678", "value.phone_two"),
    (Phone.parse, "", "value.empty"),
    (Rating.parse, "6/5", "value.rating"),
    (Quantity.parse, "many", "value.number"),
    (parse_period, "2026-13", "value.period"),
    (parse_period, "2026-Q5", "value.period"),
    (lambda text: Term(text, "x"), "a/b", "value.code"),
    (lambda text: Ref(text, "x"), "No Kind", "value.code"),
    (lambda text: PersonName(), "", "value.empty"),
    (Region, "a\0", "value.nul"),
    (Region, "\ud800", "value.surrogate"),
    (Region, "x" * 201, "value.too_long"),
]


@pytest.mark.parametrize(("read", "text", "expected"), READ, ids=[f"{text}" for _, text, _ in READ])
def test_reads(read: Callable[[str], Any], text: str, expected: Any) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("read", "given", "reason"), REFUSED, ids=[f"{at}-{each[2]}" for at, each in enumerate(REFUSED)]
)
def test_refuses(read: Callable[[Any], Any], given: Any, reason: str) -> None:
    with pytest.raises(BadValue) as refused:
        read(given)
    assert refused.value.reason == reason
    assert isinstance(refused.value, InputError)
    assert refused.value.problems[0].code == reason
    assert pickle.loads(pickle.dumps(refused.value)).reason == reason


def test_ten_million_characters_are_refused_quickly() -> None:
    text = "花" * 10_000_000
    for read in (Money.parse, Phone.parse, PartialDate.parse, PersonName.parse, Span.parse, Region.parse):
        began = time.process_time()
        with pytest.raises(BadValue) as refused:
            read(text)
        assert time.process_time() - began < 0.1
        assert len(str(refused.value)) < 500


def test_equal_amounts_are_one_value() -> None:
    assert Money("3.000") == Money(3) == Money(Decimal("3E0")) and repr(Money("3.000")) == repr(Money(3))
    assert Money("0.125").amount == Decimal("0.125")
    assert Money(Decimal("-0")) == Money(0)
    assert Money("12.5").text("zh") == "¥12.50" and Money("12.125", "KWD").text() == "KWD 12.125"


def test_surname_reading() -> None:
    assert PersonName.parse("单雄信").family_reading == "shan"
    assert PersonName(family="单", reading="dan").family_reading == "dan"
    assert PersonName.parse("王芳").family_reading is None


def test_personal_values_hide_themselves() -> None:
    phone, name = Phone.parse("18612345678"), PersonName.parse("单雄信")
    assert "12345" not in repr(phone) and reveal(phone) == "18612345678"
    assert "雄信" not in repr(name) and reveal(name) == "单雄信"
    assert "5551" not in repr(Phone("555-1234"))


@given(dates())
def test_dates_keep_their_precision(date: PartialDate) -> None:
    assert PartialDate.parse(date.text()) == date
    assert PartialDate.parse(date.text("zh")) == date
    if date.year is None:
        assert date.earliest is None and date.latest is None
    else:
        assert date.earliest is not None and date.latest is not None and date.earliest <= date.latest


def test_dates_without_year_and_day() -> None:
    assert PartialDate(2020, 2).latest == dt.date(2020, 2, 29) and PartialDate(2020, 2).earliest == dt.date(2020, 2, 1)
    assert Span(PartialDate(2020, 2), PartialDate(2020, 3)).covers(dt.date(2020, 3, 31))
    assert not Span(None, PartialDate(2020, 3)).covers(dt.date(2020, 4, 1))
    with pytest.raises(BadValue):
        PartialDate(None, 3)


@given(moneys())
def test_money_survives_its_text(money: Money) -> None:
    assert Money.parse(money.text()) == money
    assert Money.parse(money.text("zh")) == money


@given(periods())
def test_periods_have_one_form(period: str) -> None:
    assert parse_period(period) == period and Per(period, 1).period == period
    assert parse_period(Per(period, 1).text("zh").partition(":")[0]) == period


@given(st.sampled_from(sorted(STRATEGIES, key=str)).flatmap(lambda kind: STRATEGIES[kind]))
def test_values_are_immutable_hashable_copyable(value: Any) -> None:
    assert copy.deepcopy(value) == value == pickle.loads(pickle.dumps(value))
    assert hash(value) == hash(copy.copy(value))
    if hasattr(value, "text"):
        assert value.text("zh") and value.text("en")
        with pytest.raises(AttributeError):
            value.unknown = 1
