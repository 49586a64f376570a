"""Facts computed from records: totals, times, last date, arrears, satisfaction (M32, M33, M37).

Floor: desk. They stand in a row of their own, refreshed after the batch that touched the records; the Index beside the
dossier makes them sortable. A refresh reads the row first, so the last of several writers leaves what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from dossier.codec.state import Head, head_of
from dossier.desk.layout import MILLIONTHS, core_scope
from dossier.desk.stored import stored_record
from dossier.desk.terms import first_day, money_term
from dossier.errors import ConflictError
from dossier.repository import (
    Aggregates,
    And,
    Batch,
    Eq,
    Expr,
    Group,
    In,
    Index,
    IndexValue,
    Key,
    Not,
    Op,
    Order,
    Put,
    Query,
    Reader,
    Repository,
    encode,
)

_TRIES = 20
_CHUNK = 200
_BEHIND = 2**40
"""The version of a row that was lost and is made again: behind any that it can have had."""
SECTION = "transaction_status"
STALE = b"{}"
_BY = ("kind", "state", "currency")


def refresh(repository: Repository, dossiers: Iterable[str], *, force: bool = False) -> None:
    """Compute and keep the facts of these dossiers, many in one batch; alone where another writer came between.

    A linked set is found by its common facts under its survivor, which is refreshed with any of its members.
    `force`: index values are written again also where the facts are what they were.
    """
    waiting = list(dossiers)
    for start in range(0, len(waiting), _CHUNK):
        chunk = waiting[start : start + _CHUNK]
        if not _refresh(repository, chunk, force):
            for dossier in chunk:
                for _ in range(_TRIES):
                    if _refresh(repository, [dossier], force):
                        break


def stale(dossier: str) -> Op:
    """Stands in the batch that touches records: until the facts are computed anew nobody takes the old ones for true,
    also where the machine died in between."""
    return Put("facts", dossier, STALE, {}, core_scope(dossier), None)


def facts_of(repository: Reader, dossiers: Sequence[str]) -> dict[str, Any]:
    """The computed fields, as JSON by section, over the records of one dossier or of a linked set."""
    return _common(repository, dossiers, _groups(repository, dossiers))


def facts_index(facts: Mapping[str, Any]) -> dict[str, IndexValue]:
    """What of computed fields is indexed beside the dossier; None for what there is not."""
    known = facts[SECTION]
    return {
        f"{SECTION}_total": money_term(known["total"]) if "total" in known else None,
        f"{SECTION}_times": known.get("times"),
        f"{SECTION}_last_date": first_day(known["last_date"]) if "last_date" in known else None,
        f"{SECTION}_arrears": money_term(known["arrears"]) if "arrears" in known else None,
    }


def _common(repository: Reader, dossiers: Sequence[str], groups: Mapping[str, list[Group]]) -> dict[str, Any]:
    facts = _facts(repository, dossiers, [group for dossier in dossiers for group in groups.get(dossier, ())])
    return {SECTION: {name: value for name, value in facts.items() if value is not None}}


def _refresh(repository: Repository, dossiers: Sequence[str], force: bool) -> bool:
    ops: list[Op] = []
    # Links and versions are of one state, and read first: who computes from less than another then loses to him.
    with repository.snapshot() as state:
        sets = _linked(state, dossiers)
        rows = state.get_many([Key("facts", top) for top in sets])
    groups = _groups(repository, list({member: None for members in sets.values() for member in members}))
    for (top, members), row in zip(sets.items(), rows, strict=True):
        # Somebody marked it stale before, unless it was lost; then its dossier's index values still have its last mark.
        version = row.version if row is not None else 0
        new = version + 1 if row is not None or not force else _BEHIND
        facts = _common(repository, members, groups)
        body = encode(facts)
        if row is not None and row.body == body and not force:
            continue
        ops.append(Put("facts", top, body, {}, core_scope(top), version, new))
        ops.append(Index("dossiers", top, facts_index(facts), new))
    if not ops:
        return True
    try:
        repository.commit(Batch(tuple(ops)), durable=False)
        return True
    except ConflictError:
        return False


def _linked(repository: Reader, dossiers: Sequence[str]) -> dict[str, list[str]]:
    """Each file that facts are kept for, and the members whose records they are over: a file alone its own, a
    survivor those of its linked set. An absorbed file keeps its own, for the day the link is taken away."""
    heads: dict[str, Head] = {}

    def head(dossier: str) -> Head:
        if dossier not in heads:
            (row,) = repository.get_many([Key("dossiers", dossier)])
            heads[dossier] = head_of(row.body) if row is not None else Head()
        return heads[dossier]

    rows = repository.get_many([Key("dossiers", dossier) for dossier in dossiers])
    heads.update({row.id: head_of(row.body) for row in rows if row is not None})
    sets: dict[str, list[str]] = {}
    for dossier in dossiers:
        top = dossier
        while into := head(top).into:
            sets.setdefault(top, [top])
            top = into
        members = [top]
        for member in members:
            members.extend(head(member).linked)
        sets[top] = members
    return sets


def _of(dossiers: Sequence[str]) -> Expr:
    return Eq("dossier", dossiers[0]) if len(dossiers) == 1 else In("dossier", tuple(dossiers))


def _groups(repository: Reader, dossiers: Sequence[str]) -> dict[str, list[Group]]:
    """What the records of each dossier come to, by kind, state and currency: one question for all of them."""
    where = _of(dossiers)
    if isinstance(repository, Aggregates):
        groups = repository.aggregate("records", where, by=("dossier", *_BY), sums=("amount",))
    else:
        groups = _gathered(repository, where)
    found: dict[str, list[Group]] = {}
    for group in groups:
        dossier, *key = group.key
        found.setdefault(str(dossier), []).append(Group(key=tuple(key), count=group.count, sums=group.sums))
    return found


def _gathered(repository: Reader, where: Expr) -> list[Group]:
    """The same by pages, where the repository does not sum."""
    found: dict[tuple[Any, ...], tuple[int, int]] = {}
    after: str | None = None
    while True:
        page = repository.find(Query(collection="records", where=where, limit=1000, after=after, bodies=False))
        for row in page.rows:
            key = tuple(row.index.get(name) for name in ("dossier", *_BY))
            count, total = found.get(key, (0, 0))
            found[key] = (count + 1, total + int(cast(int, row.index.get("amount") or 0)))
        after = page.cursor
        if after is None:
            return [Group(key=key, count=count, sums=(total,)) for key, (count, total) in found.items()]


def _facts(repository: Reader, dossiers: Sequence[str], groups: list[Group]) -> dict[str, Any]:
    """Amounts are given where all records are in one currency; several currencies have no one total.

    Arrears are the open receivables less the payments in their currencies: what was paid is entered as a payment,
    never as a state of the receivable, so that no amount is taken off twice. Below nought is what we owe.
    """
    sums: dict[str, dict[str, int]] = {}
    counts: dict[str, int] = {}
    written_off = 0
    for group in groups:
        kind, state, currency = group.key
        if state == "cancelled":
            continue
        counts[str(kind)] = counts.get(str(kind), 0) + group.count
        if state == "written_off":
            written_off += group.count
            continue
        per = sums.setdefault(str(kind), {})
        if currency is not None:
            per[str(currency)] = per.get(str(currency), 0) + group.sums[0]
    paid = sums.get("payment", {})
    owed = {currency: amount - paid.get(currency, 0) for currency, amount in sums.get("receivable", {}).items()}
    return {
        "total": _money(sums.get("order", {})),
        "times": counts.get("order") or None,
        "last_date": _last(repository, dossiers, "order") if counts.get("order") else None,
        "arrears": _money(owed),
        "satisfaction": _rating(repository, dossiers) if counts.get("survey") else None,
        "credit_problems": written_off or None,
    }


def _money(sums: dict[str, int]) -> dict[str, str] | None:
    if len(sums) != 1:
        return None
    ((currency, millionths),) = sums.items()
    amount = (Decimal(millionths) / MILLIONTHS).normalize()
    return {"amount": f"{amount:f}", "currency": currency}


def _last(repository: Reader, dossiers: Sequence[str], kind: str) -> dict[str, int] | None:
    page = repository.find(_latest(dossiers, kind, bodies=False))
    day = str(page.rows[0].index.get("at") or "") if page.rows else ""
    parts = [int(part) for part in day.split("-") if part]
    return dict(zip(("year", "month", "day"), parts, strict=False)) or None


def _rating(repository: Reader, dossiers: Sequence[str]) -> dict[str, int] | None:
    page = repository.find(_latest(dossiers, "survey", bodies=True))
    rating: dict[str, int] | None = stored_record(page.rows[0].body).fields().get("rating") if page.rows else None
    return rating


def _latest(dossiers: Sequence[str], kind: str, *, bodies: bool) -> Query:
    where = And((_of(dossiers), Eq("kind", kind), Not(Eq("state", "cancelled"))))
    return Query(collection="records", where=where, order=Order("at", descending=True), limit=1, bodies=bodies)
