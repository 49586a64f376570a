"""From the closed query language to a filter of MongoDB with the same two-valued meaning.

Negations are pushed to the leaves, where MongoDB's own (`$ne`, `$nin`, `$not`) hold for absent fields too. A field that
is absent is missing from the document, never null in it, so `{field: null}` asks for just that, along an index.
"""

from __future__ import annotations

from typing import Any

from dossier.repository import And, Contains, Eq, Expr, Has, In, Lt, Not, Or, Prefix
from dossier_mongodb.documents import Table

Filter = dict[str, Any]

NEVER: Filter = {"_id": {"$in": []}}
GRAMS = 12
"""Pairs of a needle that the index is asked for; the text itself is looked at in any case."""


def to_filter(table: Table, where: Expr, *, negated: bool = False) -> Filter:
    """The filter of a checked condition over the documents of a table."""
    if isinstance(where, And | Or):
        every = isinstance(where, And) is not negated
        terms = [to_filter(table, term, negated=negated) for term in where.terms]
        if not terms:
            return {} if every else NEVER
        return terms[0] if len(terms) == 1 else {"$and" if every else "$or": terms}
    if isinstance(where, Not):
        return to_filter(table, where.term, negated=not negated)
    path = table.paths[where.field]
    if isinstance(where, Contains):
        return _contains(table, where, negated)
    if isinstance(where, Eq | Has):
        return {path: {"$ne" if negated else "$eq": where.value}}
    if isinstance(where, In):
        return {path: {"$nin" if negated else "$in": list(dict.fromkeys(where.values))}}
    if isinstance(where, Prefix):
        above = _above(where.value)
        bounds: Filter = {"$gte": where.value} if above is None else {"$gte": where.value, "$lt": above}
    else:
        bounds = {"$lt" if isinstance(where, Lt) else "$gte": where.value}
    return {path: {"$not": bounds} if negated else bounds}


def _contains(table: Table, where: Contains, negated: bool) -> Filter:
    """The pairs narrow it down along the index, the text itself decides."""
    place = {"$indexOfBytes": [f"${table.paths[where.field]}", {"$literal": where.needle}]}
    # An absent text has no place (null), which is below every number.
    if negated:
        return {"$expr": {"$lt": [place, 0]}}
    found: Filter = {"$expr": {"$gte": [place, 0]}}
    grams = table.grams[where.field]
    if len(where.needle) == 1:
        above = _above(where.needle)
        bounds = {"$gte": where.needle} if above is None else {"$gte": where.needle, "$lt": above}
        return {"$and": [{grams: {"$elemMatch": bounds}}, found]}
    every = dict.fromkeys(where.needle[place : place + 2] for place in range(len(where.needle) - 1))
    return {"$and": [{grams: {"$all": list(every)[:GRAMS]}}, found]}


def _above(prefix: str) -> str | None:
    """The least text above every text with this prefix; None if there is none."""
    for place in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[place])
        if code < 0x10FFFF:
            return prefix[:place] + chr(0xE000 if code == 0xD7FF else code + 1)
    return None
