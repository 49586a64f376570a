"""From the closed query language to SQL with the same two-valued meaning and a stable text.

A condition is first read into its *form* (operators and fields, negations pushed to the leaves) and its parameters;
statements are made once a form and kept, so that a repeated query only binds. Parameters are numbered, so that one
list of values serves every statement of a query.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from dossier.repository import And, Contains, Eq, Expr, Ge, Has, In, Lt, Not, Or, Prefix, encode
from dossier_sqlite.search import match
from dossier_sqlite.tables import Table

Form: TypeAlias = tuple[Any, ...]
"""("and"|"or", (form, …)) or (operator, field, extra); nothing but names and counts, so it is a key of a cache."""

LISTED = 16
"""Values of an In up to which each is a parameter."""


def read(where: Expr, params: list[Any], *, negated: bool = False) -> Form:
    """The form of a condition; its values are appended to `params` in the order in which `Sql` counts them."""
    if isinstance(where, And | Or):
        joint = "and" if isinstance(where, And) is not negated else "or"
        terms: list[Form] = []
        for term in where.terms:
            form = read(term, params, negated=negated)
            # Brackets inside brackets of the same kind say nothing; without them each term is seen for what it is.
            terms += form[1] if form[0] == joint else (form,)
        return (joint, tuple(terms))
    if isinstance(where, Not):
        return read(where.term, params, negated=not negated)
    field = where.field
    if isinstance(where, Eq):
        if where.value is None:
            return ("present" if negated else "absent", field, 0)
        params.append(where.value)
        return ("!=" if negated else "=", field, 1)
    if isinstance(where, In):
        values = tuple(dict.fromkeys(where.values))
        if not values:
            return ("and" if negated else "or", ())
        if len(values) > LISTED:
            params.append(encode(values).decode())
            return ("!among" if negated else "among", field, 1)
        params.extend(values)
        return ("!in" if negated else "in", field, len(values))
    if isinstance(where, Contains):
        params += (match(where.needle), where.needle)
        return ("!contains" if negated else "contains", field, min(len(where.needle), 3))
    if isinstance(where, Prefix):
        if not where.value:
            return ("absent" if negated else "present", field, 0)
        params.append(where.value)
        above = _above(where.value)
        if above is None:
            return ("!>=" if negated else ">=", field, 1)
        params.append(above)
        return ("!prefix" if negated else "prefix", field, 2)
    params.append(where.value)
    name = {Lt: "<", Ge: ">=", Has: "has"}[type(where)]
    return (f"!{name}" if negated else name, field, 1)


def _above(prefix: str) -> str | None:
    """The least text above every text with this prefix; None if there is none."""
    for place in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[place])
        if code < 0x10FFFF:
            return prefix[:place] + chr(0xE000 if code == 0xD7FF else code + 1)
    return None


class Sql:
    """The SQL of a form over one table, whose alias is `t`; `count` parameters are used up so far."""

    def __init__(self, table: Table) -> None:
        self._table, self.count = table, 0

    def of(self, form: Form) -> str:
        """A condition in brackets."""
        operator = form[0]
        if operator in ("and", "or"):
            terms = [self.of(term) for term in form[1]]
            if not terms:
                return "1" if operator == "and" else "0"
            return terms[0] if len(terms) == 1 else f"({f' {operator} '.join(terms)})"
        _, field, extra = form
        column = f"t.{self._table.columns[field]}"
        if operator == "absent":
            return f"{column} is null"
        if operator == "present":
            return f"{column} is not null"
        negated, operator = operator[0] == "!", operator.lstrip("!")
        first = self.count + 1
        if operator == "contains":
            self.count += 2
            return self._table.texts[field].condition(first, first + 1, length=extra, negated=negated)
        self.count += extra
        if operator == "=":
            return f"{column} is not ?{first}" if negated else f"{column} = ?{first}"
        if operator == "has":
            return f"t.rid {'not ' * negated}in (select rid from {self._table.sets[field]} where value = ?{first})"
        if operator == "prefix":
            positive = f"{column} >= ?{first} and {column} < ?{first + 1}"
        elif operator == "in":
            positive = f"{column} in ({', '.join(f'?{first + place}' for place in range(extra))})"
        elif operator == "among":
            positive = f"{column} in (select value from json_each(?{first}))"
        else:
            positive = f"{column} {operator} ?{first}"
        return f"(not ({positive}) or {column} is null)" if negated else f"({positive})"


def width(form: Form) -> int:
    """How many parameters a form has."""
    if form[0] in ("and", "or"):
        return sum(map(width, form[1]))
    return 2 if form[0].endswith("contains") else int(form[2])


def numbered(table: Table, form: Form) -> tuple[tuple[Form, ...], list[int], list[str], int]:
    """The terms that must all hold, the number of each one's first parameter, their SQL, how many parameters."""
    compiler = Sql(table)
    terms: tuple[Form, ...] = form[1] if form[0] == "and" else (form,)
    starts: list[int] = []
    conditions: list[str] = []
    for term in terms:
        starts.append(compiler.count + 1)
        conditions.append(compiler.of(term))
    return terms, starts, conditions, compiler.count
