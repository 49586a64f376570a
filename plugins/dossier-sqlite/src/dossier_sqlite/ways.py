"""Which way to a page in some order: gather the rows of one condition and sort them, or walk the order and ask each.

SQLite keeps no counts, so it cannot know that one region has twelve customers and another ninety thousand. Of n rows,
h of which hold a condition, gathering costs h look-ups and walking to a page of m costs m * n / h: alike at
h = sqrt(m * n), so counting a condition up to there decides, and neither way costs more than that. Where an index has
the condition and the order together, or there is neither, SQLite is left alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from math import isqrt
from typing import Any

from dossier.repository import Order
from dossier_sqlite.tables import Table
from dossier_sqlite.where import Form, numbered, width

WALK = -1
"""Walk the order; other ways are the place of the term whose rows are gathered."""
_COUNTED = frozenset({"=", "has", "in", "among", "prefix", "<", ">="})


def way(
    conn: sqlite3.Connection, table: Table, form: Form, params: Sequence[Any], order: Order | None, wanted: int
) -> int | None:
    """The way to `wanted` rows in an order; None leaves it to SQLite. `params` are those of the form."""
    terms: tuple[Form, ...] = form[1] if form[0] == "and" else (form,)
    places = [place for place, term in enumerate(terms) if term[0] in _COUNTED and _indexed(table, term)]
    if not places or _together(table, [terms[place] for place in places], order):
        return None
    rows = conn.execute(table.find_rid).fetchone()[0] or 0
    most = isqrt(wanted * rows)
    for place in places:
        start = sum(map(width, terms[:place]))
        given = params[start : start + width(terms[place])]
        (many,) = conn.execute(_count(table, terms[place]), (*given, most)).fetchone()
        if many < most:
            return place
    return WALK


def kept_to(table: Table, terms: Sequence[Form], starts: Sequence[int], conditions: list[str], chosen: int) -> None:
    """Rewrite conditions so that SQLite can go no other way than the chosen one."""
    for place, term in enumerate(terms):
        if place == chosen or term[0] not in _COUNTED:
            continue
        if term[0] == "has":
            side = table.sets[term[1]]
            conditions[place] = f"exists (select 1 from {side} s where s.value = ?{starts[place]} and s.rid = t.rid)"
        else:
            column = f"t.{table.columns[term[1]]}"
            conditions[place] = conditions[place].replace(column, f"+{column}")


def _indexed(table: Table, term: Form) -> bool:
    return term[0] == "has" or term[1] not in table.collection.unindexed


def _together(table: Table, terms: Sequence[Form], order: Order | None) -> bool:
    """Whether one index has an equality and the order, so that its rows come in order; or nothing can be chosen."""
    fixed = {term[1] for term in terms if term[0] in ("=", "in", "among")}
    if order is None:
        return bool(fixed)
    if order.field in table.collection.unindexed:
        return True  # there is no order to walk
    if any(term[1] == order.field for term in terms):
        return True  # the order's own index has a bound
    for composite in table.collection.composites:
        if order.field in composite.fields:
            leading = composite.fields[: composite.fields.index(order.field)]
            if leading and fixed.issuperset(name for name in leading if name not in table.sets):
                return any(name not in table.sets for name in leading)
    return False


def _count(table: Table, term: Form) -> str:
    """How many rows hold a term, as far as the last parameter says."""
    key = ("many", term)
    sql = table.plans.get(key)
    if sql is None:
        if term[0] == "has":
            inside = f"select 1 from {table.sets[term[1]]} where value = ?1 limit ?2"
        else:
            _, _, (condition,), used = numbered(table, term)
            inside = f"select 1 from {table.sql} t where {condition} limit ?{used + 1}"
        sql = table.plans[key] = f"select count(*) from ({inside})"
    return sql
