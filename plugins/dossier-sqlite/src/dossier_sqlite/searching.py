"""Searching for what very many rows have: walking the rows by id and asking each for its text.

The text index answers in the order in which rows were written, so a page in id order needs every hit: right for most
needles, slow for a common one (half of 10,000 rows: 10 ms, walked: 0.3 ms). With M hits among N rows the index costs
M look-ups and a page of n rows found by walking n * N / M. M is judged by how far the first hits reach into the rows.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from dossier_sqlite.tables import Table
from dossier_sqlite.where import Form, numbered

FEW = 500
"""Hits up to which a needle is left to the index."""
SINGLE = 1000
"""Rows that are walked for a needle of one character before the index is asked (it must join many lists for it)."""
SLACK = 4
"""How much further than expected a walk may go before it is given up for the index."""


def has_text(form: Form) -> bool:
    """Whether every row that satisfies a form holds some needle."""
    return form[0] == "contains" or (form[0] == "and" and any(term[0] == "contains" for term in form[1]))


def walk(
    conn: sqlite3.Connection, table: Table, form: Form, params: list[Any], *, beyond: str, bodies: bool
) -> list[tuple[Any, ...]] | None:
    """The records of a full page in id order after the id `beyond`; None where the index is to be asked.

    `params` are those of the page: of the form first, how many rows last.
    """
    terms, starts, conditions, used = numbered(table, form)
    place = next(place for place, term in enumerate(terms) if term[0] == "contains")
    _, field, length = terms[place]
    wanted: int = params[-1]
    budget = SINGLE if length == 1 else _budget(conn, table, field, params[starts[place] - 1], wanted)
    if budget is None:
        return None
    key = ("walk", form, bodies)
    sql = table.plans.get(key)
    if sql is None:
        for other, term in enumerate(terms):
            if term[0] == "contains":
                conditions[other] = f"instr(t.{table.columns[term[1]]}, ?{starts[other] + 1}) > 0"
        sql = table.plans[key] = (
            f"select {table.select if bodies else table.select_bare}"
            f" from (select rid from {table.sql} where id > ?{used + 1} order by id limit ?{used + 2}) k"
            f" cross join {table.sql} t on t.rid = k.rid where {' and '.join(conditions)} limit ?{used + 3}"
        )
    records = conn.execute(sql, (*params[:used], beyond, budget, wanted)).fetchall()
    return records if len(records) == wanted else None


def _budget(conn: sqlite3.Connection, table: Table, field: str, match: str, wanted: int) -> int | None:
    """How many rows may be walked; None if the needle is rare for a table of this size."""
    rows: int = conn.execute(table.find_rid).fetchone()[0] or 0
    if FEW * FEW > wanted * rows:
        return None
    reached = table.texts[field].reach(conn, match, FEW)
    if reached is None:
        return None
    many = FEW * rows // max(reached, 1)
    return SLACK * wanted * rows // many if many * many > wanted * rows else None
