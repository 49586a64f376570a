"""The import of invoice lines as one would write it by hand: plain sqlite3, SQLAlchemy, Django with simple-history.

Each reads the same file, groups it in memory, and writes a row a customer and a row an order with its lines as JSON,
one history and one event row a customer; two indexes. No claims, no check of a value, no mask, no chain, no bigrams,
and the same file a second time would double everything.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import attrs

from benchmarks.raw import connect

AT = "2011-12-01T00:00:00Z"
CUSTOMERS = 200
"""Customers a transaction: about as many rows as a batch of an archive."""
_PRAGMAS = ("journal_mode=wal", "synchronous=full", "cache_size=-16384", "temp_store=memory")


@attrs.frozen
class Customer:
    """What the lines of one customer come to. `total` and amounts of orders in thousandths."""

    id: str
    country: str
    total: int
    body: dict[str, Any]
    orders: list[tuple[str, str, int, list[dict[str, str]]]]


def customers(lines: Path) -> Iterator[Customer]:
    """The customers of a file."""
    found: dict[str, dict[str, list[dict[str, str]]]] = {}
    with lines.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            found.setdefault(line["CustomerID"], {}).setdefault(line["InvoiceNo"], []).append(line)
    for customer, invoices in found.items():
        orders = []
        for number, bought in invoices.items():
            amount = sum(int(line["Quantity"]) * round(float(line["UnitPrice"]) * 1000) for line in bought)
            items = [{k: line[k] for k in ("StockCode", "Description", "Quantity", "UnitPrice")} for line in bought]
            orders.append((number, bought[0]["InvoiceDate"], amount, items))
        country = next(iter(invoices.values()))[0]["Country"]
        body = {"addresses": [{"text": country, "region": country, "use": "delivery"}], "number": customer}
        yield Customer(customer, country, sum(order[2] for order in orders), body, orders)


def chunks(found: Iterable[Customer]) -> Iterator[list[Customer]]:
    """As many at a time as go into one transaction."""
    each = iter(found)
    while chunk := list(islice(each, CUSTOMERS)):
        yield chunk


def script(lines: Path, db: Path) -> None:
    """Plain sqlite3."""
    conn = connect(db)
    for ddl in (
        "create table customer(id text primary key, country text, total integer, body text)",
        "create index by_country on customer(country, total desc, id)",
        "create table purchase(id text primary key, customer text, at text, amount integer, body text)",
        "create index by_customer on purchase(customer, at desc)",
        "create table history(id text, version integer, at text, body text, primary key(id, version))",
        "create table event(seq integer primary key, at text, action text, id text)",
    ):
        conn.execute(ddl)
    for chunk in chunks(customers(lines)):
        conn.execute("begin immediate")
        for one in chunk:
            conn.executemany(
                "insert into purchase values (?, ?, ?, ?, ?)",
                [(number, one.id, at, amount, json.dumps(items)) for number, at, amount, items in one.orders],
            )
            body = json.dumps(one.body)
            conn.execute("insert into customer values (?, ?, ?, ?)", (one.id, one.country, one.total, body))
            conn.execute("insert into history values (?, 1, ?, ?)", (one.id, AT, body))
            conn.execute("insert into event(at, action, id) values (?, 'register', ?)", (AT, one.id))
        conn.execute("commit")
    conn.close()


def alchemy(lines: Path, db: Path) -> None:
    """SQLAlchemy 2, its ORM."""
    import sqlalchemy as sa
    from sqlalchemy.orm import Session, declarative_base

    base: Any = declarative_base()

    def text(*, key: bool = False) -> Any:
        return sa.Column(sa.Text, primary_key=key)

    def model(name: str, columns: dict[str, Any], *indexes: Any) -> Any:
        return type(name, (base,), {"__tablename__": name.lower(), "__table_args__": indexes, **columns})

    amount, json_ = sa.BigInteger, sa.JSON
    shopper = model(
        "Customer",
        {"id": text(key=True), "country": text(), "total": sa.Column(amount), "body": sa.Column(json_)},
        sa.Index("by_country", "country", "total"),
    )
    purchase = model(
        "Purchase",
        {"id": text(key=True), "customer": text(), "at": text(), "amount": sa.Column(amount), "body": sa.Column(json_)},
        sa.Index("by_customer", "customer", "at"),
    )
    version = sa.Column(sa.Integer, primary_key=True)
    history = model("History", {"id": text(key=True), "version": version, "at": text(), "body": sa.Column(json_)})
    seq = sa.Column(sa.Integer, primary_key=True)
    event = model("Event", {"seq": seq, "at": text(), "action": text(), "customer": text()})
    engine = sa.create_engine(f"sqlite:///{db}")

    def prepare(conn: Any, _: Any) -> None:
        for pragma in _PRAGMAS:
            conn.execute(f"pragma {pragma}")

    sa.event.listen(engine, "connect", prepare)
    base.metadata.create_all(engine)
    for chunk in chunks(customers(lines)):
        with Session(engine) as session:
            for one in chunk:
                session.add_all(
                    purchase(id=number, customer=one.id, at=at, amount=total, body=items)
                    for number, at, total, items in one.orders
                )
                session.add(shopper(id=one.id, country=one.country, total=one.total, body=one.body))
                session.add(history(id=one.id, version=1, at=AT, body=one.body))
                session.add(event(at=AT, action="register", customer=one.id))
            session.commit()


def django(lines: Path, db: Path) -> None:
    """Django's ORM, its history by django-simple-history."""
    import django as framework
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "simple_history"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(db),
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "; ".join(f"pragma {pragma}" for pragma in _PRAGMAS),
                },
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    framework.setup()
    from django.core.management import call_command
    from django.db import connection, models, transaction
    from simple_history.models import HistoricalRecords

    def model(name: str, fields: dict[str, Any], indexes: list[models.Index]) -> Any:
        meta = type("Meta", (), {"app_label": "contenttypes", "indexes": indexes})
        return type(name, (models.Model,), {"__module__": "benchmarks.shops", "Meta": meta, **fields})

    text = models.TextField
    shopper = model(
        "Shopper",
        {"id": text(primary_key=True), "country": text(), "total": models.BigIntegerField(),
         "body": models.JSONField(), "history": HistoricalRecords()},
        [models.Index(fields=["country", "-total"], name="by_country")],
    )  # fmt: skip
    purchase = model(
        "Purchase",
        {"id": text(primary_key=True), "customer": text(), "at": text(), "amount": models.BigIntegerField(),
         "body": models.JSONField()},
        [models.Index(fields=["customer", "-at"], name="by_customer")],
    )  # fmt: skip
    event = model("Event", {"at": text(), "action": text(), "customer": text()}, [])
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for each in (shopper, shopper.history.model, purchase, event):
            editor.create_model(each)
    from simple_history.utils import bulk_create_with_history

    for chunk in chunks(customers(lines)):
        with transaction.atomic():
            bulk_create_with_history(
                [shopper(id=c.id, country=c.country, total=c.total, body=c.body) for c in chunk], shopper
            )
            purchase.objects.bulk_create(
                [
                    purchase(id=number, customer=c.id, at=at, amount=amount, body=items)
                    for c in chunk
                    for number, at, amount, items in c.orders
                ]
            )
            event.objects.bulk_create([event(at=AT, action="register", customer=c.id) for c in chunk])


SHOPS: dict[str, Callable[[Path, Path], None]] = {"script": script, "alchemy": alchemy, "django": django}


def spent(name: str, lines: Path, db: Path) -> float:
    """CPU seconds of one of them."""
    begun = time.process_time()
    SHOPS[name](lines, db)
    return time.process_time() - begun
