"""Facts computed from records: totals, times, last date, arrears, satisfaction (M32, M33, M37).

Floor: desk. They stand in a row of their own, refreshed after the batch that touched the records; the Index beside the
dossier makes them sortable. A refresh reads the row first, so the last of several writers leaves what is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from dossier.desk.layout import THOUSANDTHS, core_scope
from dossier.desk.stored import stored_record
from dossier.errors import ConflictError
from dossier.repository import Aggregates, And, Batch, Eq, Group, Index, Key, Order, Put, Query, Repository, encode

_TRIES = 20
SECTION = "transaction_status"
_BY = ("kind", "state", "currency")


def refresh(repository: Repository, dossiers: Iterable[str]) -> None:
    """Compute and keep the facts of these dossiers."""
    for dossier in dossiers:
        for _ in range(_TRIES):
            if _refresh(repository, dossier):
                break


def _refresh(repository: Repository, dossier: str) -> bool:
    (row,) = repository.get_many([Key("facts", dossier)])
    version = row.version if row is not None else 0
    groups = _groups(repository, dossier)
    facts = _facts(repository, dossier, groups)
    body = encode({SECTION: {name: value for name, value in facts.items() if value is not None}})
    if row is not None and row.body == body:
        return True
    index = {
        f"{SECTION}_total": _scaled(facts["total"]),
        f"{SECTION}_times": facts["times"],
        f"{SECTION}_last_date": _day(facts["last_date"]),
        f"{SECTION}_arrears": _scaled(facts["arrears"]),
    }
    put = Put("facts", dossier, body, {}, core_scope(dossier), version)
    try:
        repository.commit(Batch((put, Index("dossiers", dossier, index, version + 1))), durable=False)
        return True
    except ConflictError:
        return False


def _groups(repository: Repository, dossier: str) -> list[Group]:
    where = Eq("dossier", dossier)
    if isinstance(repository, Aggregates):
        return repository.aggregate("records", where, by=_BY, sums=("amount",))
    found: dict[tuple[Any, ...], tuple[int, int]] = {}
    after: str | None = None
    while True:
        page = repository.find(Query(collection="records", where=where, limit=1000, after=after, bodies=False))
        for row in page.rows:
            key = tuple(row.index.get(name) for name in _BY)
            count, total = found.get(key, (0, 0))
            found[key] = (count + 1, total + int(row.index.get("amount") or 0))  # type: ignore[arg-type]
        after = page.cursor
        if after is None:
            return [Group(key=key, count=count, sums=(total,)) for key, (count, total) in found.items()]


def _facts(repository: Repository, dossier: str, groups: list[Group]) -> dict[str, Any]:
    """Amounts are given where all records are in one currency; several currencies have no one total."""
    sums: dict[str, dict[str, int]] = {}
    counts: dict[str, int] = {}
    for group in groups:
        kind, state, currency = group.key
        if state == "cancelled":
            continue
        counts[str(kind)] = counts.get(str(kind), 0) + group.count
        if state in ("paid", "written_off"):
            continue
        per = sums.setdefault(str(kind), {})
        if currency is not None:
            per[str(currency)] = per.get(str(currency), 0) + group.sums[0]
    owed: dict[str, int] = dict(sums.get("receivable", {}))
    for currency, paid in sums.get("payment", {}).items():
        owed[currency] = owed.get(currency, 0) - paid
    return {
        "total": _money(sums.get("order", {})),
        "times": counts.get("order") or None,
        "last_date": _last(repository, dossier, "order"),
        "arrears": _money(owed) if "receivable" in counts else None,
        "satisfaction": _rating(repository, dossier),
        "credit_problems": counts.get("credit_problem") or None,
    }


def _money(sums: dict[str, int]) -> dict[str, str] | None:
    if len(sums) != 1:
        return None
    ((currency, thousandths),) = sums.items()
    amount = (Decimal(thousandths) / THOUSANDTHS).normalize()
    return {"amount": f"{amount:f}", "currency": currency}


def _last(repository: Repository, dossier: str, kind: str) -> dict[str, int] | None:
    where = And((Eq("dossier", dossier), Eq("kind", kind)))
    query = Query(collection="records", where=where, order=Order("at", descending=True), limit=1, bodies=False)
    page = repository.find(query)
    day = str(page.rows[0].index.get("at") or "") if page.rows else ""
    parts = [int(part) for part in day.split("-") if part]
    return dict(zip(("year", "month", "day"), parts, strict=False)) or None


def _rating(repository: Repository, dossier: str) -> dict[str, int] | None:
    where = And((Eq("dossier", dossier), Eq("kind", "survey")))
    page = repository.find(Query(collection="records", where=where, order=Order("at", descending=True), limit=1))
    if not page.rows:
        return None
    rating: dict[str, int] | None = stored_record(page.rows[0].body).fields().get("rating")
    return rating


def _scaled(money: dict[str, str] | None) -> int | None:
    return int(Decimal(money["amount"]) * THOUSANDTHS) if money else None


def _day(date: dict[str, int] | None) -> str | None:
    return "-".join(f"{part:0{4 if name == 'year' else 2}d}" for name, part in date.items()) if date else None
