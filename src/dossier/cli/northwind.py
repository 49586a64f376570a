"""Customers, orders and order details as Northwind has them: three CSV files in UTF-8. Floor: cli.

What belongs to nobody (an order of an unknown customer, a line of an unknown order, an id that stands twice) is
counted, never dropped in silence.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

import attrs
import click

SAMPLE: Final = Path(__file__).parent / "sample"
CURRENCY: Final = "USD"
T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Line:
    """A line of an order; `amount` is price × quantity × (1 - discount), exactly."""

    product: str
    price: Decimal
    quantity: Decimal
    amount: Decimal


@attrs.frozen(kw_only=True)
class Order:
    """An order; `delivered` None while it is not shipped."""

    id: str
    at: dt.date
    due: dt.date | None
    delivered: dt.date | None
    freight: Decimal
    lines: tuple[Line, ...]

    @property
    def amount(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal())

    def late(self, today: dt.date) -> bool:
        """Whether it was delivered after the day it was required, or is not and the day is past."""
        return self.due is not None and (self.delivered or today) > self.due


@attrs.frozen(kw_only=True, repr=False)
class Customer:
    """A customer as the file has it, with its orders by date."""

    id: str
    name: str
    contact: str
    title: str
    address: str
    region: str
    country: str
    postcode: str
    phone: str
    fax: str
    orders: tuple[Order, ...]


@attrs.frozen
class Sample:
    """What the files hold; `adrift` counts rows that belong to nobody."""

    customers: tuple[Customer, ...]
    adrift: int

    @property
    def orders(self) -> int:
        """How many orders there are."""
        return sum(len(customer.orders) for customer in self.customers)

    @property
    def last(self) -> dt.date:
        """The last day on which anything was ordered or delivered."""
        days = [day for c in self.customers for o in c.orders for day in (o.at, o.delivered) if day is not None]
        return max(days, default=dt.date(2000, 1, 1))


def read_sample(place: Path) -> Sample:
    """Read a folder with customers.csv, or a customers file, and orders.csv and order_details.csv beside it.

    ClickException that names the file and row for what cannot be read.
    """
    customers_file = place / "customers.csv" if place.is_dir() else place
    folder = customers_file.parent
    lines: dict[str, list[Line]] = {}
    for order_id, line in _rows(folder / "order_details.csv", _line):
        lines.setdefault(order_id, []).append(line)
    orders: dict[str, list[Order]] = {}
    seen: set[str] = set()
    adrift = 0
    for customer_id, order in _rows(folder / "orders.csv", lambda row: _order(row, lines)):
        if order.id in seen:
            adrift += 1
            continue
        seen.add(order.id)
        orders.setdefault(customer_id, []).append(order)
    adrift += sum(len(found) for order_id, found in lines.items() if order_id not in seen)
    customers: dict[str, Customer] = {}
    for customer in _rows(customers_file, lambda row: _customer(row, orders)):
        if customer.id in customers:
            adrift += 1
        else:
            customers[customer.id] = customer
    adrift += sum(len(found) for customer_id, found in orders.items() if customer_id not in customers)
    if not customers:
        raise click.ClickException(f"{customers_file.name}: no customers / 没有客户")
    return Sample(tuple(customers.values()), adrift)


def _rows(path: Path, read: Callable[[dict[str, str]], T]) -> list[T]:
    found: list[T] = []
    number = 2
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                found.append(read({name: (text or "").strip() for name, text in row.items() if name}))
                number += 1
        return found
    except FileNotFoundError:
        fault = "is missing / 缺少该文件"
    except UnicodeDecodeError:
        fault = "is not UTF-8 / 不是 UTF-8 编码"
    except KeyError as error:
        fault = f"has no column {error} / 缺少列 {error}"
    except (ValueError, ArithmeticError, csv.Error):
        fault = f"row {number} cannot be read / 第 {number} 行读不懂"
    raise click.ClickException(f"{path.name} {fault}")


def _line(row: dict[str, str]) -> tuple[str, Line]:
    price, quantity = Decimal(row["UnitPrice"]), Decimal(row["Quantity"])
    amount = price * quantity * (1 - Decimal(row["Discount"] or "0"))
    return row["OrderID"], Line(product=row["ProductID"], price=price, quantity=quantity, amount=amount)


def _order(row: dict[str, str], lines: dict[str, list[Line]]) -> tuple[str, Order]:
    at = _day(row["OrderDate"])
    if at is None:
        raise ValueError
    return row["CustomerID"], Order(
        id=row["OrderID"],
        at=at,
        due=_day(row["RequiredDate"]),
        delivered=_day(row["ShippedDate"]),
        freight=Decimal(row["Freight"] or "0"),
        lines=tuple(lines.get(row["OrderID"], ())),
    )


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text[:10]) if text else None


def _customer(row: dict[str, str], orders: dict[str, list[Order]]) -> Customer:
    if not row["CustomerID"] or not row["CompanyName"]:
        raise ValueError
    return Customer(
        id=row["CustomerID"],
        name=row["CompanyName"],
        contact=row["ContactName"],
        title=row["ContactTitle"],
        address=", ".join(filter(None, (row["Address"], row["City"]))),
        region=row["Region"] or row["City"],
        country=row["Country"],
        postcode=row["PostalCode"],
        phone=row["Phone"],
        fax=row["Fax"],
        orders=tuple(sorted(orders.get(row["CustomerID"], ()), key=lambda order: (order.at, order.id))),
    )
