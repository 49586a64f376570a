"""One comparison of a query: its operands read as the field reads them, and what is asked of the index.

Floor: desk. Operands go through the door of their field, then through the function that makes index terms.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from typing import Any, Final

import attrs
import cattrs
import msgspec

from dossier.codec.door import explain
from dossier.codec.hooks import Hook, converter, member_hook
from dossier.desk.layout import Column
from dossier.desk.terms import KINDS
from dossier.errors import Problem
from dossier.model.fields import FieldSpec
from dossier.model.party import PartyKind, Stage, Standing
from dossier.model.problems import BadValue, problem, type_name
from dossier.model.values import PartialDate
from dossier.model.values.numbers import check_currency
from dossier.model.values.plain import canonical
from dossier.repository import And, Eq, Expr, Ge, Has, In, Lt, Not, Or, Prefix, fold

OPERATORS: Final = {
    "eq": "==", "ne": "!=", "in": "one_of", "absent": "absent", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "prefix": "starts_with", "contains": "contains",
}  # fmt: skip
WORDS: Final = {
    name: tuple(word.value for word in words)
    for name, words in (("kind", PartyKind), ("standing", Standing), ("stage", Stage))
}
_EQUAL = ("eq", "ne", "in")
_RANGE = (*_EQUAL, "absent", "lt", "le", "gt", "ge")
_ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "text": (*_RANGE, "prefix"), "day": _RANGE, "monthday": _RANGE, "money": _RANGE, "number": _RANGE,
    "currency": _EQUAL, "word": _EQUAL,
}  # fmt: skip
_MONTHDAY = re.compile(r"\s*\d{1,2}-\d{1,2}\s*\Z", re.ASCII)


@attrs.frozen
class _Operand:
    """A term of the index; `part` instead of it where every term that begins so is meant, `within` what all share."""

    term: Any
    part: str = ""
    within: str = ""


class Comparer:
    """Compiles comparisons; remembers how each field reads what it is given."""

    def __init__(self) -> None:
        self._hooks: dict[str, tuple[tuple[Any, Hook], ...]] = {}

    def compare(self, column: Column, op: str, given: tuple[Any, ...], problems: list[Problem]) -> Expr:
        """What to ask of the index; what is wrong is added to `problems`, each with the field's path."""
        allowed = (*_EQUAL, "absent") if column.many else _ALLOWED.get(column.kind.family, (*_EQUAL, "absent"))
        if op not in allowed:
            said = ", ".join(OPERATORS[each] for each in allowed)
            problems.append(problem("find.operator", column.path, op=OPERATORS[op], allowed=said))
            return Or(())
        if op == "absent":
            return Eq(column.name, None)
        if op == "prefix":
            return self._prefix(column, given[0], problems)
        if op == "in" and any(type(value) in (list, tuple, set, frozenset) for value in given):
            problems.append(problem("find.values", column.path))
            return Or(())
        read = [self._operand(column, value, problems) for value in given]
        operands = [operand for operand in read if operand is not None]
        return _expr(column, op, operands) if len(operands) == len(read) else Or(())

    @cached_property
    def _converter(self) -> cattrs.Converter:
        return converter()

    def _prefix(self, column: Column, given: Any, problems: list[Problem]) -> Expr:
        if type(given) is not str:
            problems.append(problem("value.type", column.path, expected="text", got=type_name(given)))
            return Or(())
        text = fold(given) if column.fields else given
        if not text:
            problems.append(problem("find.text", column.path))
        return Prefix(column.name, text)

    def _operand(self, column: Column, given: Any, problems: list[Problem]) -> _Operand | None:
        path, family = column.path, column.kind.family
        if given is None:
            problems.append(problem("find.none", path))
            return None
        found: tuple[Any, Any] | None = None
        raised: Exception | None = None
        for cls, hook in self._readers(column):
            try:
                value = hook(_month_and_day(given) if family == "monthday" else given, None)
                found = cls, msgspec.json.decode(canonical(value))
                break
            except Exception as wrong:
                raised = raised or wrong
        if found is None:
            if raised is not None:
                explain(raised, path, problems)
            return None
        cls, node = found
        terms = (KINDS[cls] if column.fields and family in ("text", "phone") else column.kind).terms(node)
        if not terms:
            code = "find.text" if family in ("text", "phone") else "find.year" if family == "day" else "find.monthday"
            problems.append(problem(code, path))
            return None
        if family == "day" and "day" not in node:
            if column.many:
                problems.append(problem("value.day", path))
                return None
            return _Operand(terms[0], part=str(terms[0])[: 8 if "month" in node else 5])
        if family == "currency":
            return _Operand(terms[0], part=str(terms[0]))
        within = f"{node['currency']} " if family == "money" else ""
        return _Operand(terms[-1] if column.many else terms[0], within=within)

    def _readers(self, column: Column) -> tuple[tuple[Any, Hook], ...]:
        """How each class that has the field reads it: (type, hook). The same type is asked once."""
        found = self._hooks.get(column.path)
        if found is None:
            if column.kind.family == "currency":
                found = ((str, lambda value, _: check_currency(value)),)
            elif column.fields:
                each: dict[Any, FieldSpec] = {}
                for field in column.fields:
                    each.setdefault(field.type, field)
                found = tuple((cls, member_hook(self._converter, field)) for cls, field in each.items())
            else:
                found = ((str, _word(column.path)),)
            self._hooks[column.path] = found
        return found


def _word(path: str) -> Hook:
    """The reader of a registration number, or of one of the kernel's words."""
    words = WORDS.get(path)

    def hook(value: Any, _: Any) -> str:
        if type(value) is not str:
            raise BadValue("value.type", expected="text", got=type_name(value))
        if words is not None and value not in words:
            raise BadValue("party.word", words=", ".join(words))
        return value

    return hook


def _month_and_day(given: Any) -> Any:
    """What is given for a day in the year, without its year."""
    if type(given) is dt.date:
        return PartialDate(None, given.month, given.day)
    if type(given) is str:
        given = PartialDate.parse(f"--{given.strip()}" if _MONTHDAY.match(given) else given)
    if type(given) is PartialDate and given.day is not None:
        return PartialDate(None, given.month, given.day)
    return given


def _expr(column: Column, op: str, operands: list[_Operand]) -> Expr:
    name = column.name

    def equal(one: _Operand) -> Expr:
        if one.part:
            return Prefix(name, one.part)
        return Has(name, one.term) if column.many else Eq(name, one.term)

    def ranged(found: Lt | Ge, one: _Operand) -> Expr:
        # Amounts compare within their currency, which their terms begin with.
        return And((Prefix(name, one.within), found)) if one.within else found

    if op == "in":
        plain = not column.many and not any(one.part for one in operands)
        if plain:
            return In(name, tuple(one.term for one in operands))
        return Or(tuple(equal(one) for one in operands))
    (one,) = operands
    if op == "eq":
        return equal(one)
    if op == "ne":
        return Not(equal(one))
    if op == "lt":
        return ranged(Lt(name, one.term), one)
    if op == "le":
        return Or((ranged(Lt(name, one.term), one), equal(one)))
    if op == "gt":
        return And((ranged(Ge(name, one.term), one), Not(equal(one))))
    return ranged(Ge(name, one.term), one)
