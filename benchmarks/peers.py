"""Other libraries on what they can do, beside plain sqlite3 and an archive: `python -m benchmarks.peers --n 10000`.

Each keeps the same documents (the stored state of the same customers) as JSON, with eight columns, one composite index,
a history row and an audit row a change; none has claims, masks, a ledger that verifies, or a text index, so W5 is LIKE.
Figures are CPU a call over that of the raw side, which writes every index of the archive and the bigrams too.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.corpus import GRADES, REGIONS, customer
from benchmarks.measure import Side, settle
from benchmarks.speed import CHUNK, Pair

COLUMNS = ("id", "number", "name", "address", "region", "credit", "annual_sales", "industry")
WORKLOADS = ("W1", "W2i", "W2u", "W3", "W4", "W5", "W6", "W7")
_PRAGMAS = ("journal_mode=wal", "synchronous=full", "cache_size=-16384", "temp_store=memory")
AT = "2026-11-21T08:00:00.000000Z"


def row(id: str, number: str, document: dict[str, Any]) -> dict[str, Any]:
    """The columns of a document."""
    basic, trade = document["sections"]["basic"], document["sections"]["bench:trade"]
    values = (
        id,
        number,
        basic["name"],
        basic["addresses"][0]["text"],
        trade["region"],
        trade["credit"],
        trade["annual_sales"],
        basic["industry"]["code"],
    )
    return dict(zip(COLUMNS, values, strict=True))


Item = tuple[dict[str, Any], dict[str, Any]]
"""Columns and document."""


class SqliteUtils:
    """sqlite-utils: rows as dicts, JSON by its own converter."""

    def __init__(self, path: Path) -> None:
        import sqlite_utils

        self.db = sqlite_utils.Database(sqlite3.connect(path, isolation_level=None))
        for pragma in _PRAGMAS:
            self.db.execute(f"pragma {pragma}")
        types: dict[str, type] = dict.fromkeys(COLUMNS, str) | {"annual_sales": int, "document": str}
        self.db.table("dossier").create(types, pk="id")
        self.db.table("dossier").create_index(["region", "credit", "annual_sales"])
        self.db.table("history").create({"id": str, "version": int, "at": str, "document": str}, pk=("id", "version"))
        self.db.table("audit").create({"seq": int, "at": str, "action": str, "id": str}, pk="seq")

    def bulk(self, items: Sequence[Item]) -> None:
        with self.db.atomic() if hasattr(self.db, "atomic") else self.db.conn:
            self.db.table("dossier").insert_all({**columns, "document": document} for columns, document in items)

    def insert(self, item: Item) -> None:
        columns, document = item
        self.db.execute("begin immediate")
        self.db.table("dossier").insert({**columns, "document": document})
        self._note(columns["id"], 1, document, "insert")
        self.db.execute("commit")

    def update(self, item: Item) -> None:
        columns, document = item
        self.db.execute("begin immediate")
        last = self.db.execute("select coalesce(max(version), 1) from history where id = ?", (columns["id"],))
        version = last.fetchone()[0] + 1
        self.db.table("dossier").update(columns["id"], {**columns, "document": document})
        self._note(columns["id"], version, document, "update")
        self.db.execute("commit")

    def _note(self, id: str, version: int, document: Any, action: str) -> None:
        self.db.table("history").insert({"id": id, "version": version, "at": AT, "document": document})
        self.db.table("audit").insert({"at": AT, "action": action, "id": id})

    def get(self, id: str) -> Any:
        return json.loads(self.db.table("dossier").get(id)["document"])

    def page(self, region: str, grades: Sequence[str], least: int) -> Any:
        where = "region = ? and credit in (?, ?) and annual_sales >= ?"
        rows = self.db.table("dossier").rows_where(
            where, [region, *grades, least], order_by="annual_sales desc, id", limit=50
        )
        return [json.loads(each["document"]) for each in rows]

    def search(self, text: str) -> Any:
        return list(self.db.table("dossier").rows_where("name like ?", [f"%{text}%"], select="id", limit=50))

    def version(self, id: str) -> Any:
        return json.loads(self.db.table("history").get((id, 1))["document"])

    def groups(self) -> Any:
        return list(
            self.db.query("select region, credit, count(*), sum(annual_sales) from dossier group by region, credit")
        )


class Alchemy:
    """SQLAlchemy 2 ORM with a JSON column."""

    def __init__(self, path: Path) -> None:
        import sqlalchemy as sa
        from sqlalchemy.orm import Session, declarative_base

        self.sa, self.session = sa, Session
        self.engine = sa.create_engine(f"sqlite:///{path}")

        def prepare(conn: Any, _: Any) -> None:
            for pragma in _PRAGMAS:
                conn.execute(f"pragma {pragma}")

        sa.event.listen(self.engine, "connect", prepare)
        base: Any = declarative_base()
        text = {name: sa.Column(sa.Text, primary_key=name == "id") for name in COLUMNS if name != "annual_sales"}
        self.Dossier = type(
            "Dossier",
            (base,),
            {
                "__tablename__": "dossier",
                "__table_args__": (sa.Index("ix", "region", "credit", "annual_sales"),),
                **text,
                "annual_sales": sa.Column(sa.BigInteger),
                "document": sa.Column(sa.JSON),
            },
        )
        self.History = type(
            "History",
            (base,),
            {
                "__tablename__": "history",
                "id": sa.Column(sa.Text, primary_key=True),
                "version": sa.Column(sa.Integer, primary_key=True),
                "at": sa.Column(sa.Text),
                "document": sa.Column(sa.JSON),
            },
        )
        self.Audit = type(
            "Audit",
            (base,),
            {
                "__tablename__": "audit",
                "seq": sa.Column(sa.Integer, primary_key=True),
                "at": sa.Column(sa.Text),
                "action": sa.Column(sa.Text),
                "dossier": sa.Column(sa.Text),
            },
        )
        base.metadata.create_all(self.engine)

    def bulk(self, items: Sequence[Item]) -> None:
        with self.session(self.engine) as session:
            session.add_all(self.Dossier(**columns, document=document) for columns, document in items)
            session.commit()

    def insert(self, item: Item) -> None:
        columns, document = item
        with self.session(self.engine) as session:
            session.add(self.Dossier(**columns, document=document))
            session.add(self.History(id=columns["id"], version=1, at=AT, document=document))
            session.add(self.Audit(at=AT, action="insert", dossier=columns["id"]))
            session.commit()

    def update(self, item: Item) -> None:
        columns, document = item
        sa, history = self.sa, self.History
        with self.session(self.engine) as session:
            found: Any = session.get(self.Dossier, columns["id"])
            last = session.scalar(sa.select(sa.func.max(history.version)).where(history.id == columns["id"])) or 1
            found.annual_sales, found.document = columns["annual_sales"], document
            session.add(history(id=columns["id"], version=last + 1, at=AT, document=document))
            session.add(self.Audit(at=AT, action="update", dossier=columns["id"]))
            session.commit()

    def get(self, id: str) -> Any:
        with self.session(self.engine) as session:
            found: Any = session.get(self.Dossier, id)
            return found.document

    def page(self, region: str, grades: Sequence[str], least: int) -> Any:
        kind: Any = self.Dossier
        asked = self.sa.select(kind).where(kind.region == region, kind.credit.in_(grades), kind.annual_sales >= least)
        with self.session(self.engine) as session:
            return session.scalars(asked.order_by(kind.annual_sales.desc(), kind.id).limit(50)).all()

    def search(self, text: str) -> Any:
        kind: Any = self.Dossier
        with self.session(self.engine) as session:
            return session.execute(self.sa.select(kind.id).where(kind.name.contains(text)).limit(50)).all()

    def version(self, id: str) -> Any:
        with self.session(self.engine) as session:
            found: Any = session.get(self.History, (id, 1))
            return found.document

    def groups(self) -> Any:
        kind, func = self.Dossier, self.sa.func
        named: Any = kind
        asked = self.sa.select(named.region, named.credit, func.count(), func.sum(named.annual_sales))
        with self.session(self.engine) as session:
            return session.execute(asked.group_by(named.region, named.credit)).all()


class Peewee:
    """peewee models, JSON by hand."""

    def __init__(self, path: Path) -> None:
        import peewee as pw

        self.pw = pw
        self.db = pw.SqliteDatabase(str(path), pragmas=[tuple(pragma.split("=")) for pragma in _PRAGMAS])
        meta = {"database": self.db}
        text = {name: pw.TextField(primary_key=name == "id") for name in COLUMNS if name != "annual_sales"}
        self.Dossier = type(
            "Dossier",
            (pw.Model,),
            {
                **text,
                "annual_sales": pw.BigIntegerField(),
                "document": pw.TextField(),
                "Meta": type("Meta", (), {**meta, "indexes": ((("region", "credit", "annual_sales"), False),)}),
            },
        )
        self.History = type(
            "History",
            (pw.Model,),
            {
                "id": pw.TextField(),
                "version": pw.IntegerField(),
                "at": pw.TextField(),
                "document": pw.TextField(),
                "Meta": type("Meta", (), {**meta, "primary_key": pw.CompositeKey("id", "version")}),
            },
        )
        self.Audit = type(
            "Audit",
            (pw.Model,),
            {
                "at": pw.TextField(),
                "action": pw.TextField(),
                "dossier": pw.TextField(),
                "Meta": type("Meta", (), dict(meta)),
            },
        )
        self.db.create_tables([self.Dossier, self.History, self.Audit])

    def bulk(self, items: Sequence[Item]) -> None:
        kind: Any = self.Dossier
        with self.db.atomic():
            made = [kind(**columns, document=_text(document)) for columns, document in items]
            kind.bulk_create(made, batch_size=100)

    def insert(self, item: Item) -> None:
        columns, document = item
        kind: Any = self.Dossier
        with self.db.atomic():
            kind.create(**columns, document=_text(document))
            self._note(columns["id"], 1, document, "insert")

    def update(self, item: Item) -> None:
        columns, document = item
        kind, history, func = self.Dossier, self.History, self.pw.fn
        named: Any = kind
        past: Any = history
        with self.db.atomic():
            found = named.get_by_id(columns["id"])
            last = past.select(func.MAX(past.version)).where(past.id == columns["id"]).scalar() or 1
            found.annual_sales, found.document = columns["annual_sales"], _text(document)
            found.save()
            self._note(columns["id"], last + 1, document, "update")

    def _note(self, id: str, version: int, document: Any, action: str) -> None:
        history: Any = self.History
        audit: Any = self.Audit
        history.create(id=id, version=version, at=AT, document=_text(document))
        audit.create(at=AT, action=action, dossier=id)

    def get(self, id: str) -> Any:
        kind: Any = self.Dossier
        return json.loads(kind.get_by_id(id).document)

    def page(self, region: str, grades: Sequence[str], least: int) -> Any:
        kind: Any = self.Dossier
        asked = kind.select().where(kind.region == region, kind.credit.in_(grades), kind.annual_sales >= least)
        return [json.loads(each.document) for each in asked.order_by(kind.annual_sales.desc(), kind.id).limit(50)]

    def search(self, text: str) -> Any:
        kind: Any = self.Dossier
        return list(kind.select(kind.id).where(kind.name.contains(text)).limit(50).tuples())

    def version(self, id: str) -> Any:
        past: Any = self.History
        return json.loads(past.get((past.id == id) & (past.version == 1)).document)

    def groups(self) -> Any:
        kind, func = self.Dossier, self.pw.fn
        named: Any = kind
        asked = named.select(named.region, named.credit, func.COUNT(), func.SUM(named.annual_sales))
        return list(asked.group_by(named.region, named.credit).tuples())


class Django:
    """Django's ORM with django-simple-history; bulk import writes no history there."""

    def __init__(self, path: Path) -> None:
        import django
        from django.conf import settings

        started = "; ".join(f"pragma {pragma}" for pragma in _PRAGMAS)
        settings.configure(
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "simple_history"],
            DATABASES={
                "default": {
                    "ENGINE": "django.db.backends.sqlite3",
                    "NAME": str(path),
                    "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": started},
                }
            },
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            USE_TZ=True,
        )
        django.setup()
        from django.contrib.auth.models import Group, Permission, User
        from django.contrib.contenttypes.models import ContentType
        from django.db import connection, models, transaction
        from simple_history.models import HistoricalRecords

        self.models, self.atomic = models, transaction.atomic
        text = {name: models.TextField(primary_key=name == "id") for name in COLUMNS if name != "annual_sales"}
        index = models.Index(fields=["region", "credit", "annual_sales"], name="ix")
        self.Dossier: Any = type(
            "Dossier",
            (models.Model,),
            {
                "__module__": __name__,
                **text,
                "annual_sales": models.BigIntegerField(),
                "document": models.JSONField(),
                "history": HistoricalRecords(app="simple_history"),
                "Meta": type("Meta", (), {"app_label": "simple_history", "indexes": [index]}),
            },
        )
        self.Audit: Any = type(
            "Audit",
            (models.Model,),
            {
                "__module__": __name__,
                "at": models.TextField(),
                "action": models.TextField(),
                "dossier": models.TextField(),
                "Meta": type("Meta", (), {"app_label": "simple_history"}),
            },
        )
        kinds = (ContentType, Permission, Group, User, self.Dossier, self.Dossier.history.model, self.Audit)
        with connection.schema_editor() as editor:
            for kind in kinds:
                editor.create_model(kind)

    def bulk(self, items: Sequence[Item]) -> None:
        with self.atomic():
            self.Dossier.objects.bulk_create(
                [self.Dossier(**columns, document=document) for columns, document in items]
            )

    def insert(self, item: Item) -> None:
        columns, document = item
        with self.atomic():
            self.Dossier(**columns, document=document).save(force_insert=True)
            self.Audit.objects.create(at=AT, action="insert", dossier=columns["id"])

    def update(self, item: Item) -> None:
        columns, document = item
        with self.atomic():
            found = self.Dossier.objects.get(pk=columns["id"])
            found.annual_sales, found.document = columns["annual_sales"], document
            found.save()
            self.Audit.objects.create(at=AT, action="update", dossier=columns["id"])

    def get(self, id: str) -> Any:
        return self.Dossier.objects.get(pk=id).document

    def page(self, region: str, grades: Sequence[str], least: int) -> Any:
        asked = self.Dossier.objects.filter(region=region, credit__in=grades, annual_sales__gte=least)
        return list(asked.order_by("-annual_sales", "id")[:50])

    def search(self, text: str) -> Any:
        return list(self.Dossier.objects.filter(name__contains=text).values_list("id")[:50])

    def version(self, id: str) -> Any:
        return self.Dossier.history.filter(id=id).order_by("history_id").first().document

    def groups(self) -> Any:
        count, total = self.models.Count("*"), self.models.Sum("annual_sales")
        return list(self.Dossier.objects.values("region", "credit").annotate(c=count, t=total))


