"""Operands against an oracle: what is stored is found as it was given, and ranges are those of the values."""

from __future__ import annotations

import operator
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import dossier as ds
from dossier.desk.comparing import Comparer
from dossier.desk.layout import Column, Indexing
from dossier.desk.terms import KINDS
from dossier.errors import Problem
from dossier.model.values.plain import canonical
from dossier.repository import Not
from dossier.repository.evaluate import holds
from dossier.testing.values import dates, moneys, value

INDEXING = Indexing(ds.registry())
COMPARER = Comparer()
LIMIT = INDEXING.columns["transaction_status_credit_limit"]
BORN = INDEXING.columns["basic_born"]
OPERATORS = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq,
             "ne": operator.ne}  # fmt: skip


def found(column: Column, op: str, held: Any, *asked: Any) -> bool:
    """Whether a file that holds the value is found by the comparison."""
    problems: list[Problem] = []
    where = COMPARER.compare(column, op, asked, problems)
    assert not problems
    terms = column.kind.terms(msgspec.json.decode(canonical(held)))
    index: dict[str, Any] = {column.name: tuple(sorted(terms)) if column.many else terms[0]} if terms else {}
    return holds(where, index)


@pytest.mark.parametrize("name", [*INDEXING.columns, *INDEXING.computed])
@given(data=st.data())
def test_what_is_stored_is_found_as_it_was_given(name: str, data: st.DataObject) -> None:
    column = INDEXING.columns.get(name) or INDEXING.computed[name]
    field = data.draw(st.sampled_from(column.fields))
    kind = column.kind if column.kind.family == "monthday" else KINDS[field.type]
    held = data.draw(value(field.type, limit=field.limit or 200, vocabulary=field.declared.vocabulary))
    terms = kind.terms(msgspec.json.decode(canonical(held)))
    problems: list[Problem] = []
    where = COMPARER.compare(column, "eq", (held,), problems)
    if not terms:
        assert [one.path for one in problems] == [column.path], "what has no term is refused"
        return
    assert not problems
    index: dict[str, Any] = {column.name: tuple(sorted(terms)) if column.many else terms[0]}
    assert holds(where, index)
    assert not holds(COMPARER.compare(column, "ne", (held,), problems), index)
    assert holds(COMPARER.compare(column, "in", (held,), problems), index)
    assert not holds(where, {}) and holds(Not(where), {})


@given(held=moneys(), asked=moneys(), op=st.sampled_from(sorted(OPERATORS)))
def test_amounts(held: ds.Money, asked: ds.Money, op: str) -> None:
    same = held.currency == asked.currency
    wanted = OPERATORS[op](held.amount, asked.amount) if same else op == "ne"
    assert found(LIMIT, op, held, asked) == wanted


@given(one=moneys(), other=moneys())
def test_amounts_sort_by_currency_then_by_amount(one: ds.Money, other: ds.Money) -> None:
    first, second = (str(LIMIT.kind.terms(msgspec.json.decode(canonical(money)))[0]) for money in (one, other))
    assert (first < second) == ((one.currency, one.amount) < (other.currency, other.amount))


@given(held=dates(), asked=dates(), op=st.sampled_from(sorted(OPERATORS)))
def test_dates(held: ds.PartialDate, asked: ds.PartialDate, op: str) -> None:
    assume(asked.year is not None)
    day, first, last = held.earliest, asked.earliest, asked.latest
    assert first is not None and last is not None
    if day is None:
        assert found(BORN, op, held, asked) == (op == "ne"), "no full date"
        return
    within = first <= day <= last
    wanted = {"eq": within, "lt": day < first, "le": day <= last, "gt": day > last, "ge": day >= first}
    wanted["ne"] = not within
    assert found(BORN, op, held, asked) == wanted[op]
