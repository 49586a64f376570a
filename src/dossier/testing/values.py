"""Hypothesis strategies for every value a field may hold, built from the values' own constructors.

Floor: testing. `value(type, …)` finds the strategy for a type; a pack registers one for its own value type with
`STRATEGIES[MyValue] = …`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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
)
from dossier.repository.canonical import MAX_INT
from dossier.testing import people

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_CODE_CHARACTERS = st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"], exclude_characters="\0[]{}/:")


def texts(limit: int = 200) -> st.SearchStrategy[str]:
    """Text as a field takes it: 1 to `limit` characters of any script, mostly short; no NUL, no surrogate."""
    sample = st.sampled_from(
        ["郑州宏达商贸有限公司", "鄭州宏達商貿有限公司", "O'Brien & Söhne", "花生", 'a"b\\c\n', " x ", "é", "e\u0301"]
    )
    return st.one_of(sample, st.sampled_from(people.RARE), st.text(_CHARACTERS, min_size=1, max_size=min(limit, 40)))


def codes() -> st.SearchStrategy[str]:
    """A code or vocabulary name."""
    return st.text(_CODE_CHARACTERS, min_size=1, max_size=12).filter(lambda text: not text.isspace())


def amounts() -> st.SearchStrategy[Decimal]:
    """Exact amounts with up to 18 digits before the point and 6 after it."""
    return st.builds(
        lambda digits, places: Decimal(digits).scaleb(-places),
        st.one_of(st.integers(-(10**6), 10**6), st.integers(-(10**18) + 1, 10**18 - 1)),
        st.integers(0, 6),
    )


def moneys() -> st.SearchStrategy[Money]:
    """Money in a few currencies."""
    return st.builds(Money, amounts(), st.sampled_from(["CNY", "USD", "KWD", "JPY"]))


def dates() -> st.SearchStrategy[PartialDate]:
    """Partial dates of each precision, birthdays without a year among them."""
    full = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)).map(PartialDate.of)
    years = st.integers(1, 9999)
    leap_day = st.just(PartialDate(None, 2, 29))
    birthday = st.dates(dt.date(2000, 1, 1), dt.date(2000, 12, 31)).map(
        lambda day: PartialDate(None, day.month, day.day)
    )
    return st.one_of(
        full, st.builds(PartialDate, years), st.builds(PartialDate, years, st.integers(1, 12)), birthday, leap_day
    )


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Spans with one or both ends."""
    dated = dates().filter(lambda date: date.year is not None)
    start, end = draw(st.none() | dated), draw(st.none() | dated)
    try:
        return Span(start, end)
    except BadValue:
        return Span(end, start) if start is not None or end is not None else Span(PartialDate(2020))


def phones() -> st.SearchStrategy[Phone]:
    """Phones as people write them, and any other text."""
    return st.one_of(people.phones(two=False).map(Phone.parse), st.builds(Phone, texts()))


def names() -> st.SearchStrategy[PersonName]:
    """Names in full and in part."""
    parsed = people.person_names().map(PersonName.parse)
    part = st.none() | texts()
    whole = st.builds(PersonName, full=texts(), family=part, given=part, reading=part, address_as=part)
    return st.one_of(parsed, whole, st.builds(PersonName, family=texts()))


def terms(vocabulary: str = "") -> st.SearchStrategy[Term]:
    """Terms of a vocabulary, of any when none is named."""
    return st.builds(Term, st.just(vocabulary) if vocabulary else codes(), codes())


def periods() -> st.SearchStrategy[str]:
    """Years, half-years, quarters, months."""
    year = st.integers(1990, 2030).map(str)
    part = ["", "-H1", "-H2", "-Q1", "-Q4", "-01", "-12"]
    return st.builds(str.__add__, year, st.sampled_from(part))


def ratings() -> st.SearchStrategy[Rating]:
    """Ratings on scales of 1 to 100."""
    return st.integers(1, 100).flatmap(lambda scale: st.builds(Rating, st.integers(0, scale), st.just(scale)))


STRATEGIES: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.one_of(st.integers(-10, 1000), st.integers(-MAX_INT, MAX_INT)),
    Money: moneys(),
    PartialDate: dates(),
    PersonName: names(),
    Phone: phones(),
    Quantity: st.builds(Quantity, amounts(), texts()),
    Rating: ratings(),
    Ref: st.builds(Ref, st.sampled_from(["dossier", "record", "thing"]), texts()),
    Region: st.builds(Region, texts(), st.none() | texts(), st.none() | texts()),
    Span: spans(),
}
"""Value type → strategy, for the types that need no word from their field."""


def value(kind: Any, *, limit: int = 200, vocabulary: str = "") -> st.SearchStrategy[Any]:
    """The strategy for a field's type; text up to `limit` characters, terms of `vocabulary`."""
    if kind is str:
        return texts(limit or 200)
    if kind is Term:
        return terms(vocabulary)
    return STRATEGIES[kind]


def per(kind: Any) -> st.SearchStrategy[Per[Any]]:
    """A value in a period."""
    return st.builds(Per, periods(), value(kind))