PEERS: dict[str, Callable[[Path], Any]] = {
    "sqlite-utils": SqliteUtils,
    "SQLAlchemy": Alchemy,
    "peewee": Peewee,
    "Django + simple-history": Django,
}


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def timed(calls: Sequence[Callable[[], Any]]) -> float:
    """CPU seconds a call."""
    side = Side()
    settle()
    side.time(calls)
    return side.mean


def measure(peer: Any, items: Sequence[Item], fresh: Sequence[Item], asked: Sequence[Any]) -> dict[str, float]:
    """CPU seconds a call by workload."""
    rnd = random.Random(4)
    found: dict[str, float] = {}
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    found["W1"] = timed([lambda c=chunk: peer.bulk(c) for chunk in chunks]) * len(chunks) / len(items)  # type: ignore[misc]
    found["W2i"] = timed([lambda i=item: peer.insert(i) for item in fresh])  # type: ignore[misc]
    chosen = [rnd.choice(fresh) for _ in range(200)]
    raised = [({**columns, "annual_sales": place}, document) for place, (columns, document) in enumerate(chosen)]
    found["W2u"] = timed([lambda i=item: peer.update(i) for item in raised])  # type: ignore[misc]
    ids = [rnd.choice(items)[0]["id"] for _ in range(500)]
    found["W3"] = timed([lambda i=id: peer.get(i) for id in ids])  # type: ignore[misc]
    found["W4"] = timed([lambda a=each: peer.page(*a) for each in asked])  # type: ignore[misc]
    names = [rnd.choice(items)[0]["name"][2:6] for _ in range(20)]
    found["W5"] = timed([lambda t=text: peer.search(t) for text in names])  # type: ignore[misc]
    past = [item[0]["id"] for item in raised]
    found["W6"] = timed([lambda i=id: peer.version(i) for id in past])  # type: ignore[misc]
    found["W7"] = timed([peer.groups] * 3)
    return found


