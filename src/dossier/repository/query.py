"""The closed query language: two-valued, over declared index fields only.

Floor: repository. Semantics (law K6), the same on every backend:

* a field that is absent satisfies no comparison; `Not` is plain negation, so `Not(Eq(f, v))` holds for absent f;
* `Eq(f, None)` holds where f is absent; an empty set is absent;
* text compares by Unicode code point, bool as False < True;
* one order field (a single value, never a set), ascending with absent first or descending with absent last;
  ties by id ascending; without an order, by id ascending;
* `Contains` finds a substring of a `search` field; the needle is folded by the caller with `fold`.
"""

from __future__ import annotations

import unicodedata
from typing import TypeAlias

import attrs

from dossier.repository.rows import IndexScalar


@attrs.frozen
class Eq:
    """field == value; value None: the field is absent."""

    field: str
    value: IndexScalar


@attrs.frozen
class Lt:
    """field < value (text or int)."""

    field: str
    value: str | int


@attrs.frozen
class Ge:
    """field >= value (text or int)."""

    field: str
    value: str | int


@attrs.frozen
class In:
    """field is one of values; no values: never true."""

    field: str
    values: tuple[str, ...] | tuple[int, ...]


@attrs.frozen
class Prefix:
    """A text field that starts with value."""

    field: str
    value: str


@attrs.frozen
class Has:
    """A set field that holds value."""

    field: str
    value: str | int


@attrs.frozen
class Contains:
    """A search field whose folded text has the needle as a substring (one character or more)."""

    field: str
    needle: str


@attrs.frozen
class And:
    """All of terms; no terms: true."""

    terms: tuple[Expr, ...]


@attrs.frozen
class Or:
    """One of terms at least; no terms: false."""

    terms: tuple[Expr, ...]


@attrs.frozen
class Not:
    """The negation of term."""

    term: Expr


Expr: TypeAlias = Eq | Lt | Ge | In | Prefix | Has | Contains | And | Or | Not
TRUE = And(())
FALSE = Or(())


@attrs.frozen
class Order:
    """Order by one single-valued field of type text, int or bool."""

    field: str
    descending: bool = False


@attrs.frozen(kw_only=True)
class Query:
    """Which rows of one collection, in which order, how many, from where on.

    `after` is the cursor of the page before. `bodies=False` gives rows with body b"", `index=False` rows with an empty
    index. `limit` is 1..1000 rows a page.
    """

    collection: str
    where: Expr = TRUE
    order: Order | None = None
    limit: int = 50
    after: str | None = None
    bodies: bool = True
    index: bool = True


@attrs.frozen(kw_only=True)
class Group:
    """One group of an aggregation: the values of the group fields, how many rows, exact sums of int fields."""

    key: tuple[IndexScalar, ...]
    count: int
    sums: tuple[int, ...] = ()


def fold(text: str) -> str:
    """The search form of a text: NFKC, casefolded, white space collapsed to single spaces, trimmed.

    Both sides of `Contains` go through it, so ＡＢＣ finds abc. Idempotent.
    """
    once = unicodedata.normalize("NFKC", text).casefold()
    again = unicodedata.normalize("NFKC", once)
    return " ".join(again.split())