def main(argv: list[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    n = parser.parse_args(argv).n
    folder = Path(tempfile.mkdtemp(prefix="dossier-bench-"))
    rnd = random.Random(1)
    asked = [(rnd.choice(REGIONS), tuple(rnd.sample(GRADES, 2)), rnd.choice((200_000, 1_000_000))) for _ in range(50)]
    try:
        pair = Pair(folder)
        ours, raw = pair.bulk(n, typed=True)
        inserted, inserted_raw = pair.inserts(200)
        rows = pair.source.execute("select id, f_number, body from c_dossiers order by rid").fetchall()
        items = [(row(id, number, document := json.loads(body)), document) for id, number, body in rows]
        ids = [rnd.choice(items)[0]["id"] for _ in range(500)]
        updated, updated_raw = pair.updates(ids[:200])
        names = [customer(rnd.randrange(n)).name[2:6] for _ in range(20)]
        base = {
            "W1": raw.mean,
            "W2i": inserted_raw.mean,
            "W2u": updated_raw.mean,
            "W3": timed([lambda i=id: pair.raw.get(i) for id in ids]),  # type: ignore[misc]
            "W4": timed([lambda a=each: pair.raw.page(*a, None) for each in asked]),  # type: ignore[misc]
            "W5": timed([lambda t=text: pair.raw.like("search_name", t) for text in names]),  # type: ignore[misc]
            "W6": timed([lambda i=id: pair.raw.act(f"{i}/{1:08x}") for id in ids]),  # type: ignore[misc]
            "W7": timed([pair.raw.groups] * 3),
        }
        mine = {
            "W1": ours.mean,
            "W2i": inserted.mean,
            "W2u": updated.mean,
            "W3": timed([lambda i=id: pair.consult(i) for id in ids]),  # type: ignore[misc]
            "W4": timed([lambda a=each: pair.find(*a, second=False) for each in asked]),  # type: ignore[misc]
            "W5": timed([lambda t=text: pair.search("basic/name", t) for text in names]),  # type: ignore[misc]
            "W6": timed([lambda i=id: pair.whole(i, 1) for id in ids]),  # type: ignore[misc]
        }
        pair.close()
        print(f"n = {n}; CPU over raw\n| | {' | '.join(WORKLOADS)} |\n|---{'|---' * len(WORKLOADS)}|")
        print(line("dossier", mine, base))
        for name, make in PEERS.items():
            peer = make(folder / f"{name}.db")
            print(line(name, measure(peer, items[:n], items[n:], asked), base), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def line(name: str, found: dict[str, float], base: dict[str, float]) -> str:
    """One row of the table."""
    cells = [f"{found[w] / base[w]:.2f}" if w in found else "-" for w in WORKLOADS]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
